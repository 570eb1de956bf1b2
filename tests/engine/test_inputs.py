"""Inputs: what the strategies of a scenario draw, and how a plan keeps them."""

import json
from collections.abc import Callable
from enum import IntEnum
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentfuzz import Completion, History, World, invariant, run, scenario
from agentfuzz.core.errors import PlanError, ScenarioError
from agentfuzz.core.plan import FaultPlan, canonical
from agentfuzz.engine import inputs
from agentfuzz.engine.inputs import drawn, examples_of, shrunk, simplest
from agentfuzz.engine.simulation import Simulation
from agentfuzz.world.injector import FromPlan

ORDERS = {
    "order": st.text("123", min_size=1, max_size=3),
    "items": st.lists(st.tuples(st.integers(1, 9), st.sampled_from("ab")), min_size=1, max_size=3),
}


@scenario(
    task=lambda data: f"Ship {data['order']}.",
    script=lambda data: [("ship", {"order": data["order"]}), "Done."],
    given=ORDERS,
)
def shop(world: World) -> None:
    world.state["stock"] = len(world.data["items"])

    @world.tool(effect="shipment", scope=("order",))
    def ship(order: str) -> int:
        world.state["stock"] -= 1
        return int(world.state["stock"])


def agent(world: World) -> Completion:
    world.tools.ship(order=world.data["order"])
    return Completion.success(detail=world.task)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.dictionaries(st.from_regex(r"[a-z_]\w{0,8}", fullmatch=True), json_values, max_size=3))
def test_a_plan_reads_back_with_whatever_it_is_given(inputs: dict[str, Any]) -> None:
    """Any inputs, beside a fault, survive their text form."""
    for faults in ("", "pay#1:lost/timeout"):
        plan = FaultPlan.parse(faults).over(canonical(inputs) if inputs else "")
        again = FaultPlan.parse(str(plan))
        assert (again, str(again)) == (plan, str(plan))
        assert again.inputs == json.loads(json.dumps(inputs))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("given:x=", "cannot read the input x"),
        ("given:x=NaN", "cannot read the input x"),
        ("given:x=1 given:y=2", "cannot read what follows x"),
        ("given:x=1 + given:x=2", "the input x is given twice"),
        ("pay#1:lost + given:x={", "cannot read the input x"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, said: str) -> None:
    """The place is named, and how it is written."""
    with pytest.raises(PlanError, match=said):
        FaultPlan.parse(text)


def test_the_simplest_inputs_are_those_of_a_plain_run() -> None:
    """Task, script and tools are functions of them; the agent sees plain values."""
    plain = run(shop, agent)
    assert simplest(ORDERS) == '{"items":[[1,"a"]],"order":"1"}'
    assert plain.history.data == {"items": [[1, "a"]], "order": "1"}
    (done,) = plain.history.completions
    assert done.detail == "Ship 1."
    plain.check()


def test_a_plan_says_other_inputs() -> None:
    """What it leaves out is as in the simplest ones; the run without faults has the same."""
    other = run(shop, agent, 'given:order="33" + ship#1:once/timeout')
    assert other.history.data == {"items": [[1, "a"]], "order": "33"}
    assert [str(one) for one in other.baseline.intents] == ["shipment(order='33')"]
    assert 'order = "33"' in str(other)
    with pytest.raises(PlanError, match="gives ordr; the scenario shop is given order, items"):
        run(shop, agent, 'given:ordr="33"')
    bare = scenario()(lambda world: None)
    with pytest.raises(PlanError, match="is given nothing"):
        run(bare, agent, "given:x=1")


def test_whoever_changes_the_data_changes_a_copy() -> None:
    """The next leg, and the next run, have what was given."""
    seen = []

    def greedy(world: World) -> Completion:
        seen.append(list(world.data["items"]))
        world.data["items"].clear()
        return Completion.success()

    @scenario(given=ORDERS, follow_ups=["And now?"])
    def two_legs(world: World) -> None:
        """Nothing to call."""

    run(two_legs, greedy)
    run(two_legs, greedy)
    assert seen == [[[1, "a"]]] * 4


