"""Which fixtures of a test are renewed for each run.

Law: the named ones, the function-scoped ones that they need, and all that need one of these; who
takes `request` may need whatever the test has asked for by it. A name that cannot be renewed is an
error that says why. Asked by `each_run`.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from agentfuzz.core.errors import ScenarioError, near_miss


class Renewed:
    """Of one test that pytest has set up. `each_run` is what its decorator says: names, or True for
    every function-scoped fixture. Raises ScenarioError."""

    def __init__(self, item: Any, each_run: bool | Iterable[str]) -> None:
        self._item = item
        self._defined = item._fixtureinfo.name2fixturedefs
        self._scopes = getattr(getattr(item, "callspec", None), "_arg2scope", {})
        self._asked = {*self._active} - {*item._fixtureinfo.names_closure}
        self._names: set[str] | None = None
        if not isinstance(each_run, bool):
            for name in each_run:
                self._check(name)
            self._names = self._with_neighbours(each_run)

    @property
    def _active(self) -> dict[str, Any]:
        found: dict[str, Any] = self._item._request._fixture_defs
        return found

    def is_(self, definition: Any) -> bool:
        """Whether this fixture is."""
        name = definition.argname
        return self._scope(definition) == "function" and (
            self._names is None or name in self._names
        )

    def forget(self) -> None:
        """They were torn down: the test asks for them again, and nothing else waits for them."""
        active, funcargs = self._active, self._item.funcargs
        for name in [name for name, one in active.items() if self.is_(one)]:
            del active[name]
            funcargs.pop(name, None)
        for others in (*self._defined.values(), active.values()):
            for one in others:
                if not self.is_(one):
                    one._finalizers[:] = [each for each in one._finalizers if not self._of(each)]

    def _of(self, finalizer: Callable[[], object]) -> bool:
        owner = getattr(getattr(finalizer, "func", None), "__self__", None)
        return isinstance(owner, pytest.FixtureDef) and self.is_(owner)

    def _chain(self, name: str) -> list[Any]:
        """The definitions of a fixture, those that it overrides among them."""
        found = self._defined.get(name) or ([self._active[name]] if name in self._active else [])
        return list(found)

    def _scope(self, definition: Any) -> str:
        given = self._scopes.get(definition.argname)
        return str(definition.scope if given is None else given.value)

    def _with_neighbours(self, names: Iterable[str]) -> set[str]:
        needs = {name: self._needs(name) for name in {*self._active, *self._defined}}
        found, more = set[str](), {*names}
        while more:
            found |= more
            more = {one for name in found for one in needs.get(name, ())}
            more |= {name for name, others in needs.items() if others & found}
            more -= found
        return found

    def _needs(self, name: str) -> set[str]:
        """The function-scoped fixtures that a function-scoped one needs."""
        found = set[str]()
        for one in self._chain(name):
            if self._scope(one) == "function":
                found |= {*one.argnames} - {name}
                if "request" in one.argnames or _is_async(one.func):
                    found |= self._asked - {name}
        return {one for one in found if any(self._scope(d) == "function" for d in self._chain(one))}

    def _check(self, name: str) -> None:
        test, chain = f"@fuzz(each_run=...) of {self._item.originalname}", self._chain(name)
        if not chain:
            manager = self._item.session._fixturemanager
            if manager.getfixturedefs(name, self._item):
                cure = f"the test does not ask for {name!r}; make it one of its parameters."
            else:
                known = sorted(one for one in {*self._active, *self._defined} if one[0] != "_")
                near = near_miss(name, known) or f" It has: {', '.join(known) or 'none'}."
                cure = f"{name!r} is none of its fixtures.{near}"
            raise ScenarioError(f"{test}: {cure}")
        if chain[-1].func.__name__ == "get_direct_param_fixture_func":
            raise ScenarioError(
                f"{test}: {name!r} is a parameter of parametrize, the same object in all runs; "
                "parametrize by what it is made of, and make it in a fixture."
            )
        if (scope := self._scope(chain[-1])) != "function":
            raise ScenarioError(
                f"{test}: the fixture {name!r} has the scope {scope!r}, and other tests share it. "
                f"Name a function-scoped one that puts it back: def clean_{name}({name}): "
                f"yield {name}, then undo what the run has left."
            )


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def told(name: str) -> str:
    """A fixture in words: pytest makes one of each function that sets up."""
    xunit = re.fullmatch(r"_xunit_(setup_\w+?)_fixture_(.*)", name)
    return f"{xunit[1]} (or its teardown) of {xunit[2]}" if xunit else f"the fixture {name!r}"
