"""The frontier: what a budget left undone of a level is continued by the next session.

Law: several sessions run every plan of the level once before any twice; each tells as covered what
it ran itself; where something has changed, the level begins anew.
"""

import json
import os

import pytest

from agentfuzz import Completion, at_most_once, scenario
from agentfuzz.archive import frontier
from agentfuzz.archive.frontier import FIRST, Frontier, Place
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.parts import continued
from agentfuzz.search.parts.continued import Continued, _ordinal
from agentfuzz.search.parts.dealing import Dealing
from agentfuzz.search.phases.systematic import Level
from agentfuzz.search.space import Space

DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked()
SPACE = {"only": ("once/timeout", "once/error", "lost/timeout", "lost/error")}
LEVEL = "plans with two faults"
WAYS = ("timeout", "error", "rate_limited")


@scenario(at_most_once("pay"), task="Pay for all.")
def paying(world):
    @world.tool(effect="pay", scope=("n",), dedup="scope")
    def pay(n: int) -> dict:
        return {"receipt": n}


def payer(times):
    """Pays so many times, and goes on after an error."""

    def agent(world):
        missed = 0
        for n in range(times):
            try:
                world.tools.pay(n=n)
            except Exception:
                missed += 1
        return BLOCKED if missed else DONE

    return agent


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def session(dealing, agent=None, *, phase=LEVEL, words=SPACE, stop=None, kill=None, **given):
    """One session: its result, and the plans that it ran in a phase: those of the level. Somebody
    may stop it after so many of them, or kill it in the midst of the next one."""
    budget = Budget(**{"max_runs": 130, "max_seconds": 600.0, "deep_runs": 0, **given})
    ran, named = [], phase
    with Simulation() as simulation:
        campaign = Campaign(
            paying,
            agent or payer(5),
            simulation,
            nodeid="t::t",
            space=Space(**words),
            budget=budget,
            dealing=dealing,
        )
        judged = campaign._levels._judged

        def noted(plan, phase):
            if phase == named:
                if len(ran) == stop:
                    raise KeyboardInterrupt
                if len(ran) == kill:
                    raise Killed
                ran.append(str(plan))
            return judged(plan, phase)

        campaign._levels._judged = noted
        if kill is not None:
            with pytest.raises(Killed):
                campaign.search()
            return None, ran
        if stop is None:
            campaign.search()
            result = campaign.result()
        else:
            with pytest.raises(KeyboardInterrupt):
                campaign.search()
            result = campaign.interrupted()
        campaign.dealing.close()
        return result, ran


def level(result):
    return next(one for one in result.levels if one.name == LEVEL)


def test_sessions_run_all_of_it(tmp_path):
    """Every plan once before any twice; then the file is gone."""
    _, whole = session(None, max_runs=10_000)
    assert len(whole) == 160
    together, sessions = [], 0
    while not sessions or list(tmp_path.glob("frontier-*.json")):
        result, ran = session(Continued(tmp_path, "t::t"))
        assert 0 < len(ran) < 80
        assert level(result).done == len(ran)
        assert level(result).total == 160
        together += ran
        sessions += 1
    assert sessions > 2
    assert sorted(together[:160]) == sorted(whole)
    assert len(set(together)) == 160
    assert level(result).limits.endswith(
        f"on; all in {sessions} sessions since its runs last changed"
    )


MANY = {"only": [f"{how}/{kind}" for how in ("once", "lost", "twice") for kind in WAYS]}


