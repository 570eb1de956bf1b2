"""The rooms of the adapters: what a stranger finds where."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from agentfuzz import adapters
from agentfuzz.adapters.contract import names

HERE = Path(adapters.__file__).parent
MOST = 120
# What is longer, and why: these are no rooms yet.
LONGER = {"trio.py": "one file still"}
ROOMS = [one for one in names() if (HERE / one).is_dir()]


def files() -> Iterator[Path]:
    """Every file of every adapter."""
    for path in sorted(HERE.rglob("*.py")):
        if path.relative_to(HERE).parts[0] not in ("contract", "testing", "__init__.py"):
            yield path


def test_each_file_of_an_adapter_is_short() -> None:
    """Below 120 lines over the contract, but for those that are listed; and nothing is listed that
    is short by now."""
    lines = {
        path.relative_to(HERE).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in files()
    }
    assert {name for name, count in lines.items() if count >= MOST} <= set(LONGER)
    assert not {name for name in LONGER if lines.get(name, MOST) < MOST}


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_has_its_adapter_where_all_have_it(name: str) -> None:
    """`NAME/__init__.py` says `ADAPTER = ...` and gives its parts; the class is in `adapter.py`."""
    door = ast.parse((HERE / name / "__init__.py").read_text("utf-8"))
    given = {ast.unparse(one) for node in door.body for one in getattr(node, "targets", ())}
    assert {"ADAPTER", "(model, tools, outcome)"} <= given
    body = ast.parse((HERE / name / "adapter.py").read_text("utf-8")).body
    kinds = [
        node.name
        for node in body
        if isinstance(node, ast.ClassDef) and "Adapter" in map(ast.unparse, node.bases)
    ]
    assert len(kinds) == 1


@pytest.mark.parametrize("name", ROOMS)
def test_what_a_room_gives_is_no_file_of_it(name: str) -> None:
    """`adapters.NAME.model` is the function, although `model.py` has its name: all files are
    imported before the names are given."""
    try:
        room = import_module(f"agentfuzz.adapters.{name}")
    except ImportError as missing:
        pytest.skip(f"not installed here: {missing}")
    for path in (HERE / name).glob("[a-z]*.py"):
        import_module(f"agentfuzz.adapters.{name}.{path.stem}")
    assert all(callable(one) for one in (room.model, room.tools, room.outcome))


def test_no_part_of_an_adapter_lies_outside_of_its_room() -> None:
    """Beside a room there is no file with a part of it."""
    beside = {path.stem for path in files() if path.parent == HERE}
    parts = {name for name in beside if name not in adapters.__all__}
    assert not [(part, room) for part in parts for room in ROOMS if part[1:].startswith(room)]
