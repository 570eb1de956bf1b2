"""The files of an agent: those of the project that its function can come to.

Law: from the modules of the agent, and of what it holds, along the imports that stand in their
sources, as far as they lie in the project and are loaded. Asked once in a campaign.
"""

import ast
import sys
import tokenize
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from agentfuzz.runtime.user_code import is_users

_DEEP = 4  # steps from the agent to what it holds


class Source(NamedTuple):
    """A file of the agent: its module, where it lies, its name in reports, its text, and the
    modules that its imports may name."""

    module: ModuleType
    path: str
    file: str
    text: str
    imports: tuple[str, ...]


Files = dict[str, Source | None]  # by the names of their modules; None: not one of the project


def sources(agents: Iterable[Any], root: Path, files: Files) -> Iterator[Source]:
    """The files, in no order that means anything; `files` are those that were read before."""
    coming = list(dict.fromkeys(one.__module__ for one in made_of(agents)))
    known = set(coming)
    while coming:
        name = coming.pop()
        if name not in files and name in sys.modules:
            files[name] = _source(sys.modules[name], root.resolve())
        source = files.get(name)
        if source is not None:
            yield source
            new = [one for one in source.imports if one not in known]
            known.update(new)
            coming += new


def made_of(agents: Iterable[Any]) -> Iterator[Any]:
    """The functions and the classes of what agents are made of."""
    for agent in agents:
        yield from _held(agent, _DEEP)


def _held(held: Any, deep: int) -> Iterator[Any]:
    if deep < 0 or held is None or isinstance(held, (str, bytes, int, float)):
        return
    inside: list[Any] = []
    if isinstance(held, partial):
        inside = [held.func, *held.args, *held.keywords.values()]
    elif isinstance(held, MethodType):
        inside = [held.__func__, held.__self__]
    elif isinstance(held, FunctionType):
        yield held
        inside = [held.__dict__.get("__wrapped__"), *map(_cell, held.__closure__ or ())]
    elif isinstance(held, dict):
        inside = [value for key, value in held.items() if type(key) is str]
    elif isinstance(held, (tuple, list)):
        inside = list(held)
    else:
        yield held if isinstance(held, type) else type(held)
    for one in inside[:50]:
        yield from _held(one, deep - 1)


def _cell(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return None


def _source(module: ModuleType, root: Path) -> Source | None:
    """A module of the project; None where it is none, or has no source that can be read."""
    path = getattr(module, "__file__", None)
    if not path or not path.endswith(".py") or not is_users(path):
        return None
    try:
        file = Path(path).resolve().relative_to(root).as_posix()
        with tokenize.open(path) as opened:  # in the encoding that it declares
            text = opened.read()
        names = dict.fromkeys(_imported(ast.parse(text), module.__package__ or ""))
    except (OSError, ValueError, SyntaxError, RecursionError):
        return None
    return Source(module, path, file, text, tuple(names))


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    """The modules that the imports of a source may name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                yield from (".".join(parts[: n + 1]) for n in range(len(parts)))
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else ()), *filter(None, [node.module])])
            parts = base.split(".")
            yield from (".".join(parts[: n + 1]) for n in range(len(parts)))
            yield from (f"{base}.{alias.name}" for alias in node.names)
