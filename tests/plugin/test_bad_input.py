"""Bad input: scenarios, plans, saved files and folders that cannot work are one clear error each,
which names the place and the cure, and the other tests of the session run."""

import json
import textwrap
from pathlib import Path

import pytest

from .conftest import Project
from .sources import BASE, SCENARIO, SHOP, body

CALL = "world.tools.charge_card(order_id='A17', cents=1, idempotency_key='k')"
REPORT = "agentfuzz: report not written"


def broken(project: Project, text: str, *lines: str) -> None:
    """A module that cannot be imported: a collection error with these lines."""
    project.file("test_broken.py", BASE + textwrap.dedent(text))
    project.file("test_other.py", "def test_ordinary(): pass\n")
    result = project.run("--continue-on-collection-errors")
    result.assert_outcomes(errors=1, passed=1)
    for line in lines:
        assert line in result.stdout.str(), result.stdout.str()


def test_fuzz_without_a_scenario(project: Project) -> None:
    """@fuzz(function): the function is named, and what to do."""
    broken(
        project,
        "def plain(world): pass\n@fuzz(plain)\ndef test_x(world): pass\n",
        "ScenarioError: @fuzz(plain) needs a scenario; decorate that function with @scenario(...)",
    )


def test_fuzz_without_parentheses(project: Project) -> None:
    """@fuzz on the test itself names the test."""
    broken(project, "@fuzz\ndef test_x(world): pass\n", "@fuzz(test_x) needs a scenario")


def test_fuzz_on_a_function_without_parameters(project: Project) -> None:
    """The signature that was found, and the ones that are accepted."""
    broken(
        project,
        "@fuzz(charge_order)\ndef test_x(): pass\n",
        "test_x() has no parameter for the world; accepted: def test(world)",
    )


@pytest.mark.parametrize("word", ["only", "exclude", "faults"])
def test_an_unknown_fault_word(project: Project, word: str) -> None:
    """The word and its near miss."""
    broken(
        project,
        f"@fuzz(charge_order, {word}=['timeot'])\ndef test_x(world): pass\n",
        "PlanError: 'timeot' names no fault. Did you mean 'timeout'?",
    )


def test_max_runs_of_nothing(project: Project) -> None:
    """max_runs=0 is refused, not taken for the default."""
    broken(
        project,
        "@fuzz(charge_order, max_runs=0)\ndef test_x(world): pass\n",
        "ScenarioError: @fuzz(max_runs=0) would run nothing; give at least 1.",
    )
    broken(
        project,
        "@fuzz(charge_order, max_runs='9')\ndef test_x(world): pass\n",
        "ScenarioError: @fuzz(max_runs='9') is no whole number; give at least 1.",
    )


def test_an_invariant_that_was_not_called(project: Project) -> None:
    """@scenario(exactly_once) instead of exactly_once(...)."""
    broken(
        project,
        "@scenario(exactly_once)\ndef other(world): pass\n",
        "@scenario(exactly_once) is no invariant; call it (exactly_once())",
    )


