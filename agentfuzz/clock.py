"""Virtual time: one clock that moves only when somebody waits.

Law: no real second passes in a run. A sleep moves the clock to its end at once, and whatever
falls due on the way (a late delivery) happens on the way, at its own time. Called by the world
(timeouts, late deliveries), by the patched `time.sleep`, and by the event loop.

`virtual_time` freezes the wall clock with freezegun once for a whole campaign (entering it costs
tens of milliseconds with a framework loaded) and moves it with the clock. Times are seconds
since the start of the run, which is 2026-01-01T00:00:00Z for whoever asks the wall clock.

Threads of a pool wait for this clock too (`agentfuzz.threads`); what stays real of the waits of
`threading` and `queue`, says `agentfuzz.waits`.
"""

import asyncio
import heapq
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentfuzz.threads import Gate

START = datetime(2026, 1, 1, tzinfo=UTC)
FOREVER = float("inf")


class Real:
    """The real clock, for what is not simulated: budgets, watchdog, durations. In a class, where
    freezegun does not look for functions to replace. Seconds."""

    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


class Clock:
    """Virtual seconds since the start of a run, and what is due later."""

    __slots__ = ("_due", "_serial", "gate", "held", "now", "real")

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        self.held = False  # waiting moves nothing: the process that waits is dead
        self.gate: Gate | None = None  # while threads beside the main one are about
        self.real = 0  # how many partners in other processes or threads live in real time

    def reset(self) -> None:
        """Back to second 0 with nothing due."""
        self._due.clear()
        self.held = False
        self.now = 0.0

    def schedule(self, due: float, action: Callable[[], None]) -> None:
        """Run `action` when the clock reaches `due` (virtual seconds)."""
        self._serial += 1
        heapq.heappush(self._due, (due, self._serial, action))

    def advance(self, seconds: float) -> None:
        """Move forward, letting happen what falls due. An infinite wait moves nowhere."""
        if seconds > 0 and seconds != FOREVER and not self.held:
            self._until(self.now + seconds)

    def flush(self) -> None:
        """Let everything still due happen, each at its own time."""
        while self._due:
            self._until(max(self._due[0][0], self.now))

    def _until(self, target: float) -> None:
        while self._due and self._due[0][0] <= target:
            due, _, action = heapq.heappop(self._due)
            if due > self.now:
                self._set(due)
            action()
        if target > self.now:
            self._set(target)

    @property
    def next_due(self) -> float | None:
        """When the next action falls due, or None."""
        return self._due[0][0] if self._due else None

    def _set(self, now: float) -> None:
        self.now = now


_active: Clock | None = None


def active_clock() -> Clock | None:
    """The clock of the simulation that is running, or None outside of one."""
    return _active


@contextmanager
def virtual_time() -> Iterator[Clock]:
    """Freeze the wall clock and make every sleep virtual until the block ends.

    Nested uses share the outer clock, so that a campaign freezes once. Yields the clock.
    """
    global _active
    if _active is not None:
        yield _active
        return
    from freezegun import freeze_time

    clock = Clock()
    freezer = freeze_time(START, real_asyncio=True, ignore=["_pytest.timing"])
    with _no_lazy_names():
        freezer.start()
    _pull_time(clock)
    _time_for_threads()
    _dates_for_pydantic()
    processes = _real_time_for_processes()
    restore = _patch_sleep(clock)
    loops = _patch_event_loops(clock)
    _active = clock
    try:
        yield clock
    finally:
        _active = None
        loops()
        restore()
        processes()
        with _no_lazy_names():
            freezer.stop()


def _pull_time(clock: Clock) -> None:
    """Freezegun asks for the time where it is wanted: nothing is pushed when the clock moves."""
    api: Any = import_module("freezegun.api")
    start = START.replace(tzinfo=None)

    def now() -> datetime:
        return start + timedelta(seconds=min(clock.now, 1e9))

    api.freeze_factories[-1] = _Pulled(api.freeze_factories[-1], now)


class _Pulled:
    """A factory of freezegun's whose time is looked up."""

    def __init__(self, factory: Any, now: Callable[[], datetime]) -> None:
        self._factory, self._now = factory, now

    def __call__(self) -> datetime:
        found = self._now()
        self._factory.time_to_freeze = found
        return found

    def __getattr__(self, name: str) -> Any:
        self()
        return getattr(self._factory, name)


def _patch_sleep(clock: Clock) -> Callable[[], None]:
    """Replace `time.sleep` where it is and wherever it was imported to by name."""
    real = Real.sleep

    def sleep(seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if clock.gate is None:
            clock.advance(float(seconds))
        else:
            clock.gate.sleep(float(seconds))

    _exchange(real, sleep)
    return lambda: _exchange(sleep, real)


def _dates_for_pydantic() -> None:
    """A framework may first be imported inside a simulation, where `datetime` is frozen: its types
    are pydantic models, and pydantic must know what a frozen date is."""
    if "pydantic" not in sys.modules:
        return
    from pydantic_core import core_schema

    api: Any = import_module("freezegun.api")
    api.FakeDatetime.__get_pydantic_core_schema__ = lambda *_: core_schema.datetime_schema()
    api.FakeDate.__get_pydantic_core_schema__ = lambda *_: core_schema.date_schema()


def _time_for_threads() -> None:
    """Freezegun gives real time to whatever `threading` or `queue` calls, and a thread's own
    function is called by `threading`."""
    lists: Any = import_module("freezegun.api").ignore_lists
    lists[-1] = tuple(name for name in lists[-1] if name not in ("threading", "queue"))


def _real_time_for_processes() -> Callable[[], None]:
    """Other processes live in real time: waiting for one does too."""
    module: Any = subprocess
    saved = module.time, module._time
    module.time, module._time = SimpleNamespace(sleep=Real.sleep), Real.monotonic

    def restore() -> None:
        module.time, module._time = saved

    return restore


def _namespaces() -> list[dict[str, Any]]:
    found = (getattr(module, "__dict__", None) for module in list(sys.modules.values()))
    return [names for names in found if isinstance(names, dict)]


def _exchange(old: object, new: object) -> None:
    """Put `new` wherever a module knows `old` by a name, also one imported in the meantime."""
    for names in _namespaces():
        for name, value in list(names.items()):
            if value is old:
                names[name] = new


@contextmanager
def _no_lazy_names() -> Iterator[None]:
    """Hide the names that modules list and have not imported yet: freezegun asks every module
    for all that it lists, which would import whole frameworks, with half of time replaced."""
    hidden = [(names, names.pop("__dir__")) for names in _namespaces() if "__dir__" in names]
    try:
        yield
    finally:
        for names, listing in hidden:
            names["__dir__"] = listing


def _patch_event_loops(clock: Clock) -> Callable[[], None]:
    """Let every new asyncio loop of this process run on the clock."""
    from agentfuzz.eventloop import VirtualLoop

    def new_event_loop() -> asyncio.AbstractEventLoop:
        return VirtualLoop(clock)

    saved = asyncio.events.new_event_loop
    asyncio.events.new_event_loop = new_event_loop
    asyncio.new_event_loop = new_event_loop
    # Sync entry points of frameworks ask the policy for this thread's loop, not asyncio.
    policy: Any = asyncio.get_event_loop_policy()
    current = getattr(getattr(policy, "_local", None), "_loop", None)
    policy.new_event_loop = new_event_loop

    def restore() -> None:
        del policy.new_event_loop
        asyncio.set_event_loop(current)
        asyncio.events.new_event_loop = saved
        asyncio.new_event_loop = saved

    return restore
