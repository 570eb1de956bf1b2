"""What is said to be unreached was never entered, and what was entered is not said."""

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentfuzz import Completion, World, at_most_once, scenario
from agentfuzz.archive.transport import from_json, to_json
from agentfuzz.core.codec import dump
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.paths import Nearest, Paths, Unreached, together
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.paths import watch as watches
from agentfuzz.runtime.paths.watch import Watch, watching
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space

from . import paths_agents as agents

HERE = Path(__file__).parent
SOURCE = Path(agents.__file__).read_text(encoding="utf-8").splitlines()


@scenario(at_most_once("charge"), task="Charge A17.", max_crossings=20)
def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge(order_id: str) -> dict[str, str]:
        try:
            return {"charge_id": "ch_1"}
        except agents.NeverRaisedError:  # the world's own
            return {}


def as_it_is(*given: Any) -> bool:
    """Nothing rewrites these modules but pytest the test's own."""
    return False


def watch(excluded: Callable[[str], set[int]] = lambda path: set()) -> Watch:
    return Watch(HERE, as_it_is, excluded)


def campaign(
    agent: Callable[[World], Any],
    story: Scenario = shop,
    *,
    watched: Watch | None = None,
    only: tuple[str, ...] = (),
    **budget: Any,
) -> CampaignResult:
    given = Budget(**{"max_runs": 150, "max_seconds": 600.0, "deep_runs": 20, **budget})
    with watching(watched or watch()), Simulation() as simulation:
        one = Campaign(story, agent, simulation, budget=given, root=HERE, space=Space(only=only))
        one.search()
        return one.result()


def lines(result: CampaignResult) -> list[int]:
    assert result.paths is not None
    return [one.line for one in result.paths.unreached if one.file == "paths_agents.py"]


class Entered:
    """The lines that some functions truly execute: a trace, far too slow for anybody's use."""

    def __init__(self) -> None:
        self.lines: set[int] = set()

    def agent(self, agent: Callable[[World], Any]) -> Callable[[World], Any]:
        def local(frame: Any, event: str, arg: Any) -> Any:
            if event == "line":
                self.lines.add(frame.f_lineno)
            return local

        def trace(frame: Any, event: str, arg: Any) -> Any:
            return local if frame.f_code.co_filename == agents.__file__ else None

        def traced(world: World) -> Any:
            sys.settrace(trace)
            try:
                return agent(world)
            finally:
                sys.settrace(None)

        traced.__wrapped__ = agent  # type: ignore[attr-defined]
        return traced


AGENTS = (
    *(agents.plain, agents.asynchronous, agents.classy, agents.threaded, agents.decorated),
    *(agents.attempts, agents.unneeded_attempts, agents.gives_up, agents.once_only),
    *(agents.items, agents.of_one_line, agents.generating),
)


def never(agent: Callable[..., Any]) -> list[int]:
    """The lines of a shape that say of themselves that nothing comes there."""
    called = {agents.classy: (agents.Clerk,), agents.decorated: (agents.careful,)}
    found = []
    for one in (agent, *called.get(agent, ())):
        function = getattr(one, "__wrapped__", one)
        while hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        first = _first_line(function)
        last = next(
            (n for n in range(first, len(SOURCE)) if SOURCE[n].startswith(TOP)), len(SOURCE)
        )
        found += [n + 1 for n in range(first, last) if SOURCE[n].endswith("# never")]
    return sorted(found)


TOP = ("def ", "async def ", "class ", "@")


def _first_line(one: Any) -> int:
    name = one.__name__
    return next(
        n + 1
        for n, line in enumerate(SOURCE)
        if line.startswith((f"def {name}(", f"async def {name}(", f"class {name}:"))
    )


@pytest.mark.parametrize("agent", AGENTS, ids=lambda one: one.__name__)
def test_what_no_plan_enters_is_named_and_nothing_else(agent: Callable[..., Any]) -> None:
    """Sync, async, a class, threads, decorators, attempts of libraries, one-liners, generators."""
    assert lines(campaign(agent)) == never(agent)


