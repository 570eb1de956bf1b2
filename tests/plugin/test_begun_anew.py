"""Processes that begin anew, because threads run where a fork would be: they are as this one is."""

import json
import shutil
import sys
from typing import Any

import pytest

from .conftest import Project

pytestmark = pytest.mark.slow

THREAD = """
import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()
"""
AGENT = """
import warnings


def agent(world, mode):
    try:
        assert mode == "never", "not with -O"
        warnings.warn("an odd way", RuntimeWarning)
        world.tools.pay(n=mode)
    except (RuntimeWarning, TimeoutError):
        world.tools.pay(n=mode)
"""
TEST = """
import pytest

import shop
from agentfuzz import at_most_once, fuzz, scenario


@scenario(at_most_once("pay"), task="Pay.")
def paying(world):
    @world.tool(effect="pay", scope=("n",))
    def pay(n: str) -> str:
        return n


@pytest.fixture
def mode(request):
    return request.config.getoption("--mode", "a")


@fuzz(paying)
def test_pays(world, mode):
    shop.agent(world, mode)
"""
OPTION = """
def pytest_addoption(parser):
    parser.addoption("--mode", default="a")
"""
WORDS = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=60", "--agentfuzz-memo=off")


@pytest.fixture
def shop(project: Project) -> Project:
    project.file("conftest.py", THREAD)
    project.file("shop.py", AGENT)
    project.file("test_pays.py", TEST)
    return project


def campaign(project: Project, *args: str, workers: int) -> tuple[Any, str]:
    """What is reported, and what is said."""
    shutil.rmtree(project.path / ".agentfuzz", ignore_errors=True)
    python = (sys.executable, "-O", "-m", "pytest", "-p", "agentfuzz.plugin")
    words = (*WORDS, f"--agentfuzz-workers={workers}", *args)
    done = project.spawn(*words, command=python)
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads((project.path / "reports/agentfuzz/report.json").read_text("utf-8"))
    return report, " ".join(done.stdout.split())


def test_they_have_the_options_of_python_and_its_warnings(shop: Project) -> None:
    """Without -O nothing is paid; an agent may catch what -W makes of a warning."""
    args = ("-W", "error::RuntimeWarning")
    alone, _ = campaign(shop, *args, workers=1)
    others, said = campaign(shop, *args, workers=2)
    assert others == alone
    assert "AF102" in said
    assert "AF904" not in said
    assert "made in one process" not in said


def test_one_that_comes_out_otherwise_makes_no_runs(shop: Project) -> None:
    """It is not given an option of the project: that is said, and nothing is found by it."""
    shop.file("conftest.py", THREAD + OPTION)
    alone, _ = campaign(shop, "--mode=b", workers=1)
    others, said = campaign(shop, "--mode=b", workers=2)
    assert "one that is begun anew comes out otherwise without faults (it is given no op" in said
    assert others["findings"] == alone["findings"]
    assert "AF904" not in said


ENDS = """
import os
import sys

from agentfuzz.search.runner import Runner

if "--agentfuzz-serve" in sys.argv:
    Runner.serve = lambda *given: os._exit(3)
"""


def test_one_that_ends_before_it_has_begun_is_no_finding(shop: Project) -> None:
    """It has written no plan ahead."""
    shop.file("conftest.py", THREAD + ENDS)
    _, said = campaign(shop, workers=2)
    assert "another did not begin (exit code 3)" in said
    assert "AF902" not in said
