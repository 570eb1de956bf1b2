"""--agentfuzz-baseline: known causes fail no test, new ones do, fixed ones are named."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import Project
from .sources import BASE, FIXED, LOOP, SCENARIO, SHOP

FILE = "known.json"
KNOWN = f"--agentfuzz-baseline={FILE}"
UPDATE, PRUNE = "--agentfuzz-baseline-update", "--agentfuzz-baseline-prune"
WORDS = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=80")
SECOND = """

@fuzz(charge_order, only=("once/timeout", "twice"))
def test_refunds(world):
    return billing_agent(world.tools)
"""
TWO = SHOP + SECOND
# Fails in another way: it tells a success where the reply was lost.
LIES = """

@fuzz(charge_order, only=("lost/timeout",))
def test_lies(world):
    try:
        world.tools.charge_card(order_id="A17", cents=1, idempotency_key="k")
    except TimeoutError:
        return "charged"
    return Completion.success(handle="ch_1")
"""


def recorded(project: Project, text: str = SHOP, name: str = "test_shop.py") -> dict[str, Any]:
    """Write a test and record what it shows today."""
    project.file(name, text)
    assert project.campaign(KNOWN, UPDATE).ret == 0
    return entries(project)


def entries(project: Project) -> dict[str, Any]:
    """The entries of the file, by code."""
    data = json.loads((project.path / FILE).read_text(encoding="utf-8"))
    assert data.pop("schema") == "agentfuzz.baseline/1"
    return {one["code"]: one for one in data.values()}


def forget(project: Project) -> None:
    """As in a fresh checkout: nothing is saved."""
    shutil.rmtree(project.path / ".agentfuzz", ignore_errors=True)


def last(result: pytest.RunResult) -> str:
    """The line of the baseline."""
    return next(one for one in result.outlines if one.startswith("baseline "))


def test_recorded_then_known_and_the_test_passes(project: Project) -> None:
    """The finding is in the summary, on its page and in JSON, and the exit code is 0."""
    project.shop()
    assert project.campaign().ret == 1
    forget(project)
    first = project.campaign(KNOWN, UPDATE)
    assert first.ret == 0
    first.stdout.fnmatch_lines(["baseline known.json: 0 known, 1 new, 0 fixed", "*Recorded: 1*"])
    forget(project)
    result = project.campaign(KNOWN, "-v")
    assert result.ret == 0
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*1 finding (1 known)*",
            "known: AF101 charge_card ran 2x, expected 1  AF-*",
            "*test_billi*",
        ]
    )
    assert last(result) == "baseline known.json: 1 known, 0 new, 0 fixed"
    folder = project.path / "reports" / "agentfuzz"
    (page,) = folder.glob("AF-*.json")
    assert json.loads(page.read_text())["known"] is True
    report = json.loads((folder / "report.json").read_text())
    assert report["known"] == report["findings"] == [page.stem]
    assert "baseline of this project knows it" in page.with_suffix(".html").read_text()
    assert "Known in the baseline" in (folder / "index.html").read_text()


def test_in_the_single_run_too(project: Project) -> None:
    """Without --agentfuzz a saved finding is replayed; known is known there."""
    recorded(project)
    assert project.run().ret == 1
    assert project.run(KNOWN).ret == 0
    assert project.run(KNOWN, "--agentfuzz-replay", "all").ret == 1  # what somebody asks to see


def test_what_is_new_fails_beside_what_is_known(project: Project) -> None:
    """Blocks are of what is new; what is known is a line."""
    recorded(project)
    worse = SHOP.replace('"once/timeout", "twice"', '"timeout", "twice"').replace(
        'return Completion.blocked(reason="outcome_unknown")',
        'return Completion.success(handle="A17")',
    )
    project.file("test_shop.py", worse)
    result = project.campaign(KNOWN)
    assert result.ret == 1
    text = result.stdout.str()
    assert "effect 2 = same intent" not in text
    assert "  known: AF101 charge_card ran 2x, expected 1  AF-" in text
    assert "AF103 charge 0x, claimed success" in text
    result.stdout.fnmatch_lines(["baseline known.json: 1 known, * new, 0 fixed"])


def test_another_test_with_the_same_cause_is_a_further_place(project: Project) -> None:
    """It fails, and says where the cause is known."""
    recorded(project)
    project.file("test_shop.py", TWO)
    result = project.campaign(KNOWN)
    result.assert_outcomes(passed=1, failed=1)
    flat = " ".join(result.stdout.str().split())
    assert "is a further place of a cause that is known in test_shop.py::test_billing" in flat
    assert last(result) == "baseline known.json: 1 known, 1 new, 0 fixed"


def test_another_tool_with_the_same_cause_is_a_further_place(project: Project) -> None:
    """What breaks is the same law by the same trouble."""
    recorded(project)
    other = SHOP.replace("charge_card", "bill_card").replace('"charge"', '"bill"')
    project.file("test_other.py", other)
    result = project.campaign(KNOWN)
    assert result.ret == 1
    text = " ".join(result.stdout.str().split())  # as wide as the terminal
    assert "is a further place of a cause that is known in test_shop.py::test_billing" in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("test_shop.py", SHOP.replace("test_billing", "test_charges")),
        ("test_till.py", SHOP),
        ("test_till.py", SHOP.replace("test_billing", "test_charges")),
    ],
)
def test_a_renamed_test_is_known(project: Project, name: str, text: str) -> None:
    """By its cause, until the baseline is written anew, with the new name and no other."""
    before = recorded(project)["AF101"]
    (project.path / "test_shop.py").unlink()
    project.file(name, text)
    result = project.campaign(KNOWN)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["known under test_shop.py::test_billing: AF101 * renames it"])
    again = project.campaign(KNOWN, UPDATE)
    assert again.ret == 0
    again.stdout.fnmatch_lines(["*renamed: 1; 1 known now"])
    after = entries(project)["AF101"]
    test = "test_charges" if "test_charges" in text else "test_billing"
    assert after["tests"] == [f"{name}::{test}"]
    assert after["id"] != before["id"]
    assert after["id"] in project.saved()
    result = project.campaign(KNOWN)
    assert "known under" not in result.stdout.str()


def test_two_that_are_new_are_not_one_that_was_renamed(project: Project) -> None:
    """One test is gone, two show its cause: one of them is new."""
    recorded(project)
    project.file("test_shop.py", TWO.replace("test_billing", "test_charges"))
    result = project.campaign(KNOWN)
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1


def test_lines_and_order_do_not_matter(project: Project) -> None:
    """Neither does a comment above, nor which test comes first: the bytes are the same."""
    recorded(project, TWO)
    before = (project.path / FILE).read_bytes()
    billing = TWO[len(BASE) : -len(SECOND)]
    project.file("test_shop.py", "# a line\n\n" + BASE + "\n# more\n" + SECOND + billing)
    result = project.campaign(KNOWN)
    assert result.ret == 0
    (project.path / FILE).unlink()
    forget(project)
    assert project.campaign(KNOWN, UPDATE).ret == 0
    assert (project.path / FILE).read_bytes() == before
    again = project.campaign(KNOWN, UPDATE)
    again.stdout.fnmatch_lines(["baseline known.json: nothing to write"])


UNKEYED = (SHOP + SECOND).replace('dedup="key"', 'dedup="none"')


def test_what_one_test_tells_for_others_is_known_in_each(project: Project) -> None:
    """AF102 is told once in a session; a part of it, or another order, must not be new."""
    found = recorded(project, UNKEYED)["AF102"]
    assert found["tests"] == ["test_shop.py::test_billing", "test_shop.py::test_refunds"]
    for part in ("test_billing", "test_refunds"):
        forget(project)
        assert project.campaign(KNOWN, "-k", part).ret == 0


def test_a_part_of_the_tests_proves_nothing_of_the_others(project: Project) -> None:
    """By -k, by a node id, by another file: what was not run stays, and is not gone."""
    recorded(project, TWO)
    project.file("test_new.py", SHOP.replace("test_billing", "test_new"))
    before = (project.path / FILE).read_bytes()
    for part in (
        ("test_shop.py", "-k", "billing"),
        ("test_shop.py::test_billing",),
    ):
        result = project.campaign(KNOWN, UPDATE, PRUNE, *part)
        assert result.ret == 0
        assert last(result) == "baseline known.json: 1 known, 0 new, 0 fixed"
        assert (project.path / FILE).read_bytes() == before
    result = project.campaign(KNOWN, "test_new.py")  # no renamed test: the others are there
    assert result.ret == 1


def test_what_is_fixed_is_named_and_pruned(project: Project) -> None:
    """A note; where it is strict, a failure; pruned, it is away, and comes back as new."""
    recorded(project, TWO)
    project.file("test_shop.py", FIXED + SECOND.replace("tools)", "tools, 'charge-A17')"))
    result = project.campaign(KNOWN)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "baseline known.json: 0 known, 0 new, 2 fixed",
            "fixed: AF101 charge_card ran 2x, expected 1  AF-* (test_shop.py::test_billing)",
            "fixed: AF101 * (test_shop.py::test_refunds)",
            f"take out what is fixed: pytest --agentfuzz {PRUNE}",
        ]
    )
    strict = project.campaign(KNOWN, "--agentfuzz-strict")
    strict.assert_outcomes(failed=2)
    strict.stdout.fnmatch_lines(["strict: the baseline known.json knows what is fixed"])
    pruned = project.campaign(KNOWN, PRUNE, "--agentfuzz-strict")
    assert pruned.ret == 0
    pruned.stdout.fnmatch_lines(["*removed: 2; 0 known now"])
    assert entries(project) == {}
    project.shop()
    assert project.campaign(KNOWN).ret == 1


def test_only_a_whole_search_proves_that_something_is_fixed(project: Project) -> None:
    """Not a budget that ended before, not a smaller depth, not an agent that fails at once."""
    recorded(project)
    project.file("test_shop.py", FIXED)
    for words in (
        ("--agentfuzz", "--agentfuzz-max-runs=5"),
        ("--agentfuzz", "--agentfuzz-depth=0"),
        (),
    ):
        result = project.run(KNOWN, *words)
        assert result.ret == 0
        assert "fixed:" not in result.stdout.str()
    dead = SHOP.replace("    return billing_agent(world.tools)", "    raise ValueError('no')")
    project.file("test_shop.py", dead)
    result = project.campaign(KNOWN)
    assert result.ret == 1
    assert last(result) == "baseline known.json: 0 known, 1 new, 0 fixed"


PAIR = """
from agentfuzz import Completion, at_most_once, fuzz, scenario


