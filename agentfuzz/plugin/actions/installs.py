"""The commands that install what the tests of a project need, for a workflow.

Law: they are read off the files that the project has, its lock first; nothing is resolved here, and
a file that cannot be read is for others to tell. Called by `workflow`.
"""

import tomllib
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

PIP = "python -m pip install"
UV = 'uv pip install --python "$(command -v python)"'
LOCKED = "locked.txt"
FOR_TESTS = ("dev", "test", "tests", "testing")  # an extra, a group, a list of requirements
LISTS = ("requirements-{}", "requirements_{}", "{}-requirements", "requirements/{}")


class Lock(NamedTuple):
    """A file that pins what a project needs, what reads it, and what writes it as a list."""

    file: str
    package: str
    command: str


LOCKS = (
    Lock("uv.lock", "uv", f"uv export --quiet --frozen --no-hashes --output-file {LOCKED}"),
    Lock(
        "poetry.lock",
        "poetry-plugin-export",
        f"poetry export --all-groups --without-hashes --output {LOCKED}",
    ),
    Lock("Pipfile.lock", "pipenv", f"pipenv requirements --dev > {LOCKED}"),
    Lock("Pipfile", "pipenv", f"pipenv lock && pipenv requirements --dev > {LOCKED}"),
)


def commands(root: Path, top: Path, extras: Iterable[str]) -> list[str]:
    """What is typed in the folder `root` of the repository `top`. `extras` are those of agentfuzz
    that the tests need."""
    ours = ",".join(sorted(extras))
    own = f"'pytest-agentfuzz[{ours}]'" if ours else "pytest-agentfuzz"
    told = _pyproject(root)
    if lock := _lock(root, top):
        project = _editable(root, told, ()) if lock.file != "uv.lock" else []
        words = [own, *project, "-r", LOCKED]
        return [f"{PIP} {lock.package}", lock.command, f"{PIP} {' '.join(words)}"]
    lists = _lists(root)
    listed = [word for name in lists for word in ("-r", name)]
    groups = [word for name in _for_tests(told, "dependency-groups") for word in ("--group", name)]
    named = _for_tests(_table(told, "project"), "optional-dependencies")
    if project := _editable(root, told, named):
        words = [*project, *groups]
    elif "project" in told:  # nothing is built of it, so pip would not read what it needs
        chosen = [word for name in named for word in ("--extra", name)]
        words = [own, "-r", "pyproject.toml", *chosen, *groups, *listed]
        return [f"{PIP} uv", f"{UV} {' '.join(words)}"]
    else:
        words = groups
    if any("--hash=" in _text(root / name) for name in lists):  # then every word must have one
        rest = [f"{PIP} {' '.join([own, *words])}"]
        return [f"{PIP} {' '.join(listed)}", *rest]
    return [f"{PIP} {' '.join([own, *words, *listed])}"]


def _lock(root: Path, top: Path) -> Lock | None:
    """The lock of a project: in its folder, or that of the workspace of uv that it belongs to."""
    for lock in LOCKS:
        if (root / lock.file).is_file():
            return lock
    above = [one for one in root.parents if one.is_relative_to(top)]
    shared = any((one / LOCKS[0].file).is_file() for one in above)
    return LOCKS[0] if shared and (root / "pyproject.toml").is_file() else None


def _editable(root: Path, told: Mapping[str, Any], extras: tuple[str, ...]) -> list[str]:
    """The project itself, where it is one that can be built."""
    if _table(_table(told, "tool"), "poetry").get("package-mode") is False:
        return []
    if "build-system" not in told and not (root / "setup.py").is_file():
        return []
    return ["-e", f"'.[{','.join(extras)}]'" if extras else "."]


def _lists(root: Path) -> list[str]:
    """Its lists of requirements: the main one, and those for tests."""
    named = [f"{form.format(name)}.txt" for form, name in product(LISTS, FOR_TESTS)]
    names = ["requirements.txt", "requirements/base.txt", *named]
    return [name for name in names if (root / name).is_file()]


def _for_tests(told: Mapping[str, Any], table: str) -> tuple[str, ...]:
    return tuple(name for name in FOR_TESTS if name in _table(told, table))


def _table(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _pyproject(root: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(_text(root / "pyproject.toml"))
    except ValueError:
        return {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
