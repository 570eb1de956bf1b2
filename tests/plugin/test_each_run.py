"""Fixtures renewed for each run: the state that a test's own fixtures keep ends with the run."""

import json
import re

import pytest

from .conftest import Project
from .test_shards import REPORTS, clean, merge, reported, sharded

# A backend that the tools reach by a module's name and the test by its fixture, in a file.
BACKEND = """
import random
import sqlite3
import threading
import time
import types
import uuid

import pytest

from agentfuzz import Completion, at_most_once, fuzz, scenario

shop = types.SimpleNamespace(db=None)
count = {"up": 0, "down": 0, "open": 0, "most": 0}


@pytest.fixture
def db(tmp_path, monkeypatch):
    count["up"] += 1
    count["open"] += 1
    count["most"] = max(count["most"], count["open"])
    db = sqlite3.connect(tmp_path / "shop.db")
    db.execute("create table if not exists orders (id text)")
    monkeypatch.setattr(shop, "db", db)
    yield db
    db.close()
    count["open"] -= 1
    count["down"] += 1


@scenario(at_most_once("order"), task="Order A17.")
def place_order(world):
    db = shop.db

    @world.tool(effect="order", scope=("id",), dedup="scope")
    def order(id: str) -> str:
        db.execute("insert into orders values (?)", (id,))
        return f"order {db.execute('select count(*) from orders').fetchone()[0]}"


def agent(world):
    try:
        reply = world.tools.order(id="A17")
    except Exception:
        return Completion.blocked(reason="outcome_unknown")
    if not str(reply).startswith("order "):
        return Completion.blocked(reason="outcome_unknown")
    assert reply == "order 1", reply
    return Completion.success(handle=str(reply))
"""

NAMED = (
    BACKEND
    + """

@fuzz(place_order, each_run=("db",))
def test_order(world, db):
    assert shop.db is db
    return agent(world)


def test_after():
    assert count["up"] == count["down"] > 20
    assert count["most"] == 1
"""
)


def passes(project: Project, text: str, *words: str, passed: int = 1) -> pytest.RunResult:
    """A campaign of these tests finds nothing, and all pass."""
    project.file("test_each.py", text)
    result = project.campaign(*words)
    result.assert_outcomes(passed=passed)
    assert "0 findings" in result.stdout.str()
    return result


def told(project: Project, text: str, *words: str) -> str:
    """What a campaign of this test, which fails, says: in one line."""
    project.file("test_each.py", text)
    result = project.campaign(*words)
    assert result.ret == 1, result.stdout.str()
    return " ".join(result.stdout.str().split())


def test_a_named_fixture_is_renewed(project: Project) -> None:
    """Every run has a database of its own, one at a time, and each is closed; without the name the
    second run meets the rows of the first, and is told of the cure."""
    passes(project, NAMED, passed=2)
    said = told(project, NAMED.replace(', each_run=("db",)', ""), "-k", "order")
    assert "AF904" in said
    assert "renew it for each run: @fuzz(..., each_run=('db',))" in said


def test_without_a_campaign_it_is_renewed_too(project: Project) -> None:
    """The one run of a plain test session, too."""
    project.file("test_each.py", NAMED.replace('count["down"] > 20', 'count["down"] == 3'))
    project.run().assert_outcomes(passed=2)  # pytest's own, and two runs


NEIGHBOURS = """
made = []


def fixture(name):
    made.append(name)


@pytest.fixture(scope="module")
def wide():
    fixture("wide")


@pytest.fixture
def below(wide):
    fixture("below")


@pytest.fixture
def named(below):
    fixture("named")


@pytest.fixture
def above(named):
    fixture("above")


@pytest.fixture
def beside(wide):
    fixture("beside")


@pytest.fixture(autouse=True)
def always():
    fixture("always")


@fuzz(place_order, only=("once/timeout",), each_run=EACH)
def test_order(world, above, beside):
    fixture("run")
    try:
        world.tools.order(id="A17")
    except Exception:
        return Completion.blocked()
    return Completion.success()


def test_after():
    runs = made.count("run")
    assert runs > 2
    counted = {name: made.count(name) - 1 for name in ("wide", "below", "named", "above", "beside")}
    assert counted == {"wide": 0, "below": runs, "named": runs, "above": runs, "beside": BESIDE}
    assert made.count("always") - 2 == BESIDE  # once for this test
"""
PLAIN = BACKEND.replace("    db = shop.db\n", "").replace(
    """        db.execute("insert into orders values (?)", (id,))
        return f"order {db.execute('select count(*) from orders').fetchone()[0]}"
""",
    """        return "order 1"
""",
)