BUILDERS = {
    "raises": ("raise ValueError('no database')", "ValueError: no database"),
    "exits": ("raise SystemExit('bye')", "SystemExit: bye"),
    "asserts": ("assert 1 == 2, 'odd'", "odd"),
    "scope text": ("world.tool(effect='e', scope='order_id')", "write scope=('order_id',)"),
    "star arguments": ("world.tool(lambda *args: 1)", "*args has no place in a JSON schema"),
    "twice": ("world.tool(print, name='x') if 0 else world.tool(charge_card)", "declared twice"),
    "done": ("world.tool(name='done')(charge_card)", "the name of the done tool"),
    "raise_as": ("world.raise_as(timeout='shout')", "say 'text' or 'hang'"),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_a_scenario_that_cannot_be_built(project: Project, name: str) -> None:
    """What its function raised, where, and nothing of the harness around it."""
    line, told = BUILDERS[name]
    scenario = SCENARIO + f"\n    {line}\n"
    project.agent(body(CALL), scenario=scenario)
    result = project.campaign()
    result.assert_outcomes(failed=1, passed=1)
    text = result.stdout.str()
    assert told in text, text
    assert "charge_order" in text
    assert "test_agent.py:11" in text
    assert "campaign.py" not in text


SCRIPTS = {
    "[('refnd', {}), 'ok']": "the script calls 'refnd', which this world does not have",
    "['ok', ('charge_card', {})]": "script[0]: 'ok' closes the task and must come last",
    "[('charge_card', 5)]": "script[0]: ('charge_card', 5) is no call",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_that_cannot_be_played(project: Project, script: str) -> None:
    """The item of the script, and what is wrong with it."""
    scenario = SCENARIO.replace("max_crossings=30", f"script={script}")
    project.agent(body(CALL), scenario=scenario)
    project.file("test_other.py", "def test_other(): pass\n")
    result = project.campaign("--continue-on-collection-errors")
    assert result.parseoutcomes().get("passed", 0) >= 1
    assert SCRIPTS[script] in result.stdout.str(), result.stdout.str()


def test_a_model_without_a_script(project: Project) -> None:
    """world.model in a scenario that has none says how to give it one."""
    project.agent(body("world.model([], [])"))
    result = project.campaign()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*this scenario has no model; give it a script*"])


def test_an_outcome_that_fails(project: Project) -> None:
    """outcome= that raises or returns something else is the scenario's error, with the value."""
    for outcome, told in (("lambda v: v['x']", "TypeError"), ("lambda v: 5", "returned 5")):
        scenario = SCENARIO.replace("max_crossings=30", f"outcome={outcome}")
        project.agent(body("return 7"), scenario=scenario)
        result = project.campaign()
        result.assert_outcomes(failed=1, passed=1)
        result.stdout.fnmatch_lines([f"*outcome= of scenario 'charge_order'*{told}*"])


# The agent ---------------------------------------------------------------------------------


def test_an_agent_that_fails_without_faults(project: Project) -> None:
    """AF900, no campaign, and the agent's own error."""
    project.agent(body("raise ValueError('boom')"))
    result = project.campaign()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["AF900 *", "*ValueError*boom*"])
    result.stdout.no_fnmatch_line("*plans with one fault*")


@pytest.mark.parametrize(
    "value",
    ["TICKS.append(1) or len(TICKS)", "object.__new__(object).__hash__()", "len(TICKS.append)"],
)
def test_a_nondeterministic_agent_is_told_so(project: Project, value: str) -> None:
    """AF904 with the first event that differs; never a finding that nobody can replay."""
    if value != "TICKS.append(1) or len(TICKS)":
        value = "id(TICKS.append(object()) or TICKS[-1])"
    lines = body(f"n = {value}", CALL.replace("cents=1", "cents=n"), "return Completion.success()")
    project.agent(lines, scenario=SCENARIO + "TICKS = []\n")
    result = project.campaign()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "AF904 two histories: event 0, Called charge_card#1",
            "*Two runs without faults differ. The first difference is event 0: args.cents is",
            "* in one run, * in the other. 0 of 4 *",
            "*hint*keep nothing between runs*",
        ]
    )


def test_randomness_and_time_are_deterministic(project: Project) -> None:
    """random, uuid, secrets, os.urandom and the clocks are the same in every run: no AF904."""
    lines = body(
        "import datetime, os, random, secrets, time, uuid",
        "key = f'{uuid.uuid4()} {random.random()} {secrets.token_hex(4)} {os.urandom(3)!r}'",
        "key += f' {time.time()} {datetime.datetime.now()} {time.monotonic()}'",
        "for _ in range(2):",
        "    try:",
        f"        {CALL.replace(chr(39) + 'k' + chr(39), 'key')}",
        "        return Completion.success(handle='x')",
        "    except TimeoutError: pass",
        "return Completion.blocked(reason='outcome_unknown')",
    )
    project.agent(lines)
    project.campaign().assert_outcomes(passed=2)


def test_an_agent_that_calls_nothing_has_tested_nothing(project: Project) -> None:
    """AF801 fails a campaign, and says so; without a campaign there is nothing to say."""
    project.agent(body("return Completion.blocked(reason='outcome_unknown')"))
    project.run().assert_outcomes(passed=2)
    result = project.campaign()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "AF801 nothing was tested: the agent called nothing*",
            "FAILED test_agent.py::test_agent - AF801 nothing was tested*",
        ]
    )