def test_a_covering_array_is_run_once_by_all_sessions(tmp_path):
    """Also one that takes more than a session has; then the level goes on in each."""
    array = {"phase": "covering array", "words": MANY}
    _, whole = session(None, **array, max_runs=10_000)
    assert len(whole) > 100
    together, paths = [], lambda: list(tmp_path.glob("frontier-*.json"))
    while len(together) < len(whole):
        _, ran = session(Continued(tmp_path, "t::t"), **array, max_runs=120)
        assert 0 < len(ran) < len(whole)
        assert paths()
        together += ran
    assert together == whole
    for _ in range(2):
        result, ran = session(Continued(tmp_path, "t::t"), words=MANY, max_runs=120)
        assert len(ran) > 10
        assert level(result).done == len(ran)
        assert not any("covering array" in one.name for one in result.levels)
    # Where what leads to it has changed, it is run again, and when all is done.
    other = session(Continued(tmp_path, "t::t"), payer(6), **array, max_runs=200)[1]
    assert other == session(None, payer(6), **array, max_runs=200)[1] != []
    session(Continued(tmp_path, "t::t"), words=MANY, max_runs=10_000)
    assert not paths()
    assert session(Continued(tmp_path, "t::t"), **array, max_runs=10_000)[1] == whole


def test_a_session_that_is_stopped_counts(tmp_path):
    """Ctrl-C, or the end of a job's time: the next one goes on where it was, in the level and in
    the covering array before it."""
    _, whole = session(None, max_runs=10_000)
    assert session(Continued(tmp_path, "t::t"), max_runs=10_000, stop=0)[1] == []
    _, first = session(Continued(tmp_path, "t::t"), max_runs=10_000, stop=7)
    _, second = session(Continued(tmp_path, "t::t"), max_runs=10_000, stop=9)
    result, third = session(Continued(tmp_path, "t::t"))
    assert first + second + third == whole[: 16 + len(third)]
    assert level(result).limits.endswith(
        f"from the 17th on; {16 + len(third)} in 3 sessions since its runs last changed"
    )
    array = {"phase": "covering array", "words": MANY, "max_runs": 10_000}
    _, rows = session(None, **array)
    _, some = session(Continued(tmp_path, "t::t"), **array, stop=11)
    assert some + session(Continued(tmp_path, "t::t"), **array)[1] == rows


@pytest.fixture
def always(monkeypatch):
    """Each place is kept."""
    monkeypatch.setattr(continued, "OFTEN", 0.0)


def test_a_session_that_is_killed_counts(tmp_path, always):
    """Its place was kept on the way, in the level and in the covering array before it; round the
    level as well, and where all is done there is none."""
    _, whole = session(None, max_runs=10_000)
    long = {"max_runs": 10_000}
    _, first = session(Continued(tmp_path, "t::t"), kill=7, **long)
    _, second = session(Continued(tmp_path, "t::t"), kill=9, **long)
    assert first + second == whole[:16]
    kept = json.loads(next(tmp_path.glob("frontier-*.json")).read_text())
    assert (kept["done"], kept["sessions"]) == (16, 2)
    session(Continued(tmp_path, "t::t"), kill=150, **long)  # has come round
    assert not list(tmp_path.glob("frontier-*.json"))
    array = {"phase": "covering array", "words": MANY, **long}
    _, rows = session(None, **array)
    _, some = session(Continued(tmp_path, "t::t"), kill=11, **array)
    assert some + session(Continued(tmp_path, "t::t"), **array)[1] == rows


def test_a_place_is_kept_once_in_some_seconds(tmp_path, monkeypatch):
    """Not at each plan, however slow the machine is."""
    monkeypatch.setattr(continued, "OFTEN", 1e9)
    session(Continued(tmp_path, "t::t"), kill=7)
    assert not list(tmp_path.glob("frontier-*.json"))


@pytest.mark.parametrize(("breaks", "beyond"), [([1, 3], False), ([1], True)], ids=["two", "one"])
def test_who_is_killed_loses_no_finding(tmp_path, always, breaks, beyond):
    """What two faults show is saved at the end: the place that is kept is not behind it. What one
    shows each session finds by itself."""

    def agent(world):
        missed = []
        for n in range(5):
            try:
                world.tools.pay(n=n)
            except Exception:
                missed.append(n)
        return BLOCKED if missed and missed != breaks else DONE

    _, ran = session(Continued(tmp_path, "t::t"), agent, kill=150, max_runs=10_000)
    (path,) = tmp_path.glob("frontier-*.json")
    done = json.loads(path.read_text())["done"]
    both = [plan for plan in ran if "pay#2:" in plan and "pay#4:" in plan]
    first = ran.index(next(plan for plan in both if "lost" in plan))
    assert done == (len(ran) if beyond else first) > 30