@pytest.mark.parametrize(("each", "beside"), [("'named'", "0"), ("True", "runs")])
def test_what_is_renewed_with_it(project: Project, each: str, beside: str) -> None:
    """What it needs, and what needs it; all of the test's for True, autouse ones as well. What has
    a wider scope is made once."""
    text = PLAIN + NEIGHBOURS.replace("EACH", each).replace("BESIDE", beside)
    passes(project, text, passed=2)


XUNIT = """
class TestOrder:
    def setup_method(self):
        self.seen = []

    def teardown_method(self):
        ended.append(self)

    @pytest.mark.parametrize("id", ["A17"])
    @fuzz(place_order, each_run=True)
    def test_order(self, world, id, request):
        assert self.seen == []
        self.seen.append(id)
        request.addfinalizer(lambda: ended.append(request.instance is self))
        return agent(world)


ended = []


def test_after():
    assert len(ended) % 2 == 1
    first, *runs = ended
    assert len(runs) > 40
    assert set(runs[::2]) == {True}
    assert len(set(map(id, runs[1::2]))) == len(runs) / 2
"""


def test_each_run_has_its_own_instance(project: Project) -> None:
    """With True, setup_method is called on a new instance for each run, as pytest gives each test
    one; and what the body adds as a finalizer is called when the run is over."""
    passes(project, PLAIN + XUNIT, passed=2)


DYNAMIC = """
class Memory:
    pass


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def asks(request):
    return request.getfixturevalue("memory")


@pytest.fixture(params=["red"])
def colour(request):
    return [request.param]


@pytest.fixture
def tmp_path(tmp_path):
    return tmp_path / "below"


@fuzz(place_order, each_run=EACH)
def test_order(world, asks, colour, tmp_path, request):
    assert request.getfixturevalue("memory") is asks
    assert not hasattr(asks, "seen")
    asks.seen = True
    assert colour == ["red"]
    colour.append("blue")
    assert not tmp_path.exists()
    tmp_path.mkdir()
    return agent(world)
"""


@pytest.mark.parametrize("each", ["True", "('memory', 'colour', 'tmp_path')"])
def test_what_is_asked_for_by_request(project: Project, each: str) -> None:
    """A fixture that another one asks for by `request`, one with params, one that overrides its
    own name."""
    passes(project, PLAIN + DYNAMIC.replace("EACH", each))


def test_directories_do_not_pile_up(project: Project) -> None:
    """Every run has the same `tmp_path`, and it is empty; only the last one stays. So have others
    that a fixture makes, and one that stays for all runs is left alone."""
    text = """
@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    return tmp_path_factory.mktemp("shop")


@pytest.fixture
def more(tmp_path_factory):
    return tmp_path_factory.mktemp("shop")


@fuzz(place_order, each_run=("tmp_path", "more"))
def test_order(world, tmp_path, more, wide, request, tmp_path_factory):
    assert not [*tmp_path.iterdir(), *more.iterdir()]
    (tmp_path / "file").touch()
    (more / "file").touch()
    seen.add((str(tmp_path), str(more)))
    assert wide.exists()
    return agent(world)


seen = set()


def test_after(tmp_path):
    assert len(seen) == 1
    files = sorted(one.parent.name for one in tmp_path.parent.rglob("file"))
    assert files == ["shop0", "test_order0"]
    assert len(list(tmp_path.parent.rglob("shop*"))) == 5  # with pytest's links
"""
    passes(project, PLAIN + text, "--basetemp=base", passed=2)