@pytest.mark.parametrize(
    "agent", [agents.plain, agents.classy, agents.gives_up], ids=lambda one: one.__name__
)
def test_what_is_named_was_never_executed(agent: Callable[..., Any]) -> None:
    """Against a trace of every line of every run."""
    seen = Entered()
    result = campaign(seen.agent(agent))
    assert result.paths is not None
    assert result.paths.reached
    for line in lines(result):
        if not SOURCE[line - 1].strip().startswith(("for ", "while ")):  # entered, but once
            assert not {line + 1, line} & seen.lines - {line if ":" in SOURCE[line - 1] else 0}
    reached = [key.split(":")[1] for key in result.paths.reached if key.startswith("paths_agents")]
    assert {int(text.split()[0]) for text in reached} <= seen.lines


def test_a_handler_is_reached_as_soon_as_its_fault_is_tried() -> None:
    """The same agent under other faults: what is said follows what was done."""
    with_timeouts = campaign(agents.gives_up, only=("timeout",))
    without = campaign(agents.gives_up, only=("wrong",))
    assert lines(with_timeouts) == []
    unreached = [SOURCE[line - 1].strip() for line in lines(without)]
    assert unreached == [
        "for _ in range(2):",
        "except (TimeoutError, ConnectionError):",
        "return BLOCKED",
    ]


def test_the_nearest_faults_are_those_that_struck_in_a_call_from_the_try() -> None:
    """A handler around one tool is not told of faults of another."""

    @scenario(at_most_once("charge"), task="Charge A17.")
    def two(world: World) -> None:
        world.tool(lambda page: "ok", name="read")

        @world.tool(effect="charge", scope=("order_id",), dedup="scope")
        def charge(order_id: str) -> str:
            return "ok"

    def agent(world: World) -> Completion:
        try:
            world.tools.read(page=1)
        except Exception:
            return agents.BLOCKED
        try:
            world.tools.charge(order_id="A17")
        except agents.NeverRaisedError:
            return agents.BLOCKED
        except Exception:
            return agents.BLOCKED
        return Completion.success(handle="A17")

    result = campaign(agent, two, only=("once/timeout", "once/error"))
    assert result.paths is not None
    (one,) = result.paths.unreached
    assert (one.file, one.source) == ("test_reached.py", "except agents.NeverRaisedError:")
    assert one.nearest == (Nearest("charge", ("timeout", "error")),)


def test_what_could_have_struck_and_did_not_is_said() -> None:
    """The budget ended before a kind was tried there."""
    result = campaign(agents.plain, max_runs=4, only=("once/timeout", "once/rate_limited"))
    assert result.paths is not None
    (never,) = [one.nearest for one in result.paths.unreached if "Never" in one.source]
    assert never == (Nearest("charge", ("timeout",), ("rate_limited",)),)


def test_a_try_that_no_run_came_to_says_so() -> None:
    """Not entered, and so nothing was near."""

    def agent(world: World) -> Completion:
        if world.task:
            world.tools.charge(order_id="A17")
            return Completion.success(handle="ch_1")
        try:
            world.tools.charge(order_id="B2")
        except OSError:
            return agents.BLOCKED
        return agents.BLOCKED

    result = campaign(agent)
    assert result.paths is not None
    (one,) = result.paths.unreached
    assert (one.entered, one.nearest) == (False, ())


def test_what_lies_within_an_unreached_path_is_not_told_as_well() -> None:
    """The outermost says enough."""

    def agent(world: World) -> Completion:
        try:
            world.tools.charge(order_id="A17")
        except agents.NeverRaisedError as error:
            if error.args:
                return agents.BLOCKED
            return agents.BLOCKED
        return Completion.success(handle="ch_1")

    result = campaign(agent)
    assert result.paths is not None
    assert [one.source for one in result.paths.unreached] == [
        "except agents.NeverRaisedError as error:"
    ]


