"""Watching makes no finding and hides none: agents that look at their own code, and others."""

import gc
import inspect
import marshal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentfuzz import Completion, World, at_most_once, scenario
from agentfuzz.archive.shards import read
from agentfuzz.archive.transport import to_json
from agentfuzz.core.codec import dump
from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.simulation import Simulation
from agentfuzz.report.paths import lines
from agentfuzz.runtime.paths.watch import Watch, watching
from agentfuzz.search import runner
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.parts.shards import Share
from tests.extent import some

HERE = Path(__file__).parent
BLOCKED = Completion.blocked(reason="outcome_unknown")


@scenario(at_most_once("charge"), task="Charge A17.", max_crossings=40)
def shop(world: World) -> None:
    world.tool(lambda text: "ok", name="note")

    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> dict[str, str]:
        return {"charge_id": "ch_1"}


def charge(world: World) -> Completion:
    for attempt in range(2):
        try:
            reply = world.tools.charge(order_id="A17")
            return Completion.success(handle=str(reply["charge_id"]))
        except BlockingIOError:
            return BLOCKED
        except Exception:
            if attempt < 0:
                return BLOCKED
            return BLOCKED
    return BLOCKED


def traces(world: World) -> Completion:
    """Its own tracer, as a debugger has one: every frame and line."""
    seen = 0

    def trace(frame: Any, event: str, arg: Any) -> Any:
        nonlocal seen
        seen += frame.f_code.co_filename == __file__ or "marks" in frame.f_code.co_filename
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        found = charge(world)
    finally:
        sys.settrace(before)
    world.tools.note(text=str(seen))
    return found


def profiles(world: World) -> Completion:
    """As cProfile does: calls, those of functions in C as well."""
    seen = 0

    def profile(frame: Any, event: str, arg: Any) -> None:
        nonlocal seen
        seen += frame.f_code.co_filename == __file__ or "marks" in frame.f_code.co_filename

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        found = charge(world)
    finally:
        sys.setprofile(before)
    world.tools.note(text=str(seen))
    return found


def marshals(world: World) -> Completion:
    """As what sends functions elsewhere does."""
    world.tools.note(text=str(len(marshal.dumps(charge.__code__))))
    return charge(world)


def hashes(world: World) -> Completion:
    """As what keys a cache by a code does."""
    code = charge.__code__
    world.tools.note(text=f"{hash(code.co_code)} {len(code.co_consts)} {code.co_stacksize}")
    return charge(world)


def collects(world: World) -> Completion:
    """Who holds what its functions are made of."""
    held = [one for one in gc.get_referents(charge.__code__) if type(one) is not str]
    world.tools.note(text=str(len(gc.get_referents(*held))))
    return charge(world)


def counts(world: World) -> Completion:
    """How deep it can go: as deep as the harness lets it, which is no doing of who watches."""
    room = sys.getrecursionlimit() - len(inspect.stack(0))

    def deeper(depth: int) -> int:
        try:
            return deeper(depth + 1)
        except RecursionError:
            return depth

    world.tools.note(text=str(room - deeper(0)))
    return charge(world)


def frames(world: World) -> Completion:
    """Where its own frames are."""
    try:
        frame = sys._getframe()
        world.tools.note(text=f"{frame.f_lasti} {len(frame.f_code.co_code)}")
    except BlockingIOError:
        return BLOCKED
    return charge(world)


def in_trouble(world: World) -> Completion:
    """It looks only where a call failed."""
    try:
        reply = world.tools.charge(order_id="A17")
        return Completion.success(handle=str(reply["charge_id"]))
    except Exception:
        world.tools.note(text=str(len(in_trouble.__code__.co_consts)))
        return BLOCKED


_OWN = len(in_trouble.__code__.co_code)


def charges_twice(world: World) -> Completion:
    """What it finds under its own feet makes it break a law, where a call failed."""
    try:
        reply = world.tools.charge(order_id="A17")
        return Completion.success(handle=str(reply["charge_id"]))
    except Exception:
        if charges_twice.__code__ is not KNOWN["charges_twice"]:
            world.tools.charge(order_id="A17")
        return BLOCKED


def charges_once(world: World) -> Completion:
    """What breaks a law, but where it finds something under its own feet."""
    try:
        reply = world.tools.charge(order_id="A17")
        return Completion.success(handle=str(reply["charge_id"]))
    except Exception:
        if charges_once.__code__ is KNOWN["charges_once"]:
            world.tools.charge(order_id="A17")
        return BLOCKED


KNOWN = {"charges_twice": charges_twice.__code__, "charges_once": charges_once.__code__}
LOOKING = (
    *(traces, profiles, marshals, hashes, collects, counts, frames),
    *(in_trouble, charges_twice, charges_once),
)
STATE: list[int] = []


