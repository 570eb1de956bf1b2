"""Hypothesis strategies for your own property tests: fault plans and closing phrases.

Law: every axis of a fault is a draw of its own from a fixed range, simplest first, so that
Hypothesis shrinks a plan as it shrinks anything else: to fewer and simpler faults. Imported only
by those who use Hypothesis themselves.

    @given(plan=fault_plans(charge_order))
    def test_never_charges_twice(plan):
        agentfuzz.run(charge_order, my_agent, plan=plan).check("AF101")
"""

from collections.abc import Iterable

from hypothesis import strategies as st

from agentfuzz.core.faults import TABLES, Fault, Slot, rank
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.model.closings import Closing, corpus
from agentfuzz.runtime.clock import Clock
from agentfuzz.search.space import Space
from agentfuzz.world.injector import FromPlan

__all__ = ["closings", "fault_plans"]


def fault_plans(
    scenario: Scenario, *, max_faults: int = 3, max_nth: int = 4
) -> st.SearchStrategy[FaultPlan]:
    """Plans for the tools of a scenario (and its model), with at most `max_faults` faults at the
    first `max_nth` crossings of each name. A fault whose slot is never reached does nothing.
    """
    world = scenario.world(FromPlan(), Clock())
    space = Space()
    names = [
        (spec.place(Slot("tool", spec.name, 1)), space.at(spec.group))
        for spec in world.gateway.specs.values()
    ]
    if world.has_model:
        done = scenario.script is not None and scenario.script.closes_with_tool
        turn = {*space.at("calls"), *space.at("done" if done else "closing")}
        simplest_first = sorted(turn, key=lambda f: (rank(TABLES["model"], f.axes), f.variant))
        names.append((Slot("model", "", 1), tuple(simplest_first)))
    if not names:
        return st.just(FaultPlan())
    one = st.sampled_from(names).flatmap(
        lambda place: st.builds(
            lambda nth, fault: (place[0]._replace(nth=nth), fault),
            st.integers(1, max_nth),
            _faults(place[1]),
        )
    )
    return st.lists(one, max_size=max_faults, unique_by=lambda part: part[0]).map(FaultPlan)


def _faults(faults: tuple[Fault, ...]) -> st.SearchStrategy[Fault]:
    return st.sampled_from(faults)


def closings(
    *, done: bool | None = None, languages: Iterable[str] | None = None
) -> st.SearchStrategy[Closing]:
    """Texts with which a model may end its turn, each with its ground truth: `done` keeps those
    that say that the work is done (or not), `languages` those in these (codes: `en`, `de`, ...).
    Shrinks to English, and to the barest text.
    """
    found: dict[str, list[Closing]] = {}
    for one in corpus(done=done, languages=languages):
        found.setdefault(one.language, []).append(one)
    texts = {code: st.sampled_from(these) for code, these in found.items()}
    return st.sampled_from(list(texts)).flatmap(texts.__getitem__)
