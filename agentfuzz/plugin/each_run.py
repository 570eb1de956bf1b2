"""The fixtures of one test, set up and torn down around each of its runs (`@fuzz(each_run=)`).

Law: pytest itself sets them up and tears them down, in its own order; with a fixture go the
function-scoped ones that it needs and those that need it, and all that wider scopes hold stays. No
list of pytest's grows with the number of runs. Made by the session, and entered by the simulation.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from agentfuzz._fuzz import Fuzz
from agentfuzz.core.codec import message
from agentfuzz.core.errors import FixtureError
from agentfuzz.engine.simulation import Agent
from agentfuzz.plugin.carried import asked
from agentfuzz.plugin.directories import Directories
from agentfuzz.plugin.renewed import Renewed, told

PHASES = {
    pytest.FixtureDef.execute.__code__: "set up",
    pytest.FixtureDef.finish.__code__: "torn down",
}


class EachRun:
    """What pytest has set up for the test is torn down at once: each run begins with its own.
    `agent` is the test's function, bound to the fixtures of the run. Raises ScenarioError for names
    that cannot be renewed, FixtureError."""

    def __init__(self, item: pytest.Function, given: Fuzz) -> None:
        self._item: Any = item
        self._renewed = Renewed(item, given.each_run)
        self._afresh = given.each_run is True and isinstance(item.parent, pytest.Class)
        self._owner = [item.instance] if given.method else []
        self._names = asked(item)
        self._fixtures = {name: item.funcargs[name] for name in self._names}
        self.agent: Agent = given.bound(self._owner, self._fixtures)
        self._stash = dict(item.stash._storage)  # which a fixture may take its own key from
        self._lasting = [*self._finalizers]
        self._directories = Directories(item)
        self._take_down()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Around one run. Raises FixtureError, or what a fixture leaves the test by."""
        try:
            self._set_up()
            yield
        except BaseException:
            with suppress(Exception):  # what came first counts
                self._take_down()
            raise
        self._take_down()

    @property
    def _finalizers(self) -> list[Callable[[], object]]:
        """What pytest calls at the end of the test."""
        found: list[Callable[[], object]] = self._item.session._setupstate.stack[self._item][0]
        return found

    def _set_up(self) -> None:
        item = self._item
        for key, value in self._stash.items():
            item.stash.setdefault(key, value)
        if self._afresh:
            for name in ("_instance", "_obj"):
                item.__dict__.pop(name, None)
        with _named("set up"), self._directories.of_a_run():
            item.setup()
        self._fixtures.update((name, item.funcargs[name]) for name in self._names)
        if self._owner:
            self._owner[:] = [item.instance]

    def _take_down(self) -> None:
        failures: list[Exception] = []
        while mine := self._last():
            try:
                with _named("torn down"):
                    mine()
            except Exception as error:
                failures.append(error)
        self._renewed.forget()
        if failures:
            raise failures[0]

    def _last(self) -> Callable[[], object] | None:
        """Takes the last of pytest's finalizers that belongs to what is renewed."""
        finalizers = self._finalizers
        for place in range(len(finalizers) - 1, 0, -1):  # the first is the test's own teardown
            owner = getattr(getattr(finalizers[place], "func", None), "__self__", None)
            if isinstance(owner, pytest.FixtureDef):
                mine = self._renewed.is_(owner)
            else:
                mine = not any(finalizers[place] is one for one in self._lasting)
            if mine:
                return finalizers.pop(place)
        return None


@contextmanager
def _named(phase: str) -> Iterator[None]:
    """What fails in the block names its fixture. A skip leaves the test, as ever."""
    try:
        yield
    except (pytest.skip.Exception, pytest.exit.Exception, pytest.xfail.Exception):
        raise
    except (Exception, pytest.fail.Exception) as error:
        name, trace = "", error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code in PHASES:
                phase = PHASES[trace.tb_frame.f_code]
                name = trace.tb_frame.f_locals["self"].argname
            trace = trace.tb_next
        what = told(name) if name else "a finalizer of the test"
        raise FixtureError(
            f"{what} raised {type(error).__name__}: {message(error)}, when it was {phase} for a "
            "run (each_run=)"
        ).with_traceback(error.__traceback__) from error
