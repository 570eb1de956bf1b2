"""The examples: each pins its application, tells what is found, and stands in the index."""

import re
import tomllib

import pytest

from tools import examples

from ..docs.pages import ROOT

FOUND = {example.folder.name: example for example in examples.examples()}
INDEX = (ROOT / "examples/README.md").read_text("utf-8")


def row(example: examples.Example) -> str:
    """Its line in the index."""
    name, text = example.folder.name, (example.folder / "README.md").read_text("utf-8")
    title = text.splitlines()[0].removeprefix("# ")
    found = ", ".join(sorted(example.stated)) or "nothing"
    return f"| [{name}]({name}/README.md) | {title} | {', '.join(example.pins)} | {found} |"


def test_there_are_some():
    assert len(FOUND) >= 5


@pytest.mark.parametrize("name", FOUND)
def test_an_example_is_short_pinned_and_told(name):
    """A short test, an exact version that its lock holds, a short README, a line in the index."""
    example = FOUND[name]
    [test] = example.folder.glob("test_*.py")
    assert test.read_text("utf-8").count("\n") < 40
    assert (example.folder / "README.md").read_text("utf-8").count("\n") <= 15
    assert example.pins
    asked = (example.folder / "requirements.in").read_text("utf-8")
    locked = example.lock.read_text("utf-8")
    assert all(pin in locked or f"# no-deps: {pin}" in asked for pin in example.pins)
    assert all(re.match(r"[\w.-]+==[\w.+]+( ;|$)", line) for line in locked.splitlines())
    assert row(example) in INDEX


def test_they_are_run_in_their_own_environments_alone():
    """The suite has none of their packages."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]
    assert settings["ini_options"]["testpaths"] == ["tests"]


def test_what_is_asked_for_beside_requirements():
    """A package without what it needs, and a folder of a source distribution."""
    assert FOUND["mini_swe_agent"].asked("no-deps") == ("mini-swe-agent==2.4.6",)
    assert FOUND["mcp_chatbot"].asked("source") == ("mcp==1.30.0 examples/clients/simple-chatbot",)
