"""A project that uses another plugin comes to the same with agentfuzz as without that plugin.

The same exit code, outcomes, findings and ids, byte for byte; and what uses the neighbour, in
`@fuzz` tests and beside them, passes.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.extent import some

from .conftest import ON, ROOT, Project, Seen, interpreter
from .sources import ANYIO, ASYNCIO, CASSETTE, DEEPEVAL, LANGSMITH, MOCK, RECORDING

pytestmark = pytest.mark.slow

Alone = Callable[[bool], Seen]


class Neighbour(NamedTuple):
    """The options that bring one in, and a file of tests that use it."""

    options: tuple[str, ...]
    tests: str = ""


NEIGHBOURS = {
    "asyncio, auto": Neighbour(("-p", "asyncio", "--asyncio-mode=auto"), ASYNCIO),
    "asyncio, strict": Neighbour(("-p", "asyncio", "--asyncio-mode=strict"), ASYNCIO),
    "anyio": Neighbour(("-p", "anyio"), ANYIO),
    "mock": Neighbour(("-p", "pytest_mock"), MOCK),
    "recording": Neighbour(("-p", "recording", "--block-network"), RECORDING),
    "deepeval": Neighbour(("-p", "deepeval"), DEEPEVAL),
    "langsmith": Neighbour(("-p", "langsmith_plugin"), LANGSMITH),
    "timeout": Neighbour(("-p", "timeout", "--timeout=600")),
    "xdist": Neighbour(("-p", "xdist", "-n", "2")),
}


DEAR = ("deepeval", "langsmith")  # to import: without campaigns they are there with all others


@pytest.mark.parametrize("name", some(NEIGHBOURS, 4))
def test_of_a_neighbour(shop: Project, alone: Alone, name: str) -> None:
    """Without campaigns and with them."""
    options, tests = NEIGHBOURS[name]
    if tests:
        shop.file("test_theirs.py", tests)
    for test in ("test_in_each_run", "test_over_and_over", "test_theirs"):
        shop.file(f"cassettes/test_theirs/{test}.yaml", CASSETTE)
    for campaigns in (True,) if name in DEAR else (False, True):
        seen = shop.run(*options, *[ON] * campaigns)
        assert seen.result == alone(campaigns).result, seen.output
        theirs = {test: told[0] for test, told in seen.tests.items() if "test_theirs" in test}
        assert bool(theirs) == bool(tests)
        assert set(theirs.values()) <= {"passed"}, seen.output


OPTIONS = {
    "a random order": ("-p", "randomly", "--randomly-seed=7"),
    "no terminal": ("-p", "no:terminal"),
    "no capture": ("-p", "no:capture"),
    "much at once": ("--import-mode=importlib", "-s", "-p", "no:cacheprovider"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_of_options(shop: Project, alone: Alone, name: str) -> None:
    """Of pytest itself and of others, with campaigns."""
    seen = shop.run(ON, *OPTIONS[name])
    assert seen.result == alone(True).result, seen.output


def test_all_at_once(shop: Project, alone: Alone) -> None:
    """With everything that is installed, as pytest loads it by itself; without campaigns."""
    shop.file("test_deep.py", DEEPEVAL)
    shop.file("test_lang.py", LANGSMITH)
    shop.file("test_mock.py", MOCK)
    seen = shop.run("--cov=shop", ours=False, PYTEST_DISABLE_PLUGIN_AUTOLOAD="")
    assert seen.result == alone(False).result, seen.output
    assert {told[0] for told in seen.tests.values()} == {"passed"}
    assert re.search(r"plugins: .*agentfuzz.*deepeval", seen.output.replace("\n", " "))


@pytest.mark.parametrize(
    ("environment", "options"),
    [("oldest", ()), ("pytest_9_0", ()), ("pytest_9_0", ("-p", "pytest_forked", "--forked"))],
    ids=["the oldest of all", "pytest 9.0", "forked"],
)
def test_of_releases(
    tmp_path: Path, shop: Project, alone: Alone, environment: str, options: tuple[str, ...]
) -> None:
    """Of pytest, and of everything that agentfuzz needs."""
    older = Project(tmp_path, interpreter(environment))
    for campaigns in (False, True):
        seen = older.run(*options, *[ON] * campaigns)
        code, tests, files = alone(campaigns).result
        assert (seen.code, seen.files) == (code, files), seen.output
        assert seen.tests == tests
    assert "AF101 charge_card ran 2x, expected 1\n" in seen.output


def test_their_cassettes_beside_ours(project: Project) -> None:
    """What agentfuzz plays of a model, and what pytest-recording plays, in one test."""
    page = (ROOT / "docs" / "cassettes.md").read_text(encoding="utf-8")
    files = dict(re.findall(r"^```\w+ tests/(\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    mark = "\nimport pytest\npytestmark = [pytest.mark.vcr, pytest.mark.block_network]\n"
    project.file("test_support.py", files["test_support.py"] + mark)
    project.file("refund.yaml", files["refund.yaml"])
    project.file("cassettes/test_support/test_support.yaml", CASSETTE)
    few = (ON, "--agentfuzz-max-runs=20", "-W", "ignore::pytest.PytestUnknownMarkWarning")
    without = project.run(*few)
    project.forget()
    seen = project.run(*few, "-p", "recording")
    assert seen[:3] == without[:3], seen.output
    assert "the cassette refund.yaml answered" in seen.output