def test_nothing_grows_with_the_runs(project: Project) -> None:
    """No finalizer is left behind by a run, at the test or at a fixture that stays."""
    text = """
@pytest.fixture(scope="module")
def wide():
    return []


@pytest.fixture
def named(wide):
    return object()


@fuzz(place_order, each_run=("named",))
def test_order(world, named, request):
    session = request.session
    waits = len(session._setupstate.stack[request.node][0])
    stays = request._fixture_defs["wide"]._finalizers
    seen.add((waits, len(stays)))
    return agent(world)


seen = set()


def test_after():
    assert len(seen) == 1
"""
    passes(project, PLAIN + text, passed=2)


WORLD = """
@pytest.fixture
def backend():
    time.sleep(0.25)
    found = {"t": time.time(), "id": uuid.uuid4(), "n": random.random(), "at": time.monotonic()}
    yield found
    ended.append(time.time())


@fuzz(place_order, each_run=("backend",))
def test_order(world, backend):
    seen.add(tuple(map(str, backend.values())))
    assert backend["t"] == time.time()
    assert abs(time.time() - 1767225600.25) < 0.001  # 2026-01-01T00:00:00.25Z
    assert backend["id"] != uuid.uuid4()
    assert backend["n"] != random.random()
    time.sleep(60)
    return agent(world)


seen, ended = set(), []


def test_after():
    assert len(seen) == 1
    assert min(ended[1:]) > 1767225660  # and it is torn down in it, when the run is over
"""


def test_it_is_set_up_in_the_time_of_the_run(project: Project) -> None:
    """A fixture meets the instant at which each run begins, its sleeps are virtual and part of the
    run's time; it draws the same in each run, and the run draws something else."""
    passes(project, PLAIN + WORLD, passed=2)


def test_what_it_changes_of_the_process_is_how_the_run_finds_it(project: Project) -> None:
    """The environment and the working directory are the fixture's for the whole run, and as before
    after the test."""
    text = """
import logging
import os

HERE = os.getcwd()


@pytest.fixture
def ready(monkeypatch, tmp_path):
    monkeypatch.setenv("SHOP", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("builtins.shop", 1, raising=False)
    monkeypatch.setattr(logging.getLogger("shop"), "propagate", False)


@fuzz(place_order, each_run=True)
def test_order(world, ready):
    assert os.environ["SHOP"] == os.getcwd() != HERE
    os.environ["SHOP"] = "else"
    os.chdir("/")
    return agent(world)


def test_after():
    import builtins

    assert "SHOP" not in os.environ
    assert os.getcwd() == HERE
    assert not hasattr(builtins, "shop")
    assert logging.getLogger("shop").propagate
"""
    passes(project, PLAIN + text, passed=2)


def test_what_it_opens_is_no_escape(project: Project) -> None:
    """A thread and a process of a fixture are its own affair."""
    text = """
import subprocess
import sys


@pytest.fixture
def helper():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, args=(60,))
    thread.start()
    subprocess.run([sys.executable, "-c", ""], check=True)
    yield
    stop.set()
    thread.join()


@fuzz(place_order, only=("once/timeout",), each_run=("helper",))
def test_order(world, helper):
    return agent(world)
"""
    said = passes(project, PLAIN + text).stdout.str()
    assert "AF905" not in said


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("('bd',)", "@fuzz(each_run=...) of test_order: 'bd' is none of its fixtures. Did you"),
        ("('bd',)", "Did you mean 'db'?"),
        ("('xyzzy',)", "It has: db, idle, monkeypatch, tmp_path, tmp_path_factory, v, wide."),
        ("('capsys',)", "the test does not ask for 'capsys'; make it one of its parameters."),
        ("('wide',)", "the fixture 'wide' has the scope 'module', and other tests share it."),
        ("('wide',)", "def clean_wide(wide): yield wide, then undo what the run has left."),
        ("('v',)", "'v' is a parameter of parametrize, the same object in all runs;"),
        ("(1,)", "@fuzz(each_run=...): 1 is no name of a fixture; give True for all"),
    ],
)
def test_names_that_cannot_be_renewed(project: Project, names: str, says: str) -> None:
    """They are errors with a cure, before anything runs."""
    text = f"""
@pytest.fixture(scope="module")
def wide():
    return []


@pytest.fixture
def idle():
    return []


@pytest.mark.parametrize("v", [[]])
@fuzz(place_order, each_run={names})
def test_order(world, db, wide, v, idle, request):
    raise SystemExit("never run")
"""
    project.file("test_each.py", BACKEND + text)
    result = project.campaign()
    assert result.ret != 0
    assert says in " ".join((result.stdout.str() + result.stderr.str()).replace("E  ", "").split())