def drifts(world: World) -> Completion:
    """No run is like the one before."""
    STATE.append(1)
    world.tools.note(text=str(len(STATE)))
    return charge(world)


def warms_up(world: World) -> Completion:
    """Its first run fills a cache."""
    if not STATE:
        world.tools.note(text="cold")
        STATE.append(1)
    return charge(world)


def alternates(world: World) -> Completion:
    """Every other run is the same."""
    STATE.append(1)
    if len(STATE) % 2:
        world.tools.note(text="odd")
    return charge(world)


def learns(world: World) -> Completion:
    """A failure is remembered."""
    if STATE:
        world.tools.note(text="once bitten")
    try:
        reply = world.tools.charge(order_id="A17")
        return Completion.success(handle=str(reply["charge_id"]))
    except ConnectionError:
        STATE.append(1)
        return BLOCKED
    except Exception:
        return BLOCKED


def tires(world: World) -> Completion:
    """From its third run on it is another."""
    STATE.append(1)
    if len(STATE) > 2:
        world.tools.note(text="tired")
    return charge(world)


UNSTEADY = (drifts, warms_up, alternates, learns, tires)


def campaign(
    agent: Callable[[World], Any], *, watched: bool = True, **budget: Any
) -> CampaignResult:
    STATE.clear()
    given = Budget(**{"max_runs": 400, "max_seconds": 600.0, "deep_runs": 20, **budget})
    watch = Watch(HERE, lambda *given: False, lambda path: set())
    with Simulation() as simulation:
        if not watched:
            one = Campaign(shop, agent, simulation, budget=given, root=HERE)
            one.search()
            return one.result()
        with watching(watch):
            one = Campaign(shop, agent, simulation, budget=given, root=HERE)
            one.search()
            return one.result()


def told(result: CampaignResult) -> str:
    """All but what is said of error paths."""
    notes = tuple(note for note in result.notes if "error paths" not in note)
    return dump({**to_json(replace(result, notes=notes)), "paths": None, "seconds": 0.0})


@pytest.mark.parametrize("agent", some(LOOKING, 5), ids=lambda one: one.__name__)
def test_an_agent_that_looks_at_itself_has_the_result_that_it_had(agent: Any) -> None:
    """To the byte; either nothing of it was seen, or it was watched no more."""
    bare, watched = campaign(agent, watched=False), campaign(agent)
    assert told(watched) == told(bare)
    assert watched.paths is not None
    assert bool(watched.paths.blind) is bool([n for n in watched.notes if "error paths" in n])


@pytest.mark.parametrize("agent", UNSTEADY, ids=lambda one: one.__name__)
def test_an_agent_that_is_not_the_same_twice_is_told_so(agent: Any) -> None:
    """Watched or not: it is no doing of who watches."""
    bare, watched = campaign(agent, watched=False), campaign(agent)
    codes = [one.code for one in bare.findings]
    assert "AF904" in codes
    assert [one.code for one in watched.findings] == codes
    assert watched.paths is not None
    assert not watched.paths.blind


def test_what_is_seen_is_said_and_what_is_not_is_still_watched() -> None:
    """A line of the campaign, and of the session."""
    seen = campaign(in_trouble)
    assert any(note.startswith("begun anew, error paths unwatched: ") for note in seen.notes)
    assert lines([seen])[1:] == [
        "error paths of shop are not known: its agent comes out otherwise while they are watched"
    ]
    at_once = campaign(marshals)
    assert any(note.startswith("its error paths were not watched: ") for note in at_once.notes)
    plain = campaign(charge)
    assert plain.paths is not None
    assert not plain.paths.blind
    assert {one.source for one in plain.paths.unreached} >= {"except BlockingIOError:"}


def test_a_shard_that_was_begun_anew_is_whole(tmp_path: Path) -> None:
    """Nothing of what was watched is in its file, and no half of a file is left."""
    share = Share(tmp_path, "shop", 1, 2)
    with watching(Watch(HERE, lambda *given: False, lambda path: set())):
        with Simulation() as simulation:
            budget = Budget(400, 600.0, deep_runs=20)
            one = Campaign(
                shop, in_trouble, simulation, budget=budget, nodeid="shop", dealing=share
            )
            one.search()
            assert one.result().paths is None
    share.close()
    (path,) = tmp_path.iterdir()
    assert read(path).marks is None


def test_processes_that_are_forked_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their runs are watched as well: what differs there is found out here."""
    monkeypatch.setattr(runner, "safe", lambda: True)  # a worker of xdist has threads
    for agent in (in_trouble, marshals, charges_twice):
        bare, watched = campaign(agent, watched=False), campaign(agent, workers=2)
        assert told(watched) == told(bare)
        assert watched.paths is not None
        assert watched.paths.blind