def test_a_session_that_begins_anew_has_kept_nothing(tmp_path, always):
    """The place is that which it had found."""
    session(Continued(tmp_path, "t::t"), max_runs=10_000, stop=7)
    (path,) = tmp_path.glob("frontier-*.json")
    before = path.read_bytes()
    dealing = Continued(tmp_path, "t::t")
    session(dealing, kill=9, max_runs=10_000)
    assert path.read_bytes() != before
    with Simulation() as simulation:
        runner = Campaign(paying, payer(5), simulation, nodeid="t::t").runner
        runner.begin()
        dealing.begin(runner.first, Budget(), Space(**SPACE))
    assert path.read_bytes() == before


def test_what_is_told(tmp_path):
    """The first session says nothing of others; the second, what it began with and the sum."""
    first, ran = session(Continued(tmp_path, "t::t"))
    assert "session" not in level(first).limits
    second, more = session(Continued(tmp_path, "t::t"))
    begun, both = _ordinal(len(ran) + 1), len(ran) + len(more)
    assert level(second).limits.endswith(
        f"from the {begun} on; {both} in 2 sessions since its runs last changed"
    )
    assert f"{len(more)} of 160 plans with two faults (" in second.covered()


def test_the_same_file_gives_the_same_session(tmp_path):
    """Also when two run at once."""
    session(Continued(tmp_path, "t::t"))
    (path,) = tmp_path.glob("frontier-*.json")
    before = path.read_bytes()
    _, one = session(Continued(tmp_path, "t::t"))
    after = path.read_bytes()
    path.write_bytes(before)
    _, other = session(Continued(tmp_path, "t::t"))
    assert one == other
    assert path.read_bytes() == after != before


def test_a_change_begins_anew(tmp_path):
    """Another run without faults, other runs with one fault, other faults."""
    _, first = session(Continued(tmp_path, "t::t"))

    def retries(world):
        for n in range(5):
            for _ in range(2):
                try:
                    world.tools.pay(n=n)
                    break
                except Exception:
                    continue
        return DONE

    for agent in (payer(6), retries):
        _, alone = session(None, agent, max_runs=400)
        result, ran = session(Continued(tmp_path, "t::t"), agent, max_runs=400)
        assert ran == alone
        assert "session" not in level(result).limits
    assert session(Continued(tmp_path, "t::t"))[1] == first


def test_a_session_that_runs_all_leaves_nothing(tmp_path):
    """Its coverage is its own, and the file of earlier ones goes."""
    session(Continued(tmp_path, "t::t"))
    result, ran = session(Continued(tmp_path, "t::t"), max_runs=10_000)
    assert len(ran) == len(set(ran)) == 160
    assert "session" not in level(result).limits
    assert "all 160 plans with two faults" in result.covered()
    assert not list(tmp_path.glob("frontier-*.json"))


def test_a_budget_that_ends_before_the_level(tmp_path):
    """Changes nothing."""
    session(Continued(tmp_path, "t::t"))
    (path,) = tmp_path.glob("frontier-*.json")
    before = path.read_bytes()
    session(Continued(tmp_path, "t::t"), max_runs=20)
    assert path.read_bytes() == before


def test_nothing_is_kept_elsewhere(tmp_path, monkeypatch):
    """A campaign that is not one of a row writes nothing."""
    monkeypatch.chdir(tmp_path)
    session(Dealing())
    session(None)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_written(tmp_path):
    """Changes no verdict."""
    (tmp_path / "file").touch()
    _, ran = session(Continued(tmp_path / "file", "t::t"))
    assert ran == session(None)[1]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": "agentfuzz.frontier/9"}', "\0"])