FAILS = """
runs = []


@pytest.fixture
def outer(request):
    runs.append(0)
    if WHERE == "up" and len(runs) > 5:
        raise RuntimeError("no table orders")
    yield
    if WHERE == "down" and len(runs) > 5:
        raise RuntimeError("no table orders")


@pytest.fixture
def inner(outer):
    return 1


class TestOrder:
    def setup_method(self):
        if WHERE == "method" and len(runs) > 5:
            raise RuntimeError("no table orders")

    @fuzz(place_order, each_run=True)
    def test_order(self, world, inner):
        return agent(world)


def test_after():
    assert len(runs) == 6
"""


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("up", "the fixture 'outer' raised RuntimeError: no table orders, when it was set up"),
        ("down", "the fixture 'outer' raised RuntimeError: no table orders, when it was torn down"),
        ("method", "setup_method (or its teardown) of TestOrder raised RuntimeError: no table"),
    ],
)
def test_a_fixture_that_fails_is_no_failure_of_the_agent(
    project: Project, where: str, says: str
) -> None:
    """The campaign ends as an error that names the fixture, the line, the run and its plan."""
    project.file("test_each.py", f"{PLAIN}\nWHERE = {where!r}\n{FAILS}")
    result = project.campaign()
    result.assert_outcomes(passed=1, failed=1)
    said = " ".join(result.stdout.str().split())
    assert says in said
    assert re.search(
        r"for a run \(each_run=\)\. It was run \d of this campaign, under the plan 'order#1:", said
    )
    assert re.search(r"test_each\.py:\d+ in (outer|setup_method)", said)
    assert "AF900" not in said
    assert "AF904" not in said


def test_a_fixture_that_fails_in_words(project: Project) -> None:
    """`pytest.fail` is no Exception."""
    text = f"{PLAIN}\nWHERE = 'up'\n{FAILS}".replace("raise RuntimeError", "pytest.fail")
    project.file("test_each.py", text)
    result = project.campaign()
    result.assert_outcomes(passed=1, failed=1)
    said = " ".join(result.stdout.str().split())
    assert "the fixture 'outer' raised Failed: no table orders, when it was set up" in said


def test_a_fixture_that_skips(project: Project) -> None:
    """It leaves the test, as it would once."""
    project.file(
        "test_each.py",
        f"{PLAIN}\nWHERE = 'up'\n{FAILS}".replace("raise RuntimeError", "pytest.skip"),
    )
    project.campaign().assert_outcomes(passed=1, skipped=1)


def test_a_fixture_that_never_ends(project: Project) -> None:
    """It is cut off, and named as what it is."""
    text = """
@pytest.fixture
def spins():
    runs.append(0)
    while len(runs) > 2:
        pass


runs = []


@fuzz(place_order, each_run=True)
def test_order(world, spins):
    return agent(world)
"""
    said = told(project, PLAIN + text, "--agentfuzz-run-timeout=0.3")
    assert "what each_run= renews never ended: it was cut off in" in said
    assert "test_each.py" in said


