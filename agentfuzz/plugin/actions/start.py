"""What `--agentfuzz-init` writes: a start for a kind of agent, or a bundled story as a test.

Law: what is written runs at once, and nothing is ever overwritten. A start is a file in `starts/`,
as it is written. Called by `actions`.
"""

import ast
import importlib.metadata
import os
import re
from pathlib import Path
from shlex import quote

import pytest

from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.plugin.actions import ignored, workflow
from agentfuzz.plugin.actions.kinds import unknown

STARTS = workflow.STARTS
NEEDS = {  # of a kind: a distribution, and the extra that brings it
    "openai": ("openai", "wire"),
    "anthropic": ("anthropic", "wire"),
    "langgraph": ("langchain", "langgraph"),
    "pydantic-ai": ("pydantic-ai-slim", "pydantic-ai"),
}
_PREFIX = "test_agentfuzz_"


def init(config: pytest.Config, name: str | None, ci: str | None) -> int:
    """Write the start or the story of this name, the workflow of this CI, or both, and have git
    ignore what campaigns leave. Raises AgentfuzzError for an unknown one, before anything."""
    files = [] if name is None else [_start(config, name)]
    kind = (name or "").replace("_", "-")
    _, extra = NEEDS.get(kind, ("", ""))
    flow = None if ci is None else workflow.of(config.rootpath, ci, extra)
    for path, text in [*files, *(flow.files if flow else [])]:
        print(_written(config, path, text))
    for line in ignored.add(config.rootpath):
        print(line)
    if extra and not _installed(NEEDS[kind][0]):
        print(f"{NEEDS[kind][0]} is not installed: pip install 'pytest-agentfuzz[{extra}]'")
    for line in flow.next if flow else []:
        print(line)
    for path, _ in files:
        print(f"next: pytest --agentfuzz {quote(from_here(config, path))}")
    return 0


def _start(config: pytest.Config, name: str) -> tuple[Path, str]:
    """The file of a kind of agent, or of a story, and its text."""
    kinds = {
        path.stem.removeprefix(_PREFIX).replace("_", "-"): path for path in STARTS.glob("*.py")
    }
    kind = name.replace("_", "-") or "demo"
    if kind in kinds:
        source = kinds[kind]
        return config.rootpath / "tests" / source.name, source.read_text(encoding="utf-8")
    stories = _stories()
    if name in stories:
        source = stories[name]
        path = config.invocation_params.dir / f"test_{name}.py"
        return path, _as_test(name, source.read_text(encoding="utf-8"))
    raise unknown(name, kinds, stories)


def _written(config: pytest.Config, path: Path, text: str) -> str:
    """Write a new file; in a line, what came of it."""
    shown = from_here(config, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole(path, text)
    except OSError as error:
        if not path.exists():
            raise AgentfuzzError(f"{shown} cannot be written: {error.strerror}") from error
        return f"{shown} exists, left alone"
    return f"wrote {shown}"


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def from_here(config: pytest.Config, path: Path) -> str:
    """A path as it is typed where pytest was called."""
    return Path(os.path.relpath(path, config.invocation_params.dir)).as_posix()


def whole(path: Path, text: str) -> None:
    """Write a new file, or nothing. Raises FileExistsError, or another OSError."""
    with path.open("x", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
        except BaseException:
            path.unlink()
            raise


def _stories() -> dict[str, Path]:
    """The bundled stories by name."""
    from agentfuzz import scenarios

    files = [file for folder in scenarios.__path__ for file in Path(folder).glob("*.py")]
    return {file.stem: file for file in files if file.stem != "__init__"}


def _as_test(name: str, source: str) -> str:
    """The source of a story, with a test of its survivor at the end."""
    return _with_fuzz(source) + _test(name, source)


def _with_fuzz(source: str) -> str:
    """A story that imports `fuzz`, too, in its place among the other names."""
    found = re.search(r"(?s)from agentfuzz import \(\n(.*?)\)\n", source)
    assert found, "a story imports what it needs of agentfuzz in one statement, a name a line"
    names = [*found[1].splitlines(), "    fuzz,"]
    ordered = sorted(names, key=lambda line: (not line.strip()[0].isupper(), line))
    return source[: found.start(1)] + "\n".join(ordered) + "\n" + source[found.end(1) :]


def _test(name: str, source: str) -> str:
    body = ast.parse(source).body
    survivor, victim = (_first(body, what) for what in ("SURVIVORS", "VICTIMS"))
    waits = any(isinstance(one, ast.AsyncFunctionDef) and one.name == survivor for one in body)
    words = ("async ", "await ") if waits else ("", "")
    return f"""

# Put your own loop in its place: a function of a world. With {victim} it is red.
@fuzz({name})
{words[0]}def test_{name}(world: World):
    return {words[1]}{survivor}(world)
"""


def _first(body: list[ast.stmt], what: str) -> str:
    """The loop that a story names first in its SURVIVORS or VICTIMS."""
    for one in body:
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == what:
            return next(each.id for each in ast.walk(one.value) if isinstance(each, ast.Name))
    raise AssertionError(f"a story has {what}")