def test_a_broken_file(tmp_path, text):
    """Is none, and is replaced."""
    path = frontier.path_of(tmp_path, "t::t")
    path.write_text(text)
    assert frontier.load(path, "f") == Frontier("f")
    session(Continued(tmp_path, "t::t"))
    assert json.loads(path.read_text())["sessions"] == 1


def test_what_is_no_file(tmp_path):
    """Is not waited for."""
    path = frontier.path_of(tmp_path, "t::t")
    os.mkfifo(path)
    assert frontier.load(path, "f") == Frontier("f")
    frontier.save(path, "t::t", Frontier("f", Place(3, 4, 50), 49, 2))
    assert frontier.load(path, "f").done == 49


def test_a_frontier_comes_back(tmp_path):
    """Under its fingerprint alone; git is told to leave the folder alone."""
    kept = Frontier("f", Place(3, 4, 50), 49, 2)
    path = frontier.path_of(tmp_path / "new", "t::t")
    frontier.save(path, "t::t", kept)
    assert frontier.load(path, "f") == kept
    assert frontier.load(path, "g") == Frontier("g")
    assert (tmp_path / "new/.gitignore").read_text() == "*\n"
    frontier.forget(path)
    frontier.forget(path)
    assert frontier.load(path, "f") == Frontier("f")


def test_a_level_goes_round():
    """From each of its plans on, all of them once, and numbered as ever."""
    with Simulation() as simulation:
        campaign = Campaign(paying, payer(2), simulation, space=Space(**SPACE))
        crossings = campaign.runner.begin()
        parents = {FaultPlan({c.slot: f}): 1 for c in crossings for f in campaign.space.at(c.group)}

        def walked(start):
            walk = Level(parents, campaign.space)
            plans = walk.plans(campaign.runner.execute, start=start)
            found = [(walk.coming, str(plan)) for plan in plans]
            assert walk.coming is None
            return found

        whole = walked(FIRST)
        assert [place.number for place, _ in whole] == list(range(len(whole)))
        for at, (place, _) in enumerate(whole):
            assert walked(place) == whole[at:] + whole[:at]


def test_ordinals():
    """As they are spoken."""
    numbers = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 1204]
    assert " ".join(map(_ordinal, numbers)) == (
        "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th 1,204th"
    )


def test_what_is_begun_anew_counts_once(tmp_path):
    """The search is made again when its result is asked for: the level begins where this session
    found it."""
    dealing, runs = Continued(tmp_path, "t::t"), []
    with Simulation() as simulation:
        campaign = Campaign(
            paying,
            payer(5),
            simulation,
            nodeid="t::t",
            space=Space(**SPACE),
            budget=Budget(max_runs=130, max_seconds=600.0, deep_runs=0),
            dealing=dealing,
        )
        for _ in range(2):
            campaign._begin()
            campaign._meter.stopped = "exhausted"
            campaign.search()
            runs.append(level(campaign.result()).done)
            assert not list(tmp_path.glob("frontier-*.json"))
    dealing.close()
    assert runs[0] == runs[1]
    (path,) = tmp_path.glob("frontier-*.json")
    kept = json.loads(path.read_text())
    assert (kept["done"], kept["sessions"]) == (runs[0], 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"done": float("inf")},
        {"done": -5},
        {"rows": -1},
        {"rows": "9"},
        {"sessions": -7},
        {"sessions": True},
        {"place": [0, 0, float("inf")]},
        {"place": [1, 2]},
        {"place": [10**6, 0, 10**6]},
        {"place": [2, 1, 0]},
    ],
)
def test_numbers_that_cannot_be(tmp_path, wrong):
    """The level begins anew."""
    _, first = session(Continued(tmp_path, "t::t"))
    (path,) = tmp_path.glob("frontier-*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **wrong}))
    result, ran = session(Continued(tmp_path, "t::t"))
    assert ran == first
    assert "session" not in level(result).limits
