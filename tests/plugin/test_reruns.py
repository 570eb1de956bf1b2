"""A test that is run again in its session: the last time counts (beside the plugin that does it:
`tests/neighbours`)."""

import json

from .conftest import Project
from .sources import BASE

AGAIN = """
from _pytest.runner import runtestprotocol


def pytest_runtest_protocol(item, nextitem):
    for last in (False, True):
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            if report.when == "call" and not last:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
        item._initrequest()
    return True
"""
TWO = (
    BASE
    + """


@fuzz(charge_order, only=("once/timeout",))
def test_buggy(world):
    return billing_agent(world.tools)


@fuzz(charge_order, only=("once/timeout",))
def test_mended(world, times):
    return billing_agent(world.tools, "k" if times > 1 else "attempt-{attempt}")
"""
)
TIMES = """
import pytest

KEY = pytest.StashKey()


@pytest.fixture
def times(request):
    counted = request.node.stash.setdefault(KEY, [])
    counted.append(1)
    return len(counted)
"""


def test_the_last_time_counts(project: Project) -> None:
    """In the report, the terminal and JUnit; what came back is there once, what did not is named
    and no longer saved."""
    project.file("conftest.py", AGAIN + TIMES)
    project.file("test_two.py", TWO)
    text = " ".join(project.campaign("--junitxml=out.xml").stdout.str().split())
    report = json.loads((project.path / "reports/agentfuzz/report.json").read_text("utf-8"))
    assert [one["nodeid"].partition("::")[2] for one in report["campaigns"]] == [
        "test_buggy",
        "test_mended",
    ]
    assert report["findings"] == project.saved()
    assert len(project.saved()) == 1
    assert "2 campaigns, " in text
    assert "test_buggy was run 2 times, and the last time counts test_two" in text
    assert "test_mended was run 2 times, and the last time counts; what was found before" in text
    written = (project.path / "out.xml").read_text("utf-8")
    assert written.count(project.saved()[0] + '"') == 1
    assert written.count("agentfuzz.finding") == 1