@scenario(at_most_once("charge"), task="Charge A17.")
def charge_order(world):
    @world.tool
    def look_up(order_id: str) -> str:
        return "open"

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge(order_id: str, idempotency_key: str | None = None) -> str:
        return "ok"


@fuzz(charge_order, only=("once/timeout",))
def test_pair(world):
    key = "A17"
    try:
        world.tools.look_up(order_id="A17")
    except TimeoutError:
        key = None
    for _ in range(2):
        try:
            world.tools.charge(order_id="A17", idempotency_key=key)
            return Completion.success(handle="A17")
        except TimeoutError:
            continue
    return Completion.blocked()
"""


def test_what_took_two_faults_is_not_fixed_by_a_search_with_one(project: Project) -> None:
    """The depth of a campaign is what it proves."""
    project.file("test_pair.py", PAIR)
    assert project.run("--agentfuzz", KNOWN, UPDATE).ret == 0
    assert len(entries(project)["AF101"]["troubles"]) == 2
    project.file("test_pair.py", PAIR.replace("key = None", "pass"))
    assert "0 fixed" in last(project.campaign(KNOWN))
    assert "1 fixed" in last(project.run("--agentfuzz", KNOWN))


def test_a_test_that_is_gone_is_pruned(project: Project) -> None:
    """Deleted with its bug: the next whole session takes it out."""
    recorded(project, TWO)
    project.shop()
    assert project.campaign(KNOWN).ret == 0
    assert len(entries(project)["AF101"]["tests"]) == 2
    project.campaign(KNOWN, PRUNE).stdout.fnmatch_lines(["*removed: 1; 1 known now"])
    assert entries(project)["AF101"]["tests"] == ["test_shop.py::test_billing"]


@pytest.mark.parametrize("how", ["skip", "ignore", "broken"])
def test_a_file_that_is_not_looked_through_is_not_gone(project: Project, how: str) -> None:
    """What it needs is not installed here, or it does not import: another test is new."""
    recorded(project)
    head = {"skip": "import pytest\npytest.importorskip('no_such')\n", "broken": "import no_such\n"}
    project.file("test_shop.py", head.get(how, "") + SHOP)
    project.file("test_new.py", SHOP.replace("test_billing", "test_new"))
    words = ["--ignore=test_shop.py"] if how == "ignore" else ["--continue-on-collection-errors"]
    result = project.campaign(KNOWN, *words)
    assert result.ret == 1
    assert last(result) == "baseline known.json: 0 known, 1 new, 0 fixed"
    project.campaign(KNOWN, PRUNE, *words)
    assert entries(project)["AF101"]["tests"] == ["test_shop.py::test_billing"]


def test_workers_of_xdist_come_to_the_same(project: Project) -> None:
    """The same file, the same counts, the same exit codes; a renamed test as well."""
    pytest.importorskip("xdist")
    recorded(project, TWO)
    before = (project.path / FILE).read_bytes()
    (project.path / FILE).unlink()
    forget(project)
    two = ("-p", "xdist.plugin", "-n", "2", *WORDS, KNOWN)
    assert project.spawn(*two, UPDATE).returncode == 0
    assert (project.path / FILE).read_bytes() == before
    project.file("test_shop.py", TWO.replace("test_billing", "test_charges"))
    renamed = project.spawn(*two)
    assert renamed.returncode == 0, renamed.stdout
    assert "baseline known.json: 2 known, 0 new, 0 fixed" in renamed.stdout
    assert "known under test_shop.py::test_billing: AF101" in renamed.stdout
    assert project.spawn(*two, UPDATE).returncode == 0
    tests = ["test_shop.py::test_charges", "test_shop.py::test_refunds"]
    assert entries(project)["AF101"]["tests"] == tests
    more = TWO.replace("test_billing", "test_one").replace("test_refunds", "test_two")
    project.file("test_shop.py", more + SECOND)
    third = project.spawn(*two)
    assert third.returncode == 1, third.stdout
    assert "2 known, 1 new, 0 fixed" in third.stdout


@pytest.mark.slow
def test_an_interrupted_session_writes_nothing(project: Project) -> None:
    """Exit code 2, and the file is as it was."""
    stops = SHOP + "\n\ndef test_stops():\n    raise KeyboardInterrupt\n"
    recorded(project)
    before = (project.path / FILE).read_bytes()
    project.file("test_shop.py", (BASE + LIES).replace("test_lies", "test_a") + stops)
    result = project.spawn(*WORDS, KNOWN, UPDATE, PRUNE)
    assert result.returncode == 2
    assert "baseline known.json: not written, for the session did not end" in result.stdout
    assert (project.path / FILE).read_bytes() == before


def test_nothing_tested_is_no_pass(project: Project) -> None:
    """A baseline hides neither AF801 nor that there is no campaign at all."""
    recorded(project)
    project.file(
        "test_shop.py",
        BASE + "\n@fuzz(charge_order)\ndef test_billing(world):\n    return Completion.blocked()\n",
    )
    result = project.campaign(KNOWN)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*AF801*"])
    project.file("test_shop.py", "def test_plain():\n    pass\n")
    result = project.campaign(KNOWN, UPDATE)
    assert result.ret == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no such file. Write it with what is found today: pytest --agentfuzz"),
        ("", "line 1: Expecting value"),
        ("{\n nonsense\n}", "line 2: "),
        ("[]", "its schema is not agentfuzz.baseline"),
        ('{"schema": "agentfuzz.baseline/2"}', "written by a newer agentfuzz"),
        ('{\n "AF101 x": 1,\n "schema": "agentfuzz.baseline/1"}', "line 2, AF101 x: must be an"),
        (
            '{\n "AF101 x": {},\n "schema": "agentfuzz.baseline/1"}',
            "line 2, AF101 x: the field 'title' is missing",
        ),
        ('{\n<<<<<<< HEAD\n "a": 1,\n=======\n>>>>>>> b\n}', "line 2: git has left its marks"),
        ("[" * 100_000, "cannot be read"),
        ('{"schema": "agentfuzz.baseline/1", "x": NaN}', "NaN is no JSON"),
    ],
)
def test_a_file_that_cannot_be_used_is_exit_4(
    project: Project, text: str | None, said: str
) -> None:
    """With its line or field and the cure, before any run; and it is never written over."""
    project.shop()
    if text is not None:
        project.file(FILE, text)
    words = (KNOWN,) if text is None else (KNOWN, UPDATE)
    result = project.campaign(*words)
    assert result.ret == 4
    assert said in result.stderr.str()
    assert text is None or (project.path / FILE).read_text() == text


def test_other_wrong_uses(project: Project) -> None:
    """What makes no sense says so."""
    project.shop()
    for words, said in (
        (("--agentfuzz", UPDATE), "name it, as --agentfuzz-baseline agentfuzz-baseline.json"),
        ((KNOWN, UPDATE), "is of campaigns: add --agentfuzz"),
        (("--agentfuzz", KNOWN, UPDATE, "--agentfuzz-shard=1/2"), "exclude each other"),
        (("--agentfuzz", "--agentfuzz-baseline=."), "is no regular file"),
    ):
        result = project.run(*words)
        assert result.ret == 4
        assert said in result.stderr.str()
    assert project.run(KNOWN, "--agentfuzz-explain=AF101").ret == 0  # needs no file


def test_it_stands_in_the_ini_file(project: Project) -> None:
    """Beside it, wherever pytest is called."""
    project.file("pytest.ini", f"[pytest]\nagentfuzz_baseline = {FILE}\n")
    project.shop("inner/test_shop.py")
    assert project.spawn(*WORDS, UPDATE, cwd="inner").returncode == 0
    assert entries(project)["AF101"]["tests"] == ["inner/test_shop.py::test_billing"]
    assert project.spawn(*WORDS, cwd="inner").returncode == 0


def git(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    who = ("-c", "user.name=n", "-c", "user.email=e@example.com")
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("union", [True, False])
def test_two_branches_merge(project: Project, union: bool) -> None:
    """Each records a finding of its own. With `merge=union` git merges the file by itself; without
    it a conflict is solved by taking its marks out. The merge knows both."""
    recorded(project)
    if union:
        project.file(".gitattributes", f"{FILE} merge=union\n")
    git(project.path, "init", "-q", "-b", "main")
    git(project.path, "add", "test_shop.py", FILE, ".gitattributes" if union else FILE)
    git(project.path, "commit", "-qm", "start")
    texts = {
        "one": SHOP.replace("charge_card", "bill_card").replace("test_billing", "test_one"),
        "two": SHOP.replace('"charge"', '"debit"').replace("test_billing", "test_two"),
    }
    for branch, text in texts.items():
        git(project.path, "checkout", "-q", "-b", branch, "main")
        project.file(f"test_{branch}.py", text)
        assert project.campaign(KNOWN, UPDATE).ret == 0
        git(project.path, "add", f"test_{branch}.py", FILE)
        git(project.path, "commit", "-qm", branch)
    merged = git(project.path, "merge", "-q", "--no-edit", "one")
    path = project.path / FILE
    if union:
        assert merged.returncode == 0, merged.stdout
    lines = path.read_text().splitlines(keepends=True)
    marks = ("<<<<<<<", "=======", ">>>>>>>")
    path.write_text("".join(line for line in lines if not line.startswith(marks)))
    forget(project)
    result = project.campaign(KNOWN)
    assert result.ret == 0, result.stdout.str()
    assert last(result) == "baseline known.json: 3 known, 0 new, 0 fixed"


def test_what_stands_twice_is_one_and_what_is_unknown_stays(project: Project) -> None:
    """As after a merge of two branches that recorded the same."""
    recorded(project, TWO)
    text = (project.path / FILE).read_text()
    (project.path / FILE).unlink()
    block = text[text.index(' "AF101') : text.index(' "schema"')]
    one = block.replace(', "test_shop.py::test_refunds"', "")
    two = block.replace('"test_shop.py::test_billing", ', "")
    two = two.replace('  "title"', '  "owner": "Ann",\n  "title"')
    project.file(FILE, text.replace(block, one + two).replace("{\n", '{\n "note": ["x"],\n', 1))
    result = project.campaign(KNOWN)
    assert last(result) == "baseline known.json: 2 known, 0 new, 0 fixed"
    assert project.campaign(KNOWN, UPDATE).ret == 0
    data = json.loads((project.path / FILE).read_text())
    assert data["note"] == ["x"]
    assert entries_of(data)["owner"] == "Ann"
    assert len(entries_of(data)["tests"]) == 2


def entries_of(data: dict[str, Any]) -> dict[str, Any]:
    (entry,) = [one for name, one in data.items() if name.startswith("AF")]
    found: dict[str, Any] = entry
    return found


def test_hostile_texts_move_no_cursor(project: Project) -> None:
    """What stands in the file is text, in a terminal and in a file's own lines."""
    recorded(project)
    path = project.path / FILE
    evil = "\\u001b[31m::error::x\\u202e"
    text = path.read_text()
    text = text.replace("charge_card ran 2x, expected 1", evil)
    path.write_text(text.replace("test_shop.py::test_billing", f"../{evil}/{'x' * 5000}::test"))
    project.file("test_shop.py", TWO)
    result = project.campaign(KNOWN)
    assert result.ret == 1
    out = result.stdout.str()
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert not any(line.lstrip().startswith("::error") for line in out.splitlines())
    assert project.campaign(KNOWN, UPDATE).ret == 0
    assert "\x1b" not in path.read_text()
    assert "\u202e" not in path.read_text()