def test_one_seed_draws_the_same() -> None:
    """Each once, without the simplest; another seed draws others."""
    found = drawn(ORDERS, 20, 0)
    assert found == drawn(ORDERS, 20, 0) != drawn(ORDERS, 20, 1)
    assert len(set(found)) == len(found) == 20
    assert simplest(ORDERS) not in found


def test_drawing_ends_when_it_is_late() -> None:
    """Even where a filter takes nothing more; what was drawn is what is drawn first."""
    asked: list[int] = []

    def late() -> bool:
        asked.append(1)
        return len(asked) > 12

    whole = drawn(ORDERS, 20, 0)
    found = drawn(ORDERS, 20, 0, late)
    assert 0 < len(found) < len(whole)
    assert found == whole[: len(found)]
    assert len(asked) == 13
    rare = {"n": st.integers(0, 10**6).filter(lambda n: n % 9973 == 1)}
    asked.clear()
    assert drawn(rare, 20, 0, late) == []
    assert len(asked) == 13


def test_the_first_that_fails_is_met_again() -> None:
    """What the search drew is what is shrunk, and nothing before it is asked twice."""
    found = drawn(ORDERS, 20, 0)
    first = next(one for one in found if len(json.loads(one)["items"]) > 1)
    asked: list[str] = []

    def fails(inputs: str) -> bool:
        asked.append(inputs)
        return first in asked and len(json.loads(inputs)["items"]) > 1

    small = shrunk(ORDERS, fails, seed=0, examples=examples_of(20))
    before = [one for one in asked[: asked.index(first)] if one != simplest(ORDERS)]
    assert before == found[: found.index(first)]
    assert small == '{"items":[[1,"a"],[1,"a"]],"order":"1"}'
    assert len(asked) == len(set(asked))
    assert shrunk(ORDERS, lambda inputs: False, seed=0, examples=20) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (st.text(), r"given=text\(\) is no dict; write each strategy with its name"),
        ({"x": 3}, "is no Hypothesis strategy"),
        ({"a b": st.text()}, "is no name"),
        ({"\u2118": st.text()}, "is no name; write a Python identifier of letters, digits and _"),
        ({"x": st.decimals(0, 1)}, "draw plain values"),
        ({"x": st.just(float("inf"))}, "finite"),
        ({"x": st.dictionaries(st.integers(), st.text(), min_size=1)}, "text keys"),
        ({"x": st.nothing()}, "nothing, or too little, is drawn"),
        ({"x": st.integers().map(lambda n: n // 0)}, "it raises ZeroDivisionError: .*world.data"),
        ({"x": st.integers(min_value=10**5000)}, "at most 4,000 digits"),
        ({"x": st.sampled_from(IntEnum("Kind", "A"))}, r"draws <Kind.A: 1> \(Kind\); draw plain"),
        ({"x": st.just(10**5000)}, "at most 4,000 digits"),
        ({"x": st.integers().filter(lambda one: False)}, "nothing, or too little, is drawn"),
    ],
)
def test_what_is_no_strategy_for_plain_values(given: Any, said: str) -> None:
    """Named, with the cure, when the scenario is declared or first run."""
    with pytest.raises(ScenarioError, match=said):
        run(scenario(given=given)(lambda world: None), lambda world: Completion.success())


def test_what_cannot_be_drawn_is_left_out() -> None:
    """The rest is drawn all the same, and the first reason is told."""
    wrong: list[Exception] = []
    strategies = {"x": st.sampled_from([0, 1, 2, float("inf"), float("nan")])}
    assert sorted(drawn(strategies, 20, 0, wrong=wrong)) == ['{"x":1}', '{"x":2}']
    (only,) = wrong
    assert "draw plain values" in str(only)


def test_large_inputs_are_not_made_simpler() -> None:
    """What Hypothesis makes of what is simplest of each kind is drawn once, and not shrunk: no more
    is drawn of a hundred long texts than of one."""
    draws: list[int] = []

    @st.composite
    def counted(draw: Any) -> list[str]:
        draws.append(1)
        return list(draw(st.lists(st.text(min_size=9), min_size=100, max_size=100)))

    assert json.loads(simplest({"x": counted()})) == {"x": ["0" * 9] * 100}
    assert len(draws) < 5


def test_fewer_large_inputs_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what takes long to draw a few are enough; they are those that come first."""
    monkeypatch.setattr(inputs, "WRITTEN", 2_000)
    whole = drawn(ORDERS, 200, 0)
    large = {**ORDERS, "x": st.just("x" * 200)}
    found = drawn(large, 200, 0)
    assert 5 < len(found) < 10 < len(whole)
    assert found == drawn(large, 300, 0)
    assert len(drawn({**ORDERS, "x": st.just("x" * 2_000)}, 200, 0)) == 5


def test_a_law_that_changes_the_data_changes_its_own() -> None:
    """The next run is given what was given to this one."""
    seen = []

    @invariant
    def clears(history: History) -> str:
        history.data["items"].clear()
        return ""

    story = scenario(clears, given=ORDERS)(lambda world: None)

    def looking(world: World) -> Completion:
        seen.append(len(world.data["items"]))
        return Completion.success()

    with Simulation() as simulation:
        given = story.of()
        for _ in range(2):
            given.judge(simulation.execute(given, looking, FromPlan()))
    assert seen == [1, 1]


def divided(data: Any) -> Any:
    return 1 // 0


def spins(data: Any) -> Any:
    while True:
        pass


def left(data: Any) -> Any:
    raise SystemExit(3)


OF_DATA = [
    (divided, "raised ZeroDivisionError: integer division or modulo by zero, with given:n=0"),
    (left, "raised SystemExit: 3, with given:n=0"),
    (lambda data: None, "returned None, with given:n=0"),
    (lambda data: 3, "'shop', with given:n=0: "),
    (lambda data: [str(next(COUNTER))], "says something else when it is asked again, with given"),
]
COUNTER = count()


@pytest.mark.parametrize("option", ["task", "tasks", "script", "scripts"])
@pytest.mark.parametrize(("write", "said"), OF_DATA)
def test_a_function_of_the_data_that_is_wrong(option: str, write: Any, said: str) -> None:
    """The scenario, the option and the inputs are named, and where it came from."""
    if option == "task" and "again" in said:
        write = partial(lambda write, data: write(data)[0], write)
    if option == "scripts" and "again" in said:
        write = partial(lambda write, data: [write(data)], write)

    @scenario(given={"n": st.integers(0, 9)}, **{option: write})
    def shop(world: World) -> None:
        """Nothing to call."""

    with pytest.raises(ScenarioError) as raised:
        run(shop, agent)
    told = str(raised.value)
    assert said in told
    assert "scenario 'shop'" in told
    assert f"{option}=" in told
    if write is divided:
        assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_a_function_of_the_data_that_never_ends() -> None:
    """It is cut off, as a scenario is."""
    story = scenario(given={"n": st.integers(0, 9)}, task=spins)(lambda world: None)
    with (
        Simulation(run_timeout=0.02) as simulation,
        pytest.raises(ScenarioError, match=r"task= of scenario .* never ends: .* with given:n=0"),
    ):
        run(story, agent, simulation=simulation)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"follow_ups": lambda data: ["And?"]}, "follow_ups=.*It is no function of the data"),
        ({"follow_ups": [3]}, r"follow_ups=\[3\]: write a list of texts"),
        ({"faults": 3}, "faults=3: write a list of texts"),
        ({"max_crossings": lambda data: 3}, "max_crossings=.* is no number"),
    ],
)
def test_what_is_no_function_of_the_data(words: dict[str, Any], said: str) -> None:
    """Named where it is written."""
    with pytest.raises(ScenarioError, match=said):
        scenario(given=ORDERS, **words)


@pytest.mark.parametrize("words", [{"task": lambda data: ""}, {"script": lambda data: []}])
def test_a_function_of_no_data(words: dict[str, Callable[..., Any]]) -> None:
    """Somebody forgot `given=`."""
    with pytest.raises(ScenarioError, match="is a function of its data, and there is none"):
        scenario(**words)