def test_what_the_run_raises_comes_first(project: Project) -> None:
    """A test that is left in its body is left, though its fixture cannot be torn down then."""
    text = """
@pytest.fixture
def breaks():
    yield
    if runs:
        raise RuntimeError("torn down")


runs = []


@fuzz(place_order, each_run=True)
def test_order(world, breaks):
    runs.append(0)
    pytest.skip("not here")
"""
    project.file("test_each.py", PLAIN + text)
    project.campaign().assert_outcomes(skipped=1)


def test_the_memo_is_off(project: Project) -> None:
    """What the fixtures of a run hold is nothing that it knows: every run is real."""
    text = NAMED.split("def test_after")[0].replace(
        "    assert shop.db is db\n", "    calls.append(0)\n"
    )
    after = 'calls = []\n\ndef test_after():\n    assert len(calls) == count["up"] - 1\n'
    passes(project, text + after, "--agentfuzz-memo=on", passed=2)


PROBED = (
    BACKEND.replace(
        'dedup="scope"', 'dedup="probe", state=lambda: list(db.execute("select * from orders"))'
    )
    + """

@fuzz(place_order, each_run=("db",))
def test_order(world, db):
    return agent(world)
"""
)


def test_the_run_in_which_dedup_is_found_out(project: Project) -> None:
    """It has fixtures of its own, and those of the run that asked are gone by then."""
    project.file("test_each.py", PROBED)
    said = project.campaign().stdout.str()
    assert "order: dedup probed: none" in str(campaign_of(project)["clean"])
    assert "AF904" not in said


BUGGY = (
    BACKEND
    + """
from agentfuzz import exactly_once


@scenario(exactly_once("order"), task="Order A17.", max_crossings=30)
def retried(world):
    db = shop.db

    @world.tool(effect="order", scope=("id",), dedup="none")
    def order(id: str) -> str:
        db.execute("insert into orders values (?)", (id,))
        return f"order {db.execute('select count(*) from orders').fetchone()[0]}"


@fuzz(retried, only=("once/timeout", "once/error"), each_run=("db",))
def test_order(world, db):
    for _ in range(3):
        try:
            reply = world.tools.order(id="A17")
        except Exception:
            continue
        rows = db.execute("select count(*) from orders").fetchone()[0]
        assert reply == f"order {rows}"
        return Completion.success(handle=reply)
    return Completion.blocked(reason="outcome_unknown")
"""
)


def test_findings_are_shrunk_replayed_and_exported(project: Project) -> None:
    """The runs that confirm have fixtures of their own, and so have replays and regression
    tests."""
    said = told(project, BUGGY)
    assert "AF101 order ran 2x, expected 1" in said
    assert "AF904" not in said
    assert "order#1:once/timeout" in said
    (name,) = [
        one
        for one in project.saved()
        if "AF101" in (project.path / f".agentfuzz/{one}.json").read_text()
    ]
    assert "byte for byte" in project.run(f"--agentfuzz-replay={name}").stdout.str()
    project.run(f"--agentfuzz-export={name}")
    (file,) = project.path.glob("test_af_*.py")
    exported = project.run(str(file))
    exported.assert_outcomes(failed=1)
    assert "AF101 order ran 2x, expected 1" in exported.stdout.str()
    source = (project.path / "test_each.py").read_text()
    fixed = source.replace('dedup="none"', 'dedup="scope"')
    project.file("test_each.py", fixed.replace("assert reply ==", "assert True or reply =="))
    project.run(str(file)).assert_outcomes(passed=1)


def test_a_fixture_that_a_regression_test_gives_itself(project: Project) -> None:
    """What is fixed in the call is no fixture any more."""
    text = """
from agentfuzz import regression


@fuzz(place_order, each_run=("limit", "idle"))
def test_order(world, limit, idle):
    assert limit == 3
    return agent(world)


@pytest.fixture
def limit():
    return 3


@pytest.fixture
def idle():
    return []


test_again = regression(test_order, plan="order#1:once/timeout", limit=3)
"""
    passes(project, PLAIN + text, passed=2)


