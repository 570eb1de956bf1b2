"""Which extras of agentfuzz the files of a project need, for a workflow.

Law: they are read off what the files import and name, without an import of them; a file that
cannot be read needs none. Called by `workflow`.
"""

import ast
import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

SERVED = ("wire", "mcp")  # what `world.serve()` needs
ELSEWHERE = ("node_modules", "site-packages", "build", "dist")


def used(root: Path) -> set[str]:
    """The extras that the Python files below this folder need."""
    try:
        known = set(metadata("pytest-agentfuzz").get_all("Provides-Extra") or ())
    except PackageNotFoundError:  # a checkout on the path
        return set()
    return {extra for path in _files(root) for extra in _of(path)} & known


def _files(root: Path) -> Iterator[Path]:
    """Python files, without those of environments and what is hidden or built."""
    for folder, inner, names in os.walk(root):
        if "pyvenv.cfg" in names:
            inner.clear()
            continue
        inner[:] = [name for name in inner if name[0] not in "._" and name not in ELSEWHERE]
        yield from (Path(folder, name) for name in names if name.endswith(".py"))


def _of(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text) if "agentfuzz" in text else ast.Module([], [])
    except (OSError, ValueError, SyntaxError):
        return
    for name in _names(tree):
        match name.split(".")[:3]:
            case ["world", "serve", *_]:
                yield from SERVED
            case ["agentfuzz", "adapters", adapter]:
                yield adapter.replace("_", "-")
            case ["agentfuzz", "wire", "mcp"]:
                yield "mcp"
            case ["agentfuzz", "wire", *_]:
                yield "wire"


def _names(tree: ast.Module) -> Iterator[str]:
    """What a file imports and what it takes of that, by dotted names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{one.name}" for one in node.names)
        elif isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            own = name.startswith(("adapters.", "wire."))
            yield f"agentfuzz.{name}" if own else name