def test_the_same_tool_in_another_agent_is_not_known(project: Project) -> None:
    """Two files, two agents, one name of a tool and of a scenario: the entry is of one test."""
    recorded(project)
    project.file("test_zoo.py", SHOP)
    result = project.campaign(KNOWN)
    result.assert_outcomes(passed=1, failed=1)


CALL = "world.tools.charge_card(order_id='A17', cents=1)"


@pytest.mark.parametrize(
    ("body", "code"),
    [("raise ValueError('no')", "AF900"), ("raise SystemExit(3)", "AF901")],
)
def test_an_agent_that_fails_at_once_may_be_known(project: Project, body: str, code: str) -> None:
    """But strict says of the first that nothing else of it was run."""
    agent = f"\n\n@fuzz(charge_order)\ndef test_agent(world):\n    {CALL}\n    {body}\n"
    recorded(project, SCENARIO + agent)
    assert code in entries(project)
    assert project.campaign(KNOWN).ret == 0
    strict = project.campaign(KNOWN, "--agentfuzz-strict")
    assert ("plans with one fault were not run" in strict.stdout.str()) == (code == "AF900")


def test_an_assertion_of_a_renamed_test_is_known(project: Project) -> None:
    """Its name is no part of what is known."""
    text = SCENARIO + (
        "\n\n@fuzz(charge_order, only=('once/timeout',))\ndef test_agent(world):\n"
        "    try:\n        reply = world.tools.charge_card(order_id='A17', cents=1)\n"
        "    except TimeoutError:\n        reply = None\n"
        "    assert reply is not None\n    return Completion.success(handle='ch_1')\n"
    )
    assert "AF906" in recorded(project, text, "test_agent.py")
    project.file("test_agent.py", text.replace("test_agent", "test_other"))
    assert project.campaign(KNOWN).ret == 0


