"""What a campaign says that it covered: laws, kinds, tools, and what never came into play."""

from collections.abc import Callable
from typing import Any

from agentfuzz import (
    Completion,
    History,
    World,
    at_most_once,
    no_effect_after_completion,
    same_key_on_retry,
    scenario,
    structured_termination,
    truthful,
)
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.covered import coverage
from agentfuzz.search.space import Space

from .support import hunt
from .test_deep import BLOCKED, acting, careful


def nothing(world: World) -> Completion:
    return BLOCKED


@scenario(at_most_once("pay"), task="Look, then pay.")
def looks_up(world: World) -> None:
    @world.tool
    def look(n: int) -> dict[str, int]:
        return {"n": n}

    @world.tool(effect="pay", scope=("n",), dedup="scope")
    def pay(n: int) -> dict[str, int]:
        return {"receipt": n}


def twice(world: World) -> Completion:
    """Looks again after an error, so that its calls are others from run to run."""
    for tool in (world.tools.look, world.tools.pay):
        for _ in range(2):
            try:
                tool(n=1)
                break
            except Exception:
                continue
        else:
            return BLOCKED
    return Completion.success(handle="h")


def test_every_run_is_counted_once_for_every_law() -> None:
    """The first fault-free run is the oracle of the others; runs that only look where a plan
    leads, and those that shrink and control, are not evidence a second time."""
    with Simulation() as simulation:
        result = hunt(acting, careful, simulation, deep_runs=10)
    judged = 1 + sum(level.done for level in result.levels)
    for count in result.laws.values():
        assert count.held + count.violated + count.not_exercised == judged
    assert set(result.laws) == {law.name for law in acting.invariants}


def test_kinds_are_counted_by_what_struck() -> None:
    space = Space(only=("timeout",), exclude=("late",))
    with Simulation() as simulation:
        one = hunt(acting, careful, simulation, space=space, depth=1, deep_runs=0)
        two = hunt(acting, careful, simulation, space=space, depth=2, deep_runs=0)
    # Two calls: each kind at each of them, and what may last at both. Then at the first call with
    # each kind at the second, but a second delivery that the backend recognised leads nowhere new.
    assert one.kinds == {"once/timeout": 2 + 2, "lost/timeout": 2 + 2, "twice/timeout": 2}
    assert two.kinds == {
        "once/timeout": 2 + 2 + 3 + 2,
        "lost/timeout": 2 + 2 + 3 + 2,
        "twice/timeout": 2 + 0 + 2,
    }
    assert two.struck == sum(two.kinds.values())


def test_tools_are_counted_by_their_calls() -> None:
    space = Space(only=("lost/timeout",))
    with Simulation() as simulation:
        result = hunt(acting, careful, simulation, space=space, deep_runs=0)
    judged = 1 + 2 + 1 + 1  # clean, each call, both in a row, both as a pair
    assert result.tools == {"act": 2 * judged}


def test_ways_of_calling_are_counted_whenever_there_are_many(monkeypatch) -> None:
    """The same numbers, in the same order."""
    counted = []
    for most in (coverage.MOST, 0):
        monkeypatch.setattr(coverage, "MOST", most)
        with Simulation() as simulation:
            counted.append([*hunt(looks_up, twice, simulation, deep_runs=0).tools.items()])
    assert counted[0] == counted[1]
    assert [name for name, _ in counted[0]] == ["look", "pay"]


def test_an_agent_that_calls_nothing_is_not_tested() -> None:
    with Simulation() as simulation:
        result = hunt(acting, nothing, simulation)
    assert result.untested == ("AF801 nothing was tested: the agent called nothing",)
    assert result.struck == 0
    assert result.findings == ()


def test_a_space_without_faults_tests_nothing() -> None:
    space = Space(exclude=("once", "lost", "twice", "late"))
    with Simulation() as simulation:
        result = hunt(acting, careful, simulation, space=space)
    assert result.untested == ("AF801 nothing was tested: no fault could strike",)


def test_a_budget_that_ended_first_is_blamed(simulation):
    """A fault could have struck; there was no run left to try one."""
    result = hunt(acting, careful, simulation, max_runs=2)
    assert result.untested == (
        "AF801 nothing was tested: the budget (max_runs) ended before a fault could strike",
    )


def test_a_tool_that_is_never_called_is_named() -> None:
    @scenario(at_most_once())
    def three_tools(world: World) -> None:
        for name in ("act", "idle", "spare"):
            declare(world, name)

    def declare(world: World, name: str) -> None:
        @world.tool(effect=name, scope=("what",), dedup="scope", name=name)
        def tool(what: str) -> dict:
            return {"ok": True}

    with Simulation() as simulation:
        result = hunt(three_tools, careful, simulation)
    assert [text for text in result.untested if text.startswith("AF804")] == [
        "AF804 idle was never called",
        "AF804 spare was never called",
    ]


def test_a_law_that_never_came_into_play_is_named() -> None:
    @scenario(at_most_once(), same_key_on_retry(), no_effect_after_completion(), truthful())
    def without_keys(world: World) -> None:
        acting.build(world)

    with Simulation() as simulation:
        result = hunt(without_keys, careful, simulation)
    assert [text for text in result.untested if text.startswith("AF802")] == [
        "AF802 same_key_on_retry was never exercised",
        "AF802 no_effect_after_completion was never exercised",
        "AF802 truthful was never exercised",
    ]
    assert result.laws["at_most_once"].held > 0


def test_a_kind_that_could_strike_and_never_did_is_named() -> None:
    """The budget ends before the last kinds are tried."""
    with Simulation() as simulation:
        result = hunt(acting, careful, simulation, max_runs=10)
    never = [kind for kind, count in result.kinds.items() if not count]
    assert never
    (line,) = (text for text in result.untested if text.startswith("AF803 never struck: "))
    named, _, why = line.removeprefix("AF803 never struck: ").partition(" (")
    assert sorted(named.split(", ")) == never
    assert why == "the budget (max_runs) ended before)"
    assert {kind for kind, count in result.kinds.items() if count} == {
        *("once/timeout", "once/error", "twice", "once/rate_limited"),
    }


def test_a_whole_campaign_names_nothing_that_came_into_play() -> None:
    with Simulation() as simulation:
        result = hunt(acting, careful, simulation)
    assert all(result.kinds.values())
    (law,) = result.untested
    assert law.startswith("AF802 truthful("), "the loop never claims success"


def test_the_name_of_a_law_is_the_same_in_every_process() -> None:
    def delivered(history: History) -> bool:
        return True

    assert truthful(postcondition=delivered).name == "truthful(postcondition=delivered)"
    assert truthful(postcondition=lambda h: True).name == "truthful(postcondition=<lambda>)"
    statuses = {"success", "partial", "blocked"}
    named = structured_termination(handle_for=statuses).name
    assert named == "structured_termination(handle_for=['blocked', 'partial', 'success'])"
    assert "0x" not in structured_termination(handle_for=iter(statuses)).name


def test_a_clean_run_is_told_in_a_line() -> None:
    cases: list[tuple[Callable[[World], Any], str]] = [
        (careful, "clean run: 2 tool calls, 2 effects, ended blocked"),
        (nothing, "clean run: 0 tool calls, 0 effects, ended blocked"),
        (lambda world: "bye", "clean run: 0 tool calls, 0 effects, ended no completion"),
    ]
    with Simulation() as simulation:
        for agent, line in cases:
            assert hunt(acting, agent, simulation, depth=1).clean == line
