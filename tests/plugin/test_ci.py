"""A job of a CI: a project in a folder of its repository, run as a runner runs it.

Law: annotations are what a runner reads of the log, files are what the schemas say, and the exit
code tells new findings, fixed ones, nothing tested and an interruption apart.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft4Validator

from report.github_runner import Command, commands

from .conftest import Project
from .sources import SCENARIO

SCHEMAS = Path(__file__).parents[1] / "report/schemas"
KEY = "AKIAIOSFODNN7EXAMPLE"

AGENT = '''
"""The shop's agent."""

from agentfuzz import Completion


def billing_agent(tools, key="attempt-{attempt}"):
    for attempt in range(3):
        try:
            reply = tools.charge_card(
                order_id="A17", cents=4200, idempotency_key=key.format(attempt=attempt)
            )
        except (TimeoutError, ConnectionError):
            continue
        if isinstance(reply, dict) and "charge_id" in reply:
            return Completion.success(handle=str(reply["charge_id"]))
    return Completion.blocked(reason="outcome_unknown")
'''
TEST = (
    SCENARIO
    + """
from shop.agent import billing_agent


@fuzz(charge_order, only=("once/timeout", "twice"))
def test_billing(world):
    return billing_agent(world.tools)
"""
)
UNTESTED = """
from agentfuzz import Completion, fuzz, scenario


@scenario(task="Do nothing.")
def idle(world):
    @world.tool(effect="charge")
    def charge_card(order_id: str) -> str:
        return "ok"


@fuzz(idle)
def test_idle(world):
    return Completion.success()
"""
EVERY = "auto,sarif,gitlab,junit,receipt"


class Job:
    """A step of a job: a checkout with the project in `services/shop`."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.root = project.path / "services/shop"
        self.summary = project.path.parent / "step_summary.md"
        self.environ = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(project.path),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }
        self.write("pytest.ini", "[pytest]\npythonpath = .\n")
        self.write("shop/agent.py", AGENT)
        self.write("tests/test_shop.py", TEST)

    def write(self, name: str, text: str) -> Path:
        return self.project.file(f"services/shop/{name}", text)

    def run(self, *args: str, root: Path | None = None) -> tuple[int, str, list[Command]]:
        """A step: its exit code, its log, and the commands in it."""
        self.summary.unlink(missing_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environ.items():
                patch.setenv(name, value)
            patch.chdir(root or self.root)
            result = self.project.campaign("-p", "no:cacheprovider", *args)
        log = result.stdout.str() + "\n"
        return int(result.ret), log, commands(log)

    def spawn(self, *args: str, **environ: str) -> tuple[int, str, list[Command]]:
        """A step in a process of its own."""
        self.summary.unlink(missing_ok=True)
        small = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=80")
        given = {**self.environ, **environ}
        done = self.project.spawn(*small, *args, cwd="services/shop", **given)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, commands(done.stdout)

    def report(self, name: str) -> str:
        return (self.root / "reports/agentfuzz" / name).read_text(encoding="utf-8")

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.root / "reports/agentfuzz").iterdir())

    def sarif(self) -> Any:
        """The run of the SARIF file, which is valid."""
        log = json.loads(self.report("report.sarif"))
        schema = json.loads((SCHEMAS / "sarif-2.1.0.json").read_text(encoding="utf-8"))
        Draft4Validator(schema).validate(log)
        return log["runs"][0]


@pytest.fixture
def job(project: Project) -> Iterator[Job]:
    """The environment of the step is not that of the test."""
    import sys

    before = list(sys.path)
    yield Job(project)
    sys.path[:] = before
    for name in [one for one in sys.modules if one.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_a_job_that_finds_something(job: Job) -> None:
    """Exit code 1; an annotation at the line of the agent's code, as the repository has it; the
    same place in every file; and the summary of the step."""
    code, log, told = job.run("--agentfuzz-report", EVERY, "--junitxml=junit.xml")
    assert code == 1, log
    line = 1 + AGENT.splitlines().index("            reply = tools.charge_card(")
    path = "services/shop/shop/agent.py"
    for one in told:
        assert one.name == "error"
        assert one.properties["file"] == path
        assert one.properties["line"] == str(line)
    codes = {one.properties["title"].partition(":")[0] for one in told}
    assert codes == {"agentfuzz AF101"}
    replays = [one.data.rpartition("\n")[2] for one in told]
    assert all(re.fullmatch(r"pytest --agentfuzz-replay AF-\w+", one) for one in replays)
    results = job.sarif()["results"]
    assert len(results) == len(told)
    for result in results:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == path
        assert place["region"]["startLine"] == line
        assert (job.project.path / path).is_file()
    issues = json.loads(job.report("report.gitlab.json"))
    assert {(one["location"]["path"], one["location"]["lines"]["begin"]) for one in issues} == {
        (path, line)
    }
    saved = job.project.path / "services/shop/.agentfuzz"
    ids = sorted(one.stem for one in saved.glob("AF-*.json"))
    assert sorted(one.removesuffix(".receipt.json") for one in job.files() if "rec" in one) == ids
    summary = job.summary.read_text(encoding="utf-8")
    assert summary.count("\n### ") == len(told)
    assert all(one in summary for one in replays)
    xml = (job.root / "junit.xml").read_text(encoding="utf-8")
    assert all(f'name="agentfuzz.finding" value="{one}"' in xml for one in ids)


def test_a_job_that_fixes_it(job: Job) -> None:
    """Exit code 0, no annotation, empty lists, and a summary that says so."""
    assert job.run("--agentfuzz-report", EVERY)[0] == 1
    job.write("shop/agent.py", AGENT.replace("attempt-{attempt}", "charge-A17"))
    code, log, told = job.run("--agentfuzz-report", EVERY)
    assert (code, told) == (0, []), log
    assert job.sarif()["results"] == []
    assert job.report("report.gitlab.json") == "[]\n"
    assert "## agentfuzz: 0 findings in 1 campaign" in job.summary.read_text(encoding="utf-8")


def test_a_job_that_tests_nothing(job: Job) -> None:
    """A campaign without a fault fails, and is told at its test; without a campaign it is 5."""
    job.write("tests/test_shop.py", UNTESTED)
    code, log, told = job.run("--agentfuzz-report", EVERY)
    assert code == 1, log
    (one,) = told
    assert one.properties == {
        "file": "services/shop/tests/test_shop.py",
        "line": str(1 + UNTESTED.splitlines().index("@fuzz(idle)")),
        "title": "agentfuzz AF801",
    }
    notes = job.sarif()["invocations"][0]["toolExecutionNotifications"]
    assert any(one["message"]["text"].startswith("AF801") for one in notes)
    job.write("tests/test_shop.py", "def test_plain(): pass\n")
    code, _, told = job.run("--agentfuzz-report", EVERY)
    assert (code, told) == (5, [])


@pytest.mark.slow
def test_a_job_that_is_interrupted(job: Job) -> None:
    """Exit code 2; what was found before is told, and every file says that it is not all."""
    job.write("tests/test_stop.py", "def test_stop():\n    raise KeyboardInterrupt\n")
    code, log, told = job.spawn("--agentfuzz-report", EVERY)
    assert code == 2, log
    assert {one.name for one in told} == {"error"}
    (invocation,) = job.sarif()["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    assert json.loads(job.report("report.json"))["complete"] is False


# Which formats ----------------------------------------------------------------------------


def test_what_is_written_without_being_asked_for(job: Job) -> None:
    """As ever; on GitHub the annotations and the summary as well, and none of it elsewhere."""
    _, _, told = job.run()
    assert told
    assert job.summary.exists()
    assert {one.rpartition(".")[2] for one in job.files()} == {"html", "md", "json"}
    assert not [one for one in job.files() if "receipt" in one or "gitlab" in one]
    del job.environ["GITHUB_ACTIONS"]
    _, _, told = job.run()
    assert not told
    assert not job.summary.exists()


def test_a_list_says_exactly_what_is_written(job: Job) -> None:
    """No annotation where it leaves GitHub out; no file that is not in it; and the line at the end
    names one that is there."""
    _, log, told = job.run("--agentfuzz-report=sarif")
    assert not told
    assert not job.summary.exists()
    assert job.files() == ["report.sarif"]
    assert "report: reports/agentfuzz/report.sarif" in log
    _, log, told = job.run("--agentfuzz-report=github", "--agentfuzz-report-dir=other")
    assert told
    assert not (job.root / "other").exists()
    assert "report:" not in log
    _, _, told = job.run("--agentfuzz-report=auto,no-github")
    assert not told


def test_the_ini_key_is_the_same(job: Job) -> None:
    """And the option wins."""
    job.write("pytest.ini", "[pytest]\npythonpath = .\nagentfuzz_report = sarif, gitlab\n")
    job.run()
    assert job.files() == ["report.gitlab.json", "report.sarif"]
    job.run("--agentfuzz-report=json", "--agentfuzz-report-dir=other")
    assert all(one.suffix == ".json" for one in (job.root / "other").iterdir())


@pytest.mark.parametrize("ini", [False, True])
def test_an_unknown_format_is_an_error_before_any_test(job: Job, ini: bool) -> None:
    """Exit code 4 with the name that was meant, for the option and for the key."""
    if ini:
        job.write("pytest.ini", "[pytest]\nagentfuzz_report = html,sarf\n")
    args = [] if ini else ["--agentfuzz-report=html,sarf"]
    result = job.project.run(*args, "-c", str(job.root / "pytest.ini"))
    assert result.ret == 4
    (said,) = [line for line in result.errlines if line.strip()]
    assert "--agentfuzz-report (agentfuzz_report) = html,sarf" in said
    assert "there is no format 'sarf'. Did you mean 'sarif'?" in said


# JUnit ------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["xunit1", "xunit2", "legacy"])
def test_junit_carries_what_is_asked_for(job: Job, family: str) -> None:
    """Ids and codes always, more with `junit`, nothing with `no-junit`: that file alone is one for
    a reader that refuses properties of a test case (the schema of Jenkins' xUnit plugin)."""
    for word, names in (
        ("auto", {"finding", "code"}),
        ("auto,junit", {"finding", "code", "cause", "plan", "message", "runs"}),
        ("auto,no-junit", set[str]()),
    ):
        path = job.root / "junit.xml"
        args = ("-o", f"junit_family={family}", f"--junitxml={path}")
        assert job.run("--agentfuzz-report", word, *args)[0] == 1
        tree = ElementTree.parse(path)
        found = {one.get("name", "") for one in tree.iter("property")}
        assert found == {f"agentfuzz.{name}" for name in names}
        assert "AF101" in (next(tree.iter("failure")).get("message") or "")
        wrong = invalid(tree.getroot(), ElementTree.parse(SCHEMAS / "jenkins-junit-10.xsd"))
        file_and_line = {"testcase: file", "testcase: line"}  # of xunit1, which it refuses as well
        assert wrong - file_and_line == ({"testcase: <properties>"} if names else set())


XS = "{http://www.w3.org/2001/XMLSchema}"


def invalid(root: Any, schema: Any) -> set[str]:
    """What a schema refuses of a document: attributes that it does not name, lacks, or has in
    another form, and children that it does not allow. (Its sequences are all choices.)"""
    types = {one.get("name"): one for one in schema.iter(f"{XS}complexType") if one.get("name")}
    forms = {
        one.get("name"): one.find(f".//{XS}pattern").get("value")
        for one in schema.iter(f"{XS}simpleType")
    }
    wrong = set()
    elements = {one.get("name"): one for one in schema.getroot().findall(f"{XS}element")}
    for one in root.iter():
        told = elements[one.tag]
        told = types.get(told.get("type"), told)
        attributes = {each.get("name"): each for each in told.iter(f"{XS}attribute")}
        children = {each.get("ref") or each.get("name") for each in told.iter(f"{XS}element")}
        for name, value in one.attrib.items():
            form = forms.get(attributes[name].get("type")) if name in attributes else ".*"
            if name not in attributes or not re.fullmatch(form or "(?s).*", value):
                wrong.add(f"{one.tag}: {name}")
        for name, each in attributes.items():
            if each.get("use") == "required" and name not in one.attrib:
                wrong.add(f"{one.tag}: no {name}")
        wrong |= {f"{one.tag}: <{each.tag}>" for each in one if each.tag not in children}
    return wrong


# What may go wrong ------------------------------------------------------------------------


def test_a_report_that_cannot_be_written_fails_a_job_that_asked_for_it(job: Job) -> None:
    """Exit code 4 where nothing was found, 1 where something was; a line says why."""
    fixed = AGENT.replace("attempt-{attempt}", "charge-A17")
    job.write("reports", "a file")
    code, log, _ = job.run("--agentfuzz-report=sarif")
    assert code == 1
    assert "agentfuzz: report not written (" in log
    job.write("shop/agent.py", fixed)
    code, log, _ = job.run("--agentfuzz-report=sarif")
    assert (code, "agentfuzz: report not written (" in log) == (4, True)
    code, log, _ = job.run()
    assert (code, "agentfuzz: report not written (" in log) == (0, True)


def test_a_summary_that_cannot_be_written_is_a_line(job: Job) -> None:
    """The other reports are there; it fails the job where it was asked for."""
    job.write("shop/agent.py", AGENT.replace("attempt-{attempt}", "charge-A17"))
    job.environ["GITHUB_STEP_SUMMARY"] = str(job.root)
    code, log, _ = job.run()
    assert code == 0
    assert "agentfuzz: report not written (Is a directory): the summary of the step" in log
    assert "index.html" in job.files()
    assert job.run("--agentfuzz-report=auto,github")[0] == 4


def test_secrets_are_in_no_output(job: Job) -> None:
    """What an agent sends is searched before it is told, in every format."""
    job.write("shop/agent.py", AGENT.replace("attempt-{attempt}", f"{KEY}-{{attempt}}"))
    args = ("--agentfuzz-report", EVERY, "--junitxml=junit.xml")
    code, log, told = job.run(*args)
    assert code == 1
    assert told
    written = [log, job.summary.read_text(encoding="utf-8")]
    for path in (job.root / "reports").rglob("*"):
        written += [path.read_text(encoding="utf-8")] if path.is_file() else []
    written.append((job.root / "junit.xml").read_text(encoding="utf-8"))
    assert not [text for text in written if KEY in text]
    assert "[redacted 1: an AWS key]" in job.report(next(f for f in job.files() if "rec" in f))


def test_what_agents_say_is_no_command(job: Job) -> None:
    """A task, a tool and an error that look like one: the only commands are the annotations, and
    what was said stands in them."""
    evil = "::warning::pwned%0A##[error]x"
    text = TEST.replace('task="Charge A17."', f'task="{evil}"').replace(
        "return billing_agent(world.tools)",
        f"raise RuntimeError({evil!r} + chr(10) + {evil!r})",
    )
    job.write("tests/test_shop.py", text)
    code, log, told = job.run("--agentfuzz-report", EVERY)
    assert code == 1
    assert {one.name for one in told} == {"error"}
    assert all(one.properties["title"].startswith("agentfuzz AF") for one in told)
    assert "pwned%0A" in told[0].data
    assert "##[" not in log
    assert "\n::warning" not in job.summary.read_text(encoding="utf-8")


def test_a_narrow_terminal_cuts_no_annotation(job: Job) -> None:
    """Lines for a runner are as long as they are."""
    _, _, wide = job.run()
    job.environ["COLUMNS"] = "60"
    assert job.run()[2] == wide


def test_a_project_behind_a_link_has_the_same_places(job: Job) -> None:
    """Whether the workspace is given with it or without it."""
    _, _, told = job.run()
    link = job.project.path.parent / "link"
    link.symlink_to(job.project.path, target_is_directory=True)
    try:
        assert job.run(root=link / "services/shop")[2] == told
        job.environ["GITHUB_WORKSPACE"] = str(link)
        assert job.run()[2] == told
    finally:
        link.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("options", [("-n2", "-p", "xdist"), ("-p", "no:terminal"), ("-q",)])
def test_the_log_has_each_annotation_once(job: Job, options: tuple[str, ...]) -> None:
    """Whoever runs the tests, and however little the terminal shows; on a stdout that is not UTF-8
    as well."""
    job.write("shop/agent.py", AGENT.replace('"outcome_unknown"', '"outcome_unknown", detail="é…"'))
    encoding = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    code, log, told = job.spawn(*options, **encoding)
    assert (code, len(told)) == (1, 1), log
    assert job.summary.read_text(encoding="utf-8").count("## agentfuzz:") == 1
    assert log.isascii()


@pytest.mark.slow
def test_it_is_quiet_where_nobody_reads_the_log(job: Job) -> None:
    """A stdout that is closed by the end costs the session nothing."""
    job.write("conftest.py", "import os, pytest\n\n\n@pytest.hookimpl(tryfirst=True)\n"
              "def pytest_unconfigure():\n    os.close(1)\n")  # fmt: skip
    code, _, told = job.spawn()
    assert (code, told) == (1, [])
    assert job.summary.exists()