# Saved files -------------------------------------------------------------------------------

GOOD = {
    "schema": "agentfuzz.saved/1",
    "format": 1,
    "id": "AF-abcdef",
    "nodeid": "test_shop.py::test_billing",
    "code": "AF101",
    "subject": "charge",
    "title": "charge_card ran 2x, expected 1",
    "plan": "charge_card#1:once/timeout",
    "digest": "0",
}
BAD_FILES = {
    "truncated": json.dumps(GOOD)[:60],
    "empty": "",
    "foreign": '{"hello": 1}',
    "a list": "[]",
    "another schema": json.dumps({**GOOD, "schema": "agentfuzz.finding/1"}),
    "no version": json.dumps({**GOOD, "schema": "agentfuzz.saved"}),
    "no plan format": json.dumps({k: v for k, v in GOOD.items() if k != "format"}),
    "missing field": json.dumps({k: v for k, v in GOOD.items() if k != "plan"}),
    "wrong type": json.dumps({**GOOD, "title": 5}),
    "wrong plan": json.dumps({**GOOD, "plan": "charge_card#1:once/timeot"}),
    "no slot": json.dumps({**GOOD, "plan": "nonsense"}),
    "an id that is a path": json.dumps({**GOOD, "id": "../../test_shop"}),
    "deep": "[" * 100_000,
    "huge number": '{"schema": ' + "9" * 10_000 + "}",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_broken_saved_file_is_set_aside(project: Project, name: str) -> None:
    """One note, the file in bad/, the verdict as without it; asked for, it is an error."""
    project.file("test_shop.py", SHOP.replace("attempt-{attempt}", "charge-A17"))
    project.file(".agentfuzz/AF-abcdef.json", BAD_FILES[name])
    asked = project.run("--agentfuzz-replay=.agentfuzz/AF-abcdef.json")
    assert asked.ret == 4
    asked.stderr.fnmatch_lines(["ERROR: AF-abcdef.json: *"])
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["AF903 AF-abcdef.json: *; moved to .agentfuzz/bad/AF-abcdef.json"])
    assert (project.path / ".agentfuzz/bad/AF-abcdef.json").read_text() == BAD_FILES[name]
    project.run().stdout.no_fnmatch_line("*AF903*")


NEWER = {
    "schema": json.dumps({**GOOD, "schema": "agentfuzz.saved/3"}),
    "plan format": json.dumps({**GOOD, "format": 3}),
}


@pytest.mark.parametrize("name", NEWER)
def test_a_saved_file_of_a_newer_agentfuzz_is_left_for_it(project: Project, name: str) -> None:
    """One note in each session, and the verdict as without it; asked for, it is an error."""
    project.file("test_shop.py", SHOP.replace("attempt-{attempt}", "charge-A17"))
    path = project.file(".agentfuzz/AF-abcdef.json", NEWER[name])
    asked = project.run("--agentfuzz-replay=.agentfuzz/AF-abcdef.json")
    assert asked.ret == 4
    asked.stderr.fnmatch_lines(["ERROR: AF-abcdef.json: written by a newer agentfuzz*"])
    for _ in range(2):
        result = project.run()
        result.assert_outcomes(passed=1)
        text = " ".join(result.stdout.str().split())
        assert text.count("AF903 AF-abcdef.json: written by a newer agentfuzz (") == 1
        assert "; left where it is" in text
        assert path.read_text() == NEWER[name]


def test_saved_bytes_that_are_no_text(project: Project) -> None:
    """Not UTF-8: the same note."""
    project.shop()
    project.file(".agentfuzz/AF-abcdef.json", "")
    (project.path / ".agentfuzz/AF-abcdef.json").write_bytes(b"\xff\xfe\x00")
    project.run().stdout.fnmatch_lines(["AF903 AF-abcdef.json: cannot be read*"])


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ("refund#1:once/timeout", "*names the tool 'refund'*"),
        ("charge_card#7:once/timeout", "*charge_card#7:once/timeout is not reached*"),
    ],
)
def test_a_saved_plan_that_no_longer_applies(project: Project, plan: str, why: str) -> None:
    """A tool or a call that is gone is a note, not a failure, and never passes for fixed."""
    project.file("test_shop.py", SHOP.replace("attempt-{attempt}", "charge-A17"))
    path = project.file(".agentfuzz/AF-abcdef.json", json.dumps({**GOOD, "plan": plan}))
    result = project.run()
    result.assert_outcomes(passed=1)
    text = " ".join(line.strip() for line in result.outlines)
    assert "note: saved AF-abcdef no longer applies" in text
    assert why.strip("*").split("*")[0] in text, text
    assert path.exists()