DIES = (
    SCENARIO
    + """
import os

@fuzz(charge_order, only=("once/timeout",))
def test_dies(world):
    try:
        world.tools.charge_card(order_id="A17", cents=1)
    except TimeoutError:
        os._exit(3)
    return Completion.success(handle="ch_1")
"""
)


@pytest.mark.slow
def test_a_process_that_died_is_never_known(project: Project) -> None:
    """Nothing else of its test is run: it fails, and is not recorded."""
    project.file("test_dies.py", DIES)
    assert project.spawn(*WORDS, KNOWN, UPDATE).returncode == 3
    again = project.spawn(*WORDS, KNOWN, UPDATE)
    assert again.returncode == 1
    assert "1 AF902 left out" in again.stdout
    assert entries(project) == {}


def test_a_file_that_cannot_be_written_is_said(project: Project) -> None:
    """With pytest's code for a wrong setting."""
    project.shop()
    project.file("file", "")
    result = project.campaign("--agentfuzz-baseline=file/known.json", UPDATE)
    assert result.ret == 4


def test_formats_of_a_ci_mark_what_is_known(project: Project) -> None:
    """SARIF by its state and level, GitHub by a notice, GitLab and JUnit in their words."""
    recorded(project)
    project.file("test_lies.py", BASE + LIES)
    result = project.campaign(
        KNOWN, "--agentfuzz-report=html,sarif,gitlab,github,receipt,junit", "--junitxml=j.xml"
    )
    folder = project.path / "reports" / "agentfuzz"
    run = json.loads((folder / "report.sarif").read_text())["runs"][0]
    states = {(one["baselineState"], one["level"]) for one in run["results"]}
    assert states == {("unchanged", "note"), ("new", "error")}
    severities = {
        one["severity"] for one in json.loads((folder / "report.gitlab.json").read_text())
    }
    assert "info" in severities
    assert len(severities) > 1
    assert 'name="agentfuzz.known"' in (project.path / "j.xml").read_text()
    out = result.stdout.str()
    assert "::notice file=test_shop.py" in out
    assert "::error file=test_lies.py" in out


def test_without_a_baseline_nothing_changes(project: Project) -> None:
    """No line, no field."""
    project.file("test_shop.py", SCENARIO + LOOP + SHOP[len(BASE) :])
    result = project.campaign()
    assert "baseline " not in result.stdout.str()
    report = json.loads((project.path / "reports" / "agentfuzz" / "report.json").read_text())
    assert "known" not in report
