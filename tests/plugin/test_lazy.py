"""A library is imported where it is used, and by nobody before: starting pytest imports none."""

import pytest

from .conftest import Project
from .sources import SHOP

HEAVY = ("hypothesis", "pydantic", "jinja2", "vcr", "freezegun", "tabulate", "yaml", "packaging")
TELLS = f"""
import sys


def pytest_unconfigure(config):
    print("HEAVY", *sorted(set({HEAVY!r}) & set(sys.modules)))
"""
PLAIN = "def test_plain(): pass\n"
GIVEN = """
from hypothesis import strategies as st

from agentfuzz import Completion, fuzz, scenario, truthful


@scenario(truthful(), task="Read.", given={"page": st.integers(1, 3)})
def library(world):
    @world.tool
    def read(page: int) -> str:
        return "Once upon a time"


@fuzz(library, max_runs=20)
def test_reader(world):
    return Completion.success(detail=world.tools.read(page=world.data["page"]))
"""
RUN = {"freezegun", "pydantic"}  # the clock and the tools of every run
TOLD = {*RUN, "jinja2", "tabulate"}  # the page and the table of every campaign


def imported(project: Project, *args: str) -> set[str]:
    """Which of the libraries a session of its own has imported."""
    project.file("conftest.py", TELLS)
    done = project.spawn("-p", "no:cacheprovider", *args)
    lines = [line for line in done.stdout.splitlines() if "HEAVY" in line]
    assert len(lines) == 1, done.stdout + done.stderr
    return set(lines[0].partition("HEAVY")[2].split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "args", "used"),
    [
        (PLAIN, (), set()),
        (PLAIN, ("--agentfuzz",), set()),
        (PLAIN, ("--agentfuzz-database=hypothesis",), set()),
        (SHOP, ("--collect-only",), {"pydantic"}),
        (SHOP, (), RUN),
        (SHOP, ("--agentfuzz-database=hypothesis",), {*RUN, "hypothesis"}),
        (SHOP, ("--agentfuzz", "--agentfuzz-max-runs=20"), TOLD),
        (GIVEN, ("--agentfuzz", "--agentfuzz-max-runs=20"), {*TOLD, "hypothesis"}),
    ],
    ids=["unused", "no campaign", "unshared", "collected", "run", "shared", "campaign", "inputs"],
)
def test_a_library_is_imported_where_it_is_used(
    project: Project, text: str, args: tuple[str, ...], used: set[str]
) -> None:
    """Recorders and YAML are for cassettes, Hypothesis for inputs, templates for pages."""
    project.file("test_some.py", text)
    assert imported(project, *args) == used
