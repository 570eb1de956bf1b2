"""One run leaves nothing to the next: the same randomness every time, and its surroundings back."""

import os
import random
import secrets
import signal
import sys
import tempfile
import uuid
from contextvars import ContextVar

import pytest

from agentfuzz import Completion, at_most_once, run, scenario
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.parting import parting
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import leaks
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.world.injector import FromPlan


@scenario()
def anywhere(world):
    @world.tool
    def look(): ...


def draws(world):
    """What a careless loop mints its keys from."""
    return [
        random.random(),
        random.randrange(10**9),
        str(uuid.uuid4()),
        os.urandom(8).hex(),
        secrets.token_hex(8),
        random.SystemRandom().random(),
        secrets.choice("abcdefgh"),
        random.Random(7).random(),
    ]


def test_every_run_draws_the_same(play):
    """random, uuid4, os.urandom and secrets begin anew; within a run they go on."""
    first, second = (play(anywhere, draws).history.ended.value for _ in range(2))
    assert first == second
    assert play(anywhere, lambda world: draws(world) == draws(world)).history.ended.value is False


WORD = 32  # bits; the generator makes 624 of them at a time


@pytest.mark.parametrize(
    "draw",
    [
        random.random,
        lambda: random.getrandbits(1),
        lambda: random.getrandbits(624 * WORD),
        lambda: random.seed(5),
        lambda: random.setstate(random.Random(5).getstate()),
        lambda: None,
    ],
    ids=["random", "bit", "all", "seed", "setstate", "nothing"],
)
def test_whatever_was_drawn_the_next_run_begins_anew(play, draw):
    """Also where as many words were drawn as there are, and where the agent seeds for itself."""
    seen = []

    def agent(world):
        seen.append(random.getstate()[1])
        draw()

    for _ in range(3):
        play(anywhere, agent)
    random.random()  # between two runs
    play(anywhere, agent)
    assert len(seen) == 4
    assert len(set(seen)) == 1


def test_another_simulation_draws_the_same():
    """A replay elsewhere gets the same keys."""
    assert run(anywhere, draws).history.ended.value == run(anywhere, draws).history.ended.value


def test_randomness_is_given_back():
    """The test's own random sequence goes on where it was; entropy is entropy again."""
    random.seed(7)
    expected = [random.random(), random.random()]
    random.seed(7)
    found = [random.random()]
    run(anywhere, draws)
    found.append(random.random())
    assert found == expected
    assert uuid.uuid4() != uuid.uuid4()
    assert os.urandom is random._urandom


def surroundings():
    return {
        "environ": dict(os.environ),
        "cwd": os.getcwd(),
        "streams": (sys.stdout, sys.stderr, sys.stdin),
        "depth": sys.getrecursionlimit(),
        "signals": [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)],
    }


def changes_everything(world):
    os.environ["AGENT_STATE"] = "kept"
    del os.environ["PATH"]
    os.chdir(tempfile.gettempdir())
    sys.stdout = sys.stderr = sys.stdin = None
    sys.setrecursionlimit(sys.getrecursionlimit() + 500)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def changes_and_raises(world):
    changes_everything(world)
    raise ValueError


def changes_and_exits(world):
    changes_everything(world)
    raise SystemExit


@pytest.mark.parametrize("agent", [changes_everything, changes_and_raises, changes_and_exits])
def test_the_surroundings_are_put_back(play, agent):
    """Environment, directory, streams, recursion limit and signal handlers, however it ended."""
    before = surroundings()
    play(anywhere, agent)
    assert surroundings() == before


CALLER = ContextVar("caller", default="nobody")


def asks_once(world):
    """Remembers in a context variable who calls; the first time it has to look."""
    if CALLER.get() == "nobody":
        world.tools.look()
        CALLER.set("Ada")
    return Completion.success(handle=CALLER.get())


async def asks_in_a_task(world):
    return asks_once(world)


@pytest.mark.parametrize("agent", [asks_once, asks_in_a_task])
def test_a_context_variable_ends_with_its_leg(play, agent):
    """As that of a task does: no run knows what another one has set, nor does the test."""
    first, second = (play(anywhere, agent).history for _ in range(2))
    assert parting(first, second) is None
    assert CALLER.get() == "nobody"
    assert not searched(agent).findings


def test_a_context_variable_of_the_test_is_seen(play):
    token = CALLER.set("the test")
    assert play(anywhere, asks_once).history.ended.value["handle"] == "the test"
    CALLER.reset(token)


def test_a_directory_that_the_run_removed(play, tmp_path, monkeypatch):
    """A run may end in a directory that is gone."""
    monkeypatch.chdir(tmp_path)

    def agent(world):
        os.mkdir("inner")
        os.chdir("inner")
        os.rmdir("../inner")

    assert play(anywhere, agent).history.ended.how == "returned"
    assert os.getcwd() == str(tmp_path)


def test_a_scenario_that_fails_to_build(play):
    """Its changes are put back as well, and its error is its own."""

    @scenario()
    def broken(world):
        os.environ["SCENARIO_STATE"] = "kept"
        world.tool(effect="a", scope=("nothing",))(lambda: 0)

    with pytest.raises(ScenarioError, match="scope names 'nothing'"):
        play(broken, draws)
    assert "SCENARIO_STATE" not in os.environ


# What a process keeps of its runs


@scenario(at_most_once("note"), max_crossings=20)
def polled(world):
    @world.tool
    def look(): ...

    @world.tool(effect="note", dedup="scope")
    def note(): ...


def registered(keep):
    """A framework that gives each run an id and lets no id in twice; a run that is cut off, or
    fails, never gives its own back."""
    running = set()

    def agent(world):
        me = uuid.uuid4().hex
        if me in running:
            raise RuntimeError(f"run {me} already exists")
        running.add(me)
        world.tools.note()
        world.tools.look()
        if not keep:
            running.remove(me)
        return "done"

    return agent


def searched(agent):
    with Simulation() as simulation:
        budget = Budget(depth=1, deep_runs=20, max_seconds=600.0)
        campaign = Campaign(polled, agent, simulation, budget=budget)
        campaign.search()
        return campaign.result()


def test_ids_that_a_run_never_gave_back_are_not_drawn_again():
    """Its registry refuses no later run, which is told by name; the campaign goes on."""
    leaks.taken()
    result = searched(registered(keep=False))
    assert result.findings == ()
    assert result.escapes == (
        "AF905 escapes control: kept in this process: the ids of a run that did not end are "
        "refused to the next",
    )


def test_an_agent_that_fails_by_what_it_keeps_itself_is_left_as_it_is():
    """Other ids do not mend it, nor is it the ids where the same ones do: it fails."""
    calls = []

    def every_third(world):
        calls.append(world)
        if len(calls) % 3 == 0:
            raise RuntimeError("my own doing")
        return "done"

    leaks.taken()
    with Simulation() as simulation:
        hows = [simulation.execute(polled, every_third, FromPlan()).ended.how for _ in range(3)]
    assert hows == ["returned", "returned", "raised"]
    assert leaks.taken() == []
