"""Every function of a file is found, whoever holds it; and mostly without a look at everything."""

import functools
import gc
import sys
from types import FunctionType, ModuleType
from typing import Any

import pytest

from agentfuzz.runtime.paths import functions

ELSEWHERE: list[Any] = []
FILES: list[str] = []  # each has a name of its own: functions of an earlier one may still live
SOURCE = """
import functools

class Held:
    __slots__ = ("one",)
    def __init__(self, one):
        self.one = one

def plain():
    def within():
        pass
    return within

class Clerk:
    def work(self): pass
    @property
    def asked(self): pass
    @staticmethod
    def still(): pass
    @functools.cached_property
    def kept(self): pass
    class Inner:
        def deep(self): pass

@functools.lru_cache
def cached(): pass

@Held
def slotted(): pass

BOUND = functools.partial(lambda: None)
TABLE = {"made": [plain()]}
"""


class Watchful(type):
    """A class that would notice a question."""

    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError(name)


class Proxy(metaclass=Watchful):
    """So would its instances."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    ELSEWHERE.clear()
    made = ModuleType("living_module")
    monkeypatch.setitem(sys.modules, "living_module", made)
    return made


def loaded(module: ModuleType, text: str) -> ModuleType:
    module.__file__ = f"/living/{len(FILES)}.py"
    FILES.append(module.__file__)
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    module.__dict__["TEXT"] = text
    return module


def found(module: ModuleType, *names: str) -> set[str]:
    """The functions that are found where those of these names are looked for."""
    lines = {line for line, text in _lines(module) if any(f"def {name}" in text for name in names)}
    there = functions.living({str(module.__file__): module}, {str(module.__file__): lines})
    assert all(type(one) is FunctionType for one in there)
    return {one.__qualname__ for one in there}


def _lines(module: ModuleType) -> list[tuple[int, str]]:
    return list(enumerate(module.__dict__["TEXT"].split("\n"), 1))


def test_what_a_module_holds_is_found_along_it(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In classes, wrappers, slots, tables; nobody is asked, and nothing else is looked at."""
    loaded(module, SOURCE)
    module.__dict__.update(watchful=Proxy, proxy=object.__new__(Proxy))
    monkeypatch.setattr(functions.gc, "get_objects", lambda: pytest.fail("all that there is"))
    assert found(module, "plain", "within", "work", "deep") == {
        *("Held.__init__", "plain", "plain.<locals>.within", "Clerk.work", "Clerk.asked"),
        *("Clerk.still", "Clerk.kept", "Clerk.Inner.deep", "cached", "slotted", "<lambda>"),
    }


def test_what_another_holds_alone_is_found_by_a_look_at_everything(module: ModuleType) -> None:
    """The module does not know it any more: a line has no function."""
    text = "def kept(): pass\ndef given(): pass\n"
    loaded(module, text)
    ELSEWHERE.append(module.__dict__.pop("given"))
    assert found(module, "kept") == {"kept"}
    assert found(module, "kept", "given") == {"kept", "given"}


def test_another_function_of_the_same_code_is_found(module: ModuleType) -> None:
    """The line has its function, and somebody else holds its code as well."""
    text = "def make():\n    def made(): pass\n    return made\nMINE = make()\n"
    loaded(module, text)
    ELSEWHERE.append(functools.partial(module.make()))
    path = str(module.__file__)
    there = functions.living({path: module}, {path: {2}})
    assert sum(one.__name__ == "made" for one in there) == 2


def test_what_is_frozen_is_found(module: ModuleType) -> None:
    """Along the module; no look at everything shows it."""
    loaded(module, SOURCE)
    gc.collect()
    gc.freeze()
    try:
        assert {"plain", "Clerk.work", "cached"} <= found(module, "nothing")
    finally:
        gc.unfreeze()


def test_a_module_that_holds_very_much_is_not_searched_for_ever(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then everything is looked at."""
    text = "class Far:\n    def work(self): pass\n"
    loaded(module, text)
    monkeypatch.setattr(functions, "MOST", 1)
    assert found(module, "work") == {"Far.work"}