@pytest.mark.parametrize("memo", ["off", "on"])
@pytest.mark.parametrize("workers", [1, 2])
def test_other_processes_and_the_memo_say_the_same(memo: str, workers: int) -> None:
    """Marks travel as values with the runs; a run that is made without the agent leaves none."""
    alone = campaign(agents.classy)
    other = campaign(agents.classy, memo=memo, workers=workers)
    assert alone.paths is not None
    assert other.paths is not None
    if memo == "on":  # what came near is what real runs have met
        assert _without_nearest(other.paths) == _without_nearest(alone.paths)
    else:
        assert other.paths == alone.paths
    assert other.runs == alone.runs


def _without_nearest(paths: Paths) -> Paths:
    return replace(paths, unreached=tuple(replace(one, nearest=()) for one in paths.unreached))


def test_watching_changes_no_byte_of_a_result() -> None:
    """Verdicts, counts and findings are those of a campaign that nobody watches."""

    def told(watched: bool) -> str:
        budget = Budget(max_runs=200, max_seconds=600.0, deep_runs=50)
        with Simulation() as simulation:
            one = Campaign(shop, agents.asynchronous, simulation, budget=budget, root=HERE)
            if watched:
                with watching(watch()):
                    one._begin()
                    one.search()
                    result = one.result()
            else:
                one.search()
                result = one.result()
        assert (result.paths is None) is not watched
        return dump({**to_json(result), "paths": None, "seconds": 0.0})

    assert told(True) == told(False)


def test_every_function_has_its_own_code_again() -> None:
    """Also those that were made by others while they were watched."""
    codes = {one: one.__code__ for one in (agents.plain, agents.Clerk.work, agents.told)}
    campaign(agents.plain)
    campaign(agents.classy)
    assert all(one.__code__ is code for one, code in codes.items())
    assert watches.current() is None


def test_what_is_frozen_is_seen() -> None:
    """`gc.freeze` hides functions from a look at all that there is."""
    alone = campaign(agents.classy)
    gc.collect()
    gc.freeze()
    try:
        assert campaign(agents.classy).paths == alone.paths
    finally:
        gc.unfreeze()


def test_one_watch_serves_many_campaigns() -> None:
    """Nothing of one campaign is said in the next."""
    one = watch()
    first = campaign(agents.plain, watched=one)
    campaign(agents.classy, watched=one)
    assert campaign(agents.plain, watched=one).paths == first.paths


def test_code_that_is_not_that_of_its_source_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was changed after it had been imported: nothing is said of it, but that."""
    file = tmp_path / "changed_agent.py"
    body = "def agent(world):\n    try:\n        world.tools.charge(order_id='A17')\n{}"
    file.write_text(body.format("    except OSError:\n        return None\n"))
    monkeypatch.syspath_prepend(tmp_path)
    import changed_agent  # type: ignore[import-not-found]

    file.write_text(body.format("    except ValueError:\n        return None\n"))
    with watching(Watch(tmp_path, as_it_is, lambda path: set())), Simulation() as simulation:
        one = Campaign(shop, changed_agent.agent, simulation, budget=Budget(max_runs=20))
        one.search()
        paths = one.result().paths
    assert paths == Paths(aside=("changed_agent.py",))


def test_excluded_lines_are_nobodys_path() -> None:
    """What the user leaves out of account."""
    line = never(agents.plain)[0]
    assert lines(campaign(agents.plain, watched=watch(lambda path: {line}))) == []


def test_a_result_with_paths_travels() -> None:
    """What comes back equals what was sent."""
    result = campaign(agents.classy)
    assert from_json(to_json(result)).paths == result.paths


def test_a_session_tells_what_no_campaign_entered() -> None:
    """One has entered it: then it is reached. What came near is what came near in any of them."""
    one = Unreached(
        "a.py", 1, "except", "except A:", nearest=(Nearest("x", ("error",), ("late",)),)
    )
    other = Unreached("a.py", 1, "except", "except A:", True, (Nearest("x", ("late",)),))
    third = Unreached("a.py", 9, "finally", "x()")
    found = together([None, Paths((third.key,), (one,)), Paths((), (other, third))])
    assert found is not None
    assert found.unreached == (
        Unreached("a.py", 1, "except", "except A:", True, (Nearest("x", ("error", "late")),)),
    )
    assert found.reached == ("a.py:9 finally",)
    assert together([None]) is None


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert watches.current() is None
