"""The endings of a cut reply in plans, in the space of a campaign, and without a wire."""

from collections.abc import Mapping
from typing import Any

import pytest

from agentfuzz import Completion, FaultPlan, ModelError, World, no_act_on_cut_reply, run
from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.errors import PlanError
from agentfuzz.core.events import ModelTurn, Struck
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.engine.simulation import Simulation
from agentfuzz.model.endings import ENDINGS
from agentfuzz.model.model_faults import KINDS
from agentfuzz.model.model_faults.kind import GROUPS, sent, streamed
from agentfuzz.search.space import Space
from model.loops import order
from search.support import hunt

MODEL = BOUNDARIES["model"]
BROKEN = [ending for ending in ENDINGS if ending != "closed"]
RAISED: Mapping[str, type[Exception]] = {
    "closed": ConnectionError,
    "reset": ConnectionResetError,
    "error_event": ModelError,
    "silence": TimeoutError,
}
CUT_AT = KINDS["cut"].at


def test_a_plan_of_old_means_what_it_meant() -> None:
    """`cut` is a clean end, and its text is as it was; so is that of every other kind."""
    for kind in KINDS:
        plan = FaultPlan.parse(f"model#2:{kind}")
        assert plan.by_slot == {Slot("model", "", 2): Fault((kind, "closed"))}
        assert str(plan) == f"model#2:{kind}"


@pytest.mark.parametrize("ending", BROKEN)
def test_an_ending_in_a_plan(ending: str) -> None:
    """It is written behind the kind, and said in a report."""
    plan = FaultPlan.parse(f"model#2:cut/{ending}")
    ((slot, fault),) = plan
    assert fault == Fault(("cut", ending))
    assert str(plan) == f"model#2:cut/{ending}"
    said = f"turn 2 of the model: {KINDS['cut'].says[0]}: {ENDINGS[ending]}"
    assert MODEL.phrase(slot, fault) == said


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_loop_without_a_wire(ending: str) -> None:
    """It meets the exception that a client would have come to; the turn is cut in the history."""

    def agent(world: World) -> Completion:
        with pytest.raises(RAISED[ending]) as caught:
            world.model([{"role": "user", "content": world.task}])
        assert type(caught.value) is RAISED[ending]
        return Completion.blocked(reason="dependency_unavailable")

    plan = "model#1:cut" if ending == "closed" else f"model#1:cut/{ending}"
    history = run(order(), agent, plan).history
    assert history.ended is not None
    assert history.ended.how == "returned", history.ended
    assert [turn.stop for turn in history.of(ModelTurn)] == ["cut"]
    assert [str(event.fault) for event in history.of(Struck)] == [plan.partition(":")[2]]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("cut", "privileged")])
def test_no_other_kind_has_an_ending(kind: str) -> None:
    """Such a plan strikes nothing, and says so."""

    def agent(world: World) -> str:
        return str(world.model([{"role": "user", "content": world.task}])["content"])

    found = run(
        order(no_act_on_cut_reply(), tool=kind.endswith("done")), agent, f"model#1:{kind}/reset"
    )
    assert not found.history.of(Struck)
    with pytest.raises(PlanError, match="no longer applies"):
        found.check()


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_tried_where(group: str) -> None:
    """Beside others the same everywhere; alone further variants, over a wire what a provider says
    of a reply, too, and of a streamed one the endings."""
    space = Space()
    assert space.at(streamed(group)) == space.at(sent(group)) == space.at(group)
    plain, whole, stream = (
        set(space.wordings_at(one)) for one in (group, sent(group), streamed(group))
    )
    assert all(fault.variant for fault in plain)
    wire = {kind.name for kind in KINDS.values() if kind.wire and group in kind.at}
    assert {fault.axes[0] for fault in whole - plain} == wire
    assert whole >= plain
    endings = {Fault(("cut", ending)) for ending in BROKEN} if group in CUT_AT else set()
    last_event = {Fault(("cut", "closed"), 1)} if endings else set()
    assert stream - whole == endings | last_event


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({"only": ("cut",)}, ["cut", "cut=1", *(f"cut/{ending}" for ending in BROKEN)]),
        ({"only": ("cut/reset",)}, ["cut/reset"]),
        ({"only": ("silence",)}, ["cut/silence"]),
        ({"exclude": ("cut",)}, []),
        ({"exclude": ("reset", "silence")}, ["cut", "cut=1", "cut/error_event"]),
    ],
)
def test_endings_are_chosen_by_their_words(words: Any, found: list[str]) -> None:
    """Alone, or as a whole fault."""
    space, group = Space(**words), streamed("closing")
    tried = (*space.at(group), *space.wordings_at(group))
    assert [str(fault) for fault in tried if fault.axes[0] == "cut"] == found


class Asks:
    """A loop that reads its turns as a stream or not, and asks again after one that broke."""

    def __init__(self, stream: bool) -> None:
        self.stream = stream

    def __call__(self, world: World) -> Any:
        messages = [{"role": "user", "content": world.task}]
        for _ in range(6):
            try:
                turn = world.model.turn(messages, stream=self.stream)
            except (ModelError, TimeoutError):
                continue
            if turn["stop"] == "end" and not turn["tool_calls"]:
                return turn["content"]
        return Completion.blocked(reason="dependency_unavailable")


def test_what_a_streamed_turn_costs() -> None:
    """Three endings, the last event, a filter and a pause for each streamed turn, and no pair."""
    story = order(no_act_on_cut_reply(), calls=False)
    with Simulation() as simulation:
        plain, stream = (
            {
                level.name: level.total
                for level in hunt(story, Asks(streamed), simulation, depth=2, deep_runs=0).levels
            }
            for streamed in (False, True)
        )
    assert stream["plans with one fault"] == plain["plans with one fault"] + len(BROKEN) + 3
    assert stream["plans with two faults"] == plain["plans with two faults"]
