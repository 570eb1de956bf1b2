"""Inputs: what the strategies of a scenario (`given=`) draw, as plain values.

Law: a run gets its inputs as plain data, the same whether they were drawn, replayed or typed; the
simplest ones are those that Hypothesis shrinks to, and one seed draws the same ones in the same
order. Hypothesis is imported here alone, and only for a scenario that has strategies. Called by
scenarios (for the simplest), and by the search (for others, and to shrink them).
"""

import json
import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from agentfuzz.core.codec import described, message
from agentfuzz.core.errors import AgentfuzzError, PlanError, ScenarioError, near_miss
from agentfuzz.core.events import Json
from agentfuzz.core.plan import AGENTS, FaultPlan, canonical

Given = str  # inputs as a plan keeps them: see `agentfuzz.core.plan.canonical`
Strategies = Mapping[str, Any]  # Hypothesis' SearchStrategy by name
DIGITS = 4_000  # of a number, at most
WRITTEN = 200_000  # characters of all that is drawn at once, beyond the first few
FEW = 5
LARGE = 500  # characters of the first inputs that are drawn, which are not made simpler


class Declared(dict[str, Any]):
    """The strategies of a scenario; `simplest` are the inputs to which all others shrink."""

    simplest: Given = ""


def checked(given: Mapping[str, Any]) -> Strategies:
    """The strategies of a scenario. Raises ScenarioError for what is none."""
    if not isinstance(given, Mapping):
        raise ScenarioError(
            f"given={described(given)[:60]} is no dict; write each strategy with its name, as in "
            'given={"order": st.text()}.'
        )
    if not given:
        return {}
    from hypothesis.strategies import SearchStrategy

    for name, strategy in given.items():
        if not (isinstance(name, str) and name.isidentifier() and _stands_in_a_plan(name)):
            raise ScenarioError(
                f"given={{{name!r}: ...}} is no name; write a Python identifier of letters, digits "
                "and _."
            )
        if name == AGENTS:
            raise ScenarioError(
                f"given={{{name!r}: ...}}: this name is kept for the agents that take part in a "
                "slice of a run (world.agents); call the input something else, as in team."
            )
        if not isinstance(strategy, SearchStrategy):
            raise ScenarioError(
                f"given={{{name!r}: {described(strategy)[:60]}}} is no Hypothesis strategy; write "
                f"one (st.text(), st.sampled_from([...])), or st.just(...) for a fixed value."
            )
    found = Declared(given)
    found.simplest = simplest(found)
    return found


def _stands_in_a_plan(name: str) -> bool:
    try:
        return bool(FaultPlan.parse(f"given:{name}=0").given)
    except PlanError:
        return False


def simplest(strategies: Strategies) -> Given:
    """The inputs to which all others shrink. What is drawn first is made of what is simplest of
    each kind; where that is large, it is what they are: to shrink it would take minutes."""
    if isinstance(strategies, Declared) and strategies.simplest:
        return strategies.simplest
    draws, large = 0, False

    def drawing() -> bool:
        nonlocal draws
        draws += 1
        return False

    def fails(inputs: Given) -> bool:
        nonlocal large
        large = large or (draws <= 2 and len(inputs) > LARGE)  # one may be to look at them
        return True

    try:
        found = shrunk(strategies, fails, examples=1, late=drawing, shrinks=False)
        if not large:
            found = shrunk(strategies, fails, examples=1)
    except AgentfuzzError:
        raise
    except Exception as error:  # of a strategy
        raise ScenarioError(
            f"given={{{', '.join(map(repr, strategies))}}}: nothing is drawn: it raises "
            f"{type(error).__name__}: {message(error)[:300]}. Mend the strategy, or build the "
            "value from `world.data` in the scenario."
        ) from error
    assert found is not None, "everything is accepted"
    return found


def filled(scenario: str, strategies: Strategies, given: Given) -> dict[str, Json]:
    """The inputs of a run: what is left out is as in the simplest ones; who takes part in a slice
    is none of them. Raises PlanError for an input that the scenario does not have."""
    data: dict[str, Json] = json.loads(given) if given else {}
    if not _names(data.pop(AGENTS, ["all"])):
        raise PlanError(
            f"the plan gives {AGENTS}, which are those that take part in a slice of a run: write "
            f'different names in a list, as in given:{AGENTS}=["triage","billing"].'
        )
    for name in data:
        if name not in strategies:
            raise PlanError(
                f"the plan gives {name}; the scenario {scenario} is given "
                f"{', '.join(strategies) or 'nothing (given=)'}.{near_miss(name, strategies)}"
            )
    if len(data) < len(strategies):
        data = {**json.loads(simplest(strategies)), **data}
    return data


