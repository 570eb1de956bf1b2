"""Doors: each start runs as it is written, finds its bug, and passes when that is mended."""

import ast
import re

import pytest

from agentfuzz.plugin.actions.start import NEEDS, STARTS
from tests.extent import some

from .conftest import Project
from .starts import ENOUGH, WHOLE, mend

FILES = {
    path.stem.removeprefix("test_agentfuzz_").replace("_", "-"): path
    for path in STARTS.glob("*.py")
}
QUICK = ("demo", "async", "sqlite")
SLOW = ("openai", "anthropic", "langgraph")
KINDS = [*QUICK, *(pytest.param(kind, marks=pytest.mark.slow) for kind in SLOW)]


def test_every_kind_is_tested() -> None:
    """Pydantic AI has an environment of its own, and its test lies there."""
    assert {*FILES} == {*QUICK, *SLOW, "pydantic-ai"}


@pytest.mark.parametrize("kind", sorted(FILES))
def test_a_start_can_be_read(kind: str) -> None:
    """It is short, says in three comments where one's own things go, and opens with what it is."""
    text = FILES[kind].read_text(encoding="utf-8")
    assert 30 <= len(text.splitlines()) <= 65
    assert re.findall(r"(?m)^ *# (\d)\. (?:Put|Call|Run) ", text) == ["1", "2", "3"]
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("kind", some(KINDS, 3))
def test_a_start_is_red_and_its_commented_line_mends_it(project: Project, kind: str) -> None:
    """As it is written its campaign finds that something happened twice; with the other line it
    passes, strictly. Nothing else is found, and no program is started."""
    for package in NEEDS.get(kind, ())[:1]:
        pytest.importorskip(package)
    done = project.run("--agentfuzz-init", kind)
    name = FILES[kind].name
    assert f"wrote tests/{name}" in done.outlines
    assert done.outlines[-1] == f"next: pytest --agentfuzz tests/{name}"
    red = project.spawn("--agentfuzz", *ENOUGH, f"tests/{name}", patience=1800)
    assert red.returncode == 1, red.stdout
    assert re.search(r"(?m)^AF101 charge(_card)? ran 2x, expected 1$", red.stdout), red.stdout
    assert {*re.findall(r"(?m)^AF\d{3}", red.stdout)} <= {"AF101", "AF102", "AF106"}
    assert "escapes control: subprocess" not in red.stdout
    mend(project.path / "tests" / name)
    strict = ("--agentfuzz", "--agentfuzz-strict", *WHOLE)
    green = project.spawn(*strict, f"tests/{name}", patience=1800)
    assert green.returncode == 0, green.stdout
    assert "0 findings" in green.stdout


def test_without_a_name_it_is_the_demo(project: Project) -> None:
    project.run("--agentfuzz-init")
    demo = project.path / "tests/test_agentfuzz_demo.py"
    assert demo.read_text(encoding="utf-8") == FILES["demo"].read_text(encoding="utf-8")


def test_a_package_that_is_missing_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what brings it; the start is written all the same. What is there is not named."""
    monkeypatch.setitem(NEEDS, "openai", ("no-such-package", "wire"))
    done = project.run("--agentfuzz-init", "openai")
    assert done.ret == 0
    done.stdout.fnmatch_lines(
        [
            "wrote tests/test_agentfuzz_openai.py",
            "no-such-package is not installed: pip install 'pytest-agentfuzz[[]wire]'",
            "next: pytest --agentfuzz tests/test_agentfuzz_openai.py",
        ]
    )
    monkeypatch.setitem(NEEDS, "openai", ("pytest", "wire"))
    project.run("--agentfuzz-init", "openai").stdout.no_fnmatch_line("*installed*")


def test_a_kind_may_be_written_with_an_underscore(project: Project) -> None:
    project.run("--agentfuzz-init", "pydantic_ai")
    assert (project.path / "tests/test_agentfuzz_pydantic_ai.py").is_file()


def test_an_unknown_kind_names_the_near_miss_and_both_lists(project: Project) -> None:
    """One error, exit 4; not even the workflow is written."""
    done = project.run("--agentfuzz-init", "langgrph", "--agentfuzz-ci", "github")
    assert done.ret == 4
    done.stderr.fnmatch_lines(
        ["*no story 'langgrph'. Did you mean 'langgraph'? Kinds are: *sqlite. *Stories are: *saga*"]
    )
    assert not list(project.path.iterdir())


@pytest.mark.parametrize(
    ("name", "nearest", "adapters"),
    [
        ("crewai", "", ["crewai"]),
        ("CrewAI", "", ["crewai"]),
        ("crewia", "", ["crewai"]),
        ("autogen", "", ["autogen"]),
        ("openai-agents", "", ["openai_agents"]),
        ("adk", "", ["google_adk"]),
        ("langchain", "langgraph", []),
        ("pydanticai", "pydantic-ai", []),
        ("OpenAI", "openai", ["openai_agents"]),
        ("claude", "anthropic", ["claude_agent_sdk"]),
        ("sqllite", "sqlite", []),
        ("charge_orders", "charge_order", []),
        ("x", "", []),
    ],
)
def test_a_framework_without_a_start_is_led_to_its_adapter(
    project: Project, name: str, nearest: str, adapters: list[str]
) -> None:
    """What it may have meant is named: a kind, a story, an adapter with its page; then all that
    there is."""
    done = project.run("--agentfuzz-init", name)
    assert done.ret == 4
    said, _, lists = done.stderr.str().partition(" Kinds are: ")
    assert re.findall(r"Did you mean '(.*?)'", said) == [nearest][: bool(nearest)]
    assert re.findall(r"(\w+) has an adapter and no start: docs/frameworks.md", said) == adapters
    assert "Adapters without a start (docs/frameworks.md) are: agent_framework, " in lists
    assert not {"langgraph", "pydantic_ai"} & {*lists.partition("are: agent")[2].split(", ")}
    assert not list(project.path.iterdir())
