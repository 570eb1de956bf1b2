"""Which modules are looked at again: those that were imported or changed since, and no others."""

import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from agentfuzz import run, scenario
from agentfuzz.runtime import versions
from agentfuzz.runtime.versions import Looked, version

NAMES = ("one_of_mine", "two_of_mine")


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> list[ModuleType]:
    made = [ModuleType(name) for name in NAMES]
    for one in made:
        monkeypatch.setitem(sys.modules, one.__name__, one)
    return made


@pytest.fixture
def looked() -> Looked:
    """All has been looked at, and one name was found."""
    looked = Looked()
    assert {*NAMES} <= {*(there := looked.changed())}
    assert looked.note(there, {NAMES[0]: ["found"]}) == ["found"]
    return looked


def mine(looked: Looked) -> list[str]:
    return [name for name in looked.changed() if name.endswith("_of_mine")]


def test_what_has_not_changed_is_not_looked_at_again(looked: Looked) -> None:
    assert mine(looked) == []
    assert looked.note([], {}) == ["found"]


CHANGES = {
    "a new name": lambda one: setattr(one, "new", 1),
    "another value": lambda one: setattr(one, "__doc__", "other"),
    "a name less": lambda one: delattr(one, "__doc__"),
    "by its code": lambda one: exec("global x\nx = 1", one.__dict__),
    "an update": lambda one: one.__dict__.update(y=1),
    "emptied": lambda one: one.__dict__.clear(),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_has_changed_is(looked: Looked, name: str, change: Any) -> None:
    change(sys.modules[name])
    assert mine(looked) == [name]
    assert looked.note([name], {}) == ([] if name == NAMES[0] else ["found"])
    assert mine(looked) == []


def test_what_is_imported_anew_or_gone(looked: Looked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, NAMES[1], ModuleType(NAMES[1]))
    monkeypatch.setitem(sys.modules, "three_of_mine", ModuleType("three_of_mine"))
    new = [name for name in looked.newcomers() if name.endswith("_of_mine")]
    assert new == [NAMES[1], "three_of_mine"]
    monkeypatch.delitem(sys.modules, NAMES[0])
    assert mine(looked) == [NAMES[1], "three_of_mine"]
    assert looked.note([NAMES[1], "three_of_mine"], {}) == []


def test_what_is_no_module_is_always_looked_at(
    looked: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "odd_of_mine", SimpleNamespace())
    for _ in range(2):
        assert mine(looked) == ["odd_of_mine"]
        looked.note(["odd_of_mine"], {})


def test_what_is_put_back_has_not_changed(looked: Looked, modules: list[ModuleType]) -> None:
    """Unless somebody else changed it in between."""
    for meddles in (False, True):
        modules[0].found = "virtual"  # type: ignore[attr-defined]
        looked.mark()
        if meddles:
            modules[0].more = 1  # type: ignore[attr-defined]
        unchanged = looked.unchanged()
        modules[0].found = "real"  # type: ignore[attr-defined]
        looked.restored(unchanged)
        assert mine(looked) == ([NAMES[0]] if meddles else [])
        looked.note([], {})


def test_where_nobody_counts_all_is_looked_at(
    looked: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "_COUNTS", False)
    assert version({}, None) is None
    blind = Looked()
    for _ in range(2):
        assert mine(blind) == [*NAMES]
        blind.note([*NAMES], {})


@scenario()
def anywhere(world: Any) -> None:
    world.tool(lambda: None, name="look")


@pytest.mark.parametrize("counts", [True, False])
def test_a_module_that_gets_a_clock_between_two_runs_has_the_virtual_one(
    modules: list[ModuleType], monkeypatch: pytest.MonkeyPatch, counts: bool
) -> None:
    if not counts:
        monkeypatch.setattr(versions, "_COUNTS", False)
    real = time.sleep

    def agent(world: Any) -> float:
        before = time.time()
        getattr(sys.modules[NAMES[0]], clock)(3600)
        return time.time() - before

    for clock in ("sleep", "nap", "sleep"):
        setattr(modules[0], clock, time.sleep)
        ended = run(anywhere, agent).history.ended
        assert ended is not None
        assert ended.value == 3600
        assert getattr(modules[0], clock) is real
        delattr(modules[0], clock)
