"""The versions of what is installed: agentfuzz, Python, and the packages that a test is about.

Law: what a test and the files of its project import, by name and version as installed here; no
file is executed. Called by the formats that tell versions.
"""

import ast
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from agentfuzz.archive.shards import installed

OWN = "pytest-agentfuzz"
_FILES, _BYTES = 200, 1_000_000  # of a project that are read


def documentation() -> str:
    """The address of the documentation, if the installed package names one."""
    try:
        told = metadata.metadata(OWN).get_all("Project-URL") or ()
    except metadata.PackageNotFoundError:  # run from its source
        return ""
    for line in told:
        name, _, address = line.partition(",")
        if name.strip().lower() == "documentation":
            return str(address.strip())
    return ""


def versions(root: Path | None, files: Iterable[str]) -> Mapping[str, str | Mapping[str, str]]:
    """Those of agentfuzz and Python, and of each distribution that these files of a project, and
    the files of it which they import, import."""
    found: dict[str, str] = {}
    if root is not None:
        for module in sorted(_imported(root, files)):
            for name in _distributions().get(module, ()):
                found[name] = metadata.version(name)
    found.pop(OWN, None)
    return {
        "agentfuzz": installed(),
        "python": platform.python_version(),
        "packages": dict(sorted(found.items())),
    }


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _imported(root: Path, files: Iterable[str]) -> set[str]:
    """The top-level names that files import, and those files of the project, too."""
    waiting, seen, out = [root / name for name in files], set[Path](), set[str]()
    while waiting and len(seen) < _FILES:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for module in _modules(path):
            here = [one for one in _places(root, path, module) if _is_file(one)]
            waiting += here
            if not here and module.partition(".")[0] not in sys.stdlib_module_names:
                out.add(module.partition(".")[0])
    return out


def _modules(path: Path) -> Iterator[str]:
    """What a file imports; of what cannot be read nothing."""
    try:
        if path.stat().st_size > _BYTES:
            return
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            lead = "." * node.level + (node.module or "")
            yield lead
            yield from (f"{lead}.{one.name}".replace("..", ".") for one in node.names)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _places(root: Path, path: Path, module: str) -> Iterator[Path]:
    """Where a module may lie in the project."""
    parts = [one for one in module.split(".") if one]
    for folder in (path.parent, path.parent.parent, root, root / "src", root / "tests"):
        if parts and root in (folder, *folder.parents):
            yield folder.joinpath(*parts).with_suffix(".py")
            yield folder.joinpath(*parts, "__init__.py")
