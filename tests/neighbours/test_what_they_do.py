"""What a neighbour does to a test does to a campaign what it says: reruns, timeouts, coverage; what
it sends is refused, and told."""

import json

import pytest

from .conftest import ON, Project
from .sources import DEEP, FLAKY, LANGSMITH, LATE

pytestmark = pytest.mark.slow

RERUNS = ("-p", "rerunfailures", "--reruns=2")
BUGGY = "test_all::test_buggy"


@pytest.mark.parametrize("xdist", [(), ("-p", "xdist", "-n", "2")], ids=["here", "xdist"])
def test_of_a_test_that_is_run_again_the_last_time_counts(
    shop: Project, xdist: tuple[str, ...]
) -> None:
    """Each rerun is told; nothing is doubled in reports, JUnit and terminal; what came back no
    more is named, and saved no more."""
    shop.file("test_flaky.py", FLAKY)
    seen = shop.run(ON, *RERUNS, *xdist)
    assert seen.code == 1
    outcome, line, *ids = seen.tests[BUGGY]
    assert (outcome, line, len(ids)) == ("failure", "AF101 charge_card ran 2x, expected 1", 1)
    assert seen.tests["test_flaky::test_mended"][0] == "passed"
    report = json.loads((shop.path / "reports/agentfuzz/report.json").read_text("utf-8"))
    told = [one["nodeid"] for one in report["campaigns"]]
    assert len(told) == len(set(told)) == 5
    assert len(report["findings"]) == 2
    assert ids[0] in report["findings"]
    assert {name.rpartition("/")[2][:15] for name in seen.files} == set(report["findings"])
    text = " ".join(seen.output.split())
    assert all(said in text for said in ("5 campaigns,", "2 failed", "5 rerun"))
    assert "test_all.py::test_buggy was run 3 times, and the last time counts test_all" in text
    assert "test_flaky.py::test_mended was run 2 times, and the last time counts; what" in text
    assert "was found before did not come back: AF-" in text


@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_timeout_that_strikes(project: Project, method: str) -> None:
    """The test fails by it, with what was found by then; it is saved; the session goes on; no agent
    can swallow it, and a method that would end the process does not."""
    project.file("test_late.py", LATE)
    seen = project.run(ON, "-p", "timeout", "--timeout=600", f"--timeout-method={method}")
    outcomes = {name.partition("::")[2]: told[:2] for name, told in seen.tests.items()}
    assert outcomes == {
        "test_late[buggy]": ("failure", "AF101 charge_card ran 2x, expected 1"),
        "test_late[honest]": ("failure", "Timeout (>600.0s) from pytest-timeout"),
        "test_awaits": ("failure", "Timeout (>600.0s) from pytest-timeout"),
        "test_after": ("passed", ""),
    }
    text = " ".join(seen.output.split())
    assert "Timeout (>600.0s) from pytest-timeout. It had made 30 runs. Give the campaign" in text
    assert "It was neither shrunk nor replayed: the campaign was interrupted." in text
    assert "Stopped by timeout" in text
    assert [name for name in seen.files if name.startswith(".agentfuzz/")]
    assert not any(code in text for code in ("AF901", "AF904", "AF906"))


@pytest.mark.parametrize("command", ["pytest-cov", "xdist", "coverage run"])
def test_coverage_of_campaigns(project: Project, command: str) -> None:
    """What a plan of two faults leads to is measured, in whichever process it was run; in one that
    is begun anew, as under xdist, by coverage.py's own means."""
    project.file("test_deep.py", DEEP)
    options = [ON, "--agentfuzz-depth=2", "--agentfuzz-max-runs=500", "--agentfuzz-memo=off"]
    options.append("--agentfuzz-workers=2")
    where = ["--cov=test_deep", "--cov-branch", "--cov-report=json:cov.json"]
    if command == "xdist":
        project.file("pyproject.toml", '[tool.coverage.run]\npatch = ["subprocess"]\n')
        seen = project.run(*options, "-p", "xdist", "-n", "1", "-p", "pytest_cov", *where)
    elif command == "pytest-cov":
        seen = project.run(*options, "-p", "pytest_cov", *where)
    else:
        seen = project.run(*options, under=("coverage", "run", "--branch", "--source=."))
        project.ran("-m", "coverage", "json", "-o", "cov.json")
    assert seen.code == 0, seen.output
    measured = json.loads((project.path / "cov.json").read_text("utf-8"))["files"]["test_deep.py"]
    assert measured["missing_lines"] == []


def test_what_they_send_is_refused_and_told(project: Project) -> None:
    """A tracer's requests in a run, by the line of the agent and the host; the verdict stays."""
    project.file("test_traced.py", LANGSMITH.partition("@pytest.mark.langsmith\ndef")[0])
    seen = project.run(ON, "-p", "langsmith_plugin", LANGSMITH_TRACING="true")
    assert seen.code == 0, seen.output
    text = " ".join(seen.output.split())
    assert "AF905 escapes control: thread" in text
    assert "traces.invalid:443 (refused)" in text


IMPORTS = """
import sys

from conftest import seen


def test_ordinary():
    pass


def test_last():
    modules = sorted(name for name in sys.modules if name.partition(".")[0] == "agentfuzz")
    seen.write_text(" ".join(modules))
"""


def test_unused_nothing_is_imported_early(project: Project) -> None:
    """Beside plugins whose hooks agentfuzz minds, an ordinary test imports nothing of it but the
    hooks, and none of the others."""
    project.file("conftest.py", "from pathlib import Path\n\nseen = Path('seen.txt').absolute()\n")
    project.file("test_ordinary.py", IMPORTS)
    names = ("timeout", "rerunfailures", "pytest_cov", "recording", "xdist")
    plugins = [word for name in names for word in ("-p", name)]
    seen = project.run(*plugins, "--timeout=600", "--reruns=1", "--cov=shop")
    assert seen.code == 0, seen.output
    assert (project.path / "seen.txt").read_text("utf-8").split() == [
        "agentfuzz",
        "agentfuzz.plugin",
        "agentfuzz.plugin.carried",
        "agentfuzz.plugin.hooks",
        "agentfuzz.plugin.options",
        "agentfuzz.plugin.settings",
    ]
    project.file(
        "probe.py",
        "import sys\nimport pytest\n"
        "code = pytest.main(['-q', '-p', 'agentfuzz', 'test_ordinary.py'])\n"
        "found = {name.partition('.')[0] for name in sys.modules}\n"
        "print(code, found & {'coverage', 'pytest_timeout', 'pytest_cov', 'xdist', 'vcr',\n"
        "    'pytest_rerunfailures', 'deepeval', 'langsmith', 'hypothesis', 'pydantic'})\n",
    )
    assert project.ran("probe.py").splitlines()[-1] == "0 set()"