def _names(value: Json) -> bool:
    """Whether this is a list of different names."""
    if not isinstance(value, list) or not all(one and isinstance(one, str) for one in value):
        return False
    return 0 < len(value) == len(set(value))


def drawn(
    strategies: Strategies,
    count: int,
    seed: int,
    late: Callable[[], bool] = bool,
    wrong: list[Exception] | None = None,
) -> list[Given]:
    """Other inputs, each once, in the order of this seed; at most so many, fewer of large ones, and
    those that were drawn before it was `late`. `wrong` is given the first reason why something is
    left out."""
    found: dict[Given, None] = {}
    written = 0

    def note(inputs: Given) -> bool:
        nonlocal written
        found[inputs] = None
        written += len(inputs)
        return False

    def over() -> bool:
        return (written > WRITTEN and len(found) > FEW) or late()

    shrunk(strategies, note, seed=seed, examples=examples_of(count), late=over, wrong=wrong)
    found.pop(simplest(strategies), None)
    return list(found)[:count]


def examples_of(count: int) -> int:
    """How many examples are tried for so many inputs: some come twice."""
    return 2 * count + 1


class _Late(BaseException):
    """No more is drawn. Hypothesis ends at once, with this or with a complaint of its own."""


class _Until(dict[str, Any]):
    """Strategies, which Hypothesis asks for before each draw: none is drawn any more when it is
    `late`, though a filter take nothing of what is drawn."""

    late: Callable[[], bool] = bool
    ended = False

    def items(self) -> Any:
        if self.late():
            self.ended = True
            raise _Late
        return super().items()


def shrunk(
    strategies: Strategies,
    fails: Callable[[Given], bool],
    *,
    seed: int = 0,
    examples: int,
    late: Callable[[], bool] = bool,
    shrinks: bool = True,
    wrong: list[Exception] | None = None,
) -> Given | None:
    """The simplest inputs reached that fail (the first, unless it `shrinks`); None if none of so
    many do, or none did before it was `late`. One seed tries the same inputs in the same order up
    to the first that fails. What a strategy raises, and what is no plain value, is left out: it is
    raised where that is all that is drawn, and else the first is put into `wrong`."""
    from hypothesis import HealthCheck, Phase, Verbosity, find, reject, settings
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisException, InvalidArgument, NoSuchExample, Unsatisfiable

    known: dict[Given, bool] = {}
    wrong = [] if wrong is None else wrong
    each = _Until(strategies)
    each.late = lambda: late() and True not in known.values()
    values = st.fixed_dictionaries(each)

    @st.composite
    def plain(draw: Callable[[Any], Any]) -> Given:
        try:
            drawn = draw(values)
            return canonical({name: _plain(name, value) for name, value in drawn.items()})
        except HypothesisException:
            raise
        except Exception as error:  # of a strategy
            if not wrong:
                wrong.append(error)
            return reject()

    def condition(inputs: Given) -> bool:
        if inputs not in known:
            known[inputs] = fails(inputs)
        return known[inputs]

    try:
        return find(
            plain(),
            condition,
            random=Random(seed),
            settings=settings(
                max_examples=examples,
                database=None,
                deadline=None,
                verbosity=Verbosity.quiet,
                phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )
    except (NoSuchExample, _Late):
        return None
    except HypothesisException as error:
        if each.ended:
            return None
        if isinstance(error, Unsatisfiable) and wrong:
            raise wrong[0] from None
        if not isinstance(error, InvalidArgument | Unsatisfiable):
            raise
        raise ScenarioError(
            f"given={{{', '.join(map(repr, strategies))}}}: nothing, or too little, is drawn "
            f"({error})"
        ) from error


def _plain(name: str, value: object) -> Json:
    """A drawn value as it comes back from JSON. Raises ScenarioError for what does not."""
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int and value.bit_length() < 3 * DIGITS:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) in (list, tuple):
        return [_plain(name, item) for item in value]  # type: ignore[attr-defined]
    if type(value) is dict and all(type(key) is str for key in value):
        return {key: _plain(name, item) for key, item in value.items()}
    said = f"{described(value)[:60]} ({type(value).__name__})"
    raise ScenarioError(
        f"given={{{name!r}: ...}} draws {said}; draw plain values (text, finite numbers of at most "
        f"{DIGITS:,} digits, lists, dicts with text keys), so that a plan can be kept as text, and "
        "build the rest from `world.data` in the scenario."
    )