def campaign_of(project: Project) -> dict[str, object]:
    """What the report says of its one campaign, but for the time that it took."""
    report = json.loads((project.path / REPORTS / "report.json").read_text())
    (campaign,) = report["campaigns"]
    return {k: v for k, v in campaign.items() if k not in ("seconds", "notes")}


@pytest.mark.slow
@pytest.mark.parametrize("begun", ["forked", "spawned"])
def test_in_processes_of_a_campaign(project: Project, begun: str) -> None:
    """Forked ones, and where a thread runs already fresh ones: the same as in one process, and each
    run has its own."""
    thread = """
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""
    text = BUGGY + (thread if begun == "spawned" else "")
    project.file("test_each.py", text)
    project.spawn("--agentfuzz")
    alone = campaign_of(project)
    assert alone["findings"]
    clean(project)
    done = project.spawn("--agentfuzz", "--agentfuzz-workers=2")
    assert "AF904" not in done.stdout, done.stdout
    assert campaign_of(project) == alone
    assert "in one process" not in done.stdout


@pytest.mark.slow
def test_in_shards(project: Project) -> None:
    """Merged, they are one session."""
    project.file("test_each.py", BUGGY)
    assert project.run("--agentfuzz").ret == 1
    wanted = reported(project)
    sharded(project, 2)
    assert merge(project).returncode == 1
    assert reported(project) == wanted


@pytest.mark.slow
def test_with_xdist(project: Project) -> None:
    """A worker of pytest-xdist runs the same campaign."""
    project.file("test_each.py", BUGGY)
    project.run("--agentfuzz")
    alone = campaign_of(project)
    clean(project)
    project.spawn("--agentfuzz", "-p", "xdist.plugin", "-n", "2")
    assert campaign_of(project) == alone


ASYNC = (
    PLAIN
    + """
import asyncio

import pytest_asyncio


@pytest_asyncio.fixture
async def theirs():
    await asyncio.sleep(1)
    yield {"t": time.time()}
    await asyncio.sleep(1)
    ended.append(0)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def anyios(anyio_backend):
    await asyncio.sleep(1)
    yield {"t": time.time()}
    await asyncio.sleep(1)
    ended.append(0)


ended = []


@fuzz(place_order, each_run=EACH)
async def test_theirs(world, theirs):
    assert theirs.pop("t") == time.time()
    await asyncio.sleep(3600)
    return agent(world)


@pytest.mark.anyio
@fuzz(place_order, each_run=EACH2)
async def test_anyios(world, anyios):
    assert anyios.pop("t") == time.time()
    return agent(world)


def test_after():
    assert len(ended) > 80
"""
)


@pytest.mark.slow
@pytest.mark.parametrize("each", ["True", "named"])
def test_async_fixtures(project: Project, each: str) -> None:
    """Those of pytest-asyncio and of anyio: their loops are renewed with them, and wait no real
    second."""
    names = ("True", "True") if each == "True" else ("'theirs'", "'anyios'")
    text = ASYNC.replace("EACH2", names[1]).replace("EACH", names[0])
    project.file("test_each.py", text)
    done = project.spawn(
        "--agentfuzz", "--agentfuzz-depth=1", "-p", "pytest_asyncio.plugin", "-p", "anyio"
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_an_async_fixture_on_a_loop_of_the_session(project: Project) -> None:
    """Its loop was made in real time, and no virtual second passes in it: an error that says so."""
    text = ASYNC.split("@pytest.mark.anyio")[0].replace("EACH", "True")
    text = text.replace("@pytest_asyncio.fixture", '@pytest_asyncio.fixture(loop_scope="session")')
    project.file("test_each.py", text)
    done = project.spawn(
        "--agentfuzz", "--agentfuzz-run-timeout=0.3", "-p", "pytest_asyncio.plugin"
    )
    said = " ".join(done.stdout.split())
    assert "what each_run= renews never ended" in said, done.stdout
    assert "nothing that began before the campaign (an event loop, a thread) sees it pass" in said