def test_a_wrong_plan_in_a_regression_test(project: Project) -> None:
    """The part of the plan that cannot be read, and its near miss."""
    project.shop()
    project.file(
        "test_kept.py",
        "from test_shop import test_billing as _test\nfrom agentfuzz import regression\n"
        "test_kept = regression(_test, plan='charge_card#1:once/timeot', code='AF101')\n",
    )
    result = project.run("test_kept.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*PlanError: *'timeot' is none of *Did you mean 'timeout'?*"])


# Folders -----------------------------------------------------------------------------------


def in_the_way(project: Project, name: str) -> Path:
    return project.file(name, "a file in the way")


@pytest.mark.parametrize("name", ["reports", "reports/agentfuzz"])
def test_a_report_folder_that_cannot_be_written(project: Project, name: str) -> None:
    """One line; the block, the saved file and the exit code are as ever."""
    project.shop()
    in_the_way(project, name)
    result = project.campaign()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["AF101 charge_card ran 2x, expected 1", f"{REPORT} (*): reports/agentfuzz"]
    )
    assert len(project.saved()) == 1


def test_a_report_asked_for_and_not_written_is_exit_4(project: Project) -> None:
    """A clean campaign whose report was asked for by option does not end green without it."""
    project.file("test_shop.py", SHOP.replace("attempt-{attempt}", "charge-A17"))
    in_the_way(project, "out")
    result = project.campaign("--agentfuzz-report-dir=out")
    result.assert_outcomes(passed=1)
    assert result.ret == 4
    result.stdout.fnmatch_lines([f"{REPORT} (*): out"])
    assert project.campaign().ret == 0


@pytest.mark.parametrize("error", ["No space left on device", "Read-only file system"])
def test_a_full_disk_changes_no_verdict(
    project: Project, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    """Every write fails: two lines say so, the block and exit 1 stay."""
    import os

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, error)

    project.shop()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        result = project.campaign("-p", "no:cacheprovider")
    assert result.ret == 1
    text = " ".join(line.strip() for line in result.outlines)
    assert f"agentfuzz: counterexamples not saved ({error})" in text
    assert f"{REPORT} ({error})" in text
    result.stdout.fnmatch_lines(["AF101 charge_card ran 2x, expected 1"])
    left = [p for p in project.path.glob("**/*") if p.name.startswith((".tmp-", ".AF"))]
    assert left == []


def test_a_saved_folder_that_is_a_file(project: Project) -> None:
    """Nothing can be kept: one line, the block and exit 1 stay."""
    project.shop()
    in_the_way(project, ".agentfuzz")
    result = project.campaign()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["report: reports/agentfuzz/index.html", "agentfuzz: counterexamples not saved (*"]
    )


@pytest.mark.parametrize("name", ["../../x", "/abs", "C:\\x", "con", "x" * 500, "a\nb", " "])
def test_odd_names_write_only_inside_the_folders(project: Project, name: str) -> None:
    """Names of tools become no paths, whatever they are."""
    scenario = SCENARIO.replace('dedup="key"', f'dedup="key", name={name!r}')
    agent = body(
        "for n in range(3):",
        "    try:",
        f"        world.tools[{name!r}](order_id='A', cents=1, idempotency_key=str(n))",
        "        return Completion.success(handle='x')",
        "    except TimeoutError: pass",
        "return Completion.blocked(reason='outcome_unknown')",
    )
    project.agent(agent, scenario=scenario)
    before = set(project.path.parent.iterdir())
    result = project.campaign()
    assert "INTERNALERROR" not in result.stdout.str()
    assert result.parseoutcomes()["passed"] == 1
    top = {path.name for path in project.path.iterdir()}
    assert top <= {"test_agent.py", ".agentfuzz", "reports", "__pycache__", ".pytest_cache"}
    assert set(project.path.parent.iterdir()) == before
