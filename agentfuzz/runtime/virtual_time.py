"""The real clocks of this process, replaced by the virtual one for the length of a block.

Law: nothing is pushed when the clock moves, whoever wants the time pulls it; everything is put
back as it was. The wall clock is frozen with freezegun, once for a whole campaign (entering costs
tens of milliseconds with a framework loaded). Entered by the simulation.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from agentfuzz.runtime import clock as clocks
from agentfuzz.runtime.clock import START, Clock, Real
from agentfuzz.runtime.eventloop import VirtualLoop
from agentfuzz.runtime.numbered import in_order
from agentfuzz.runtime.readings import installed


@contextmanager
def virtual_time() -> Iterator[Clock]:
    """Freeze the wall clock and make every sleep virtual until the block ends.

    Nested uses share the outer clock, so that a campaign freezes once. Yields the clock.
    """
    outer = clocks.active_clock()
    if outer is not None:
        yield outer
        return
    from freezegun import freeze_time

    clock = Clock()
    freezer = freeze_time(START, real_asyncio=True, ignore=["_pytest.timing"])
    dates = installed(clock, lambda seconds: _wait(clock, seconds))
    with _no_lazy_names():
        freezer.start()
    dates()
    _time_for_threads()
    _dates_for_pydantic()
    processes = _real_time_for_processes()
    restore = _patch_sleep(clock)
    loops = _patch_event_loops(clock)
    clocks.activate(clock)
    try:
        yield clock
    finally:
        clocks.activate(None)
        loops()
        restore()
        processes()
        with _no_lazy_names():
            freezer.stop()


def _wait(clock: Clock, seconds: float) -> None:
    """Virtual seconds pass for a thread of the run."""
    if clock.gate is None:
        clock.advance(seconds)
    else:
        clock.gate.sleep(seconds)


def _patch_sleep(clock: Clock) -> Callable[[], None]:
    """Replace `time.sleep` where it is and wherever it was imported to by name."""
    real = Real.sleep

    def sleep(seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if clock.mine():
            _wait(clock, float(seconds))
        else:  # a thread of somebody else's: it waits really, and moves nothing
            real(seconds)

    _exchange(real, sleep)
    return lambda: _exchange(sleep, real)


def _dates_for_pydantic() -> None:
    """A framework may first be imported inside a simulation, where `datetime` is frozen: its types
    are pydantic models, and pydantic must know what a frozen date is."""
    if "pydantic" not in sys.modules:
        return
    from freezegun import api
    from pydantic_core import core_schema

    api.FakeDatetime.__get_pydantic_core_schema__ = lambda *_: core_schema.datetime_schema()
    api.FakeDate.__get_pydantic_core_schema__ = lambda *_: core_schema.date_schema()


def _time_for_threads() -> None:
    """Freezegun gives real time to whatever `threading` or `queue` calls, and a thread's own
    function is called by `threading`."""
    from freezegun.api import ignore_lists as lists

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

    def new_event_loop() -> asyncio.AbstractEventLoop:
        return VirtualLoop(clock)

    saved = asyncio.events.new_event_loop
    asyncio.events.new_event_loop = new_event_loop
    asyncio.new_event_loop = new_event_loop
    tasks: Any = asyncio.tasks
    tasks.set = in_order  # `as_completed` makes tasks of a set of coroutines
    # Sync entry points of frameworks ask the policy for this thread's loop, not asyncio.
    policy: Any = asyncio.get_event_loop_policy()
    current = getattr(getattr(policy, "_local", None), "_loop", None)
    policy.new_event_loop = new_event_loop

    def restore() -> None:
        del policy.new_event_loop, tasks.set
        asyncio.set_event_loop(current)
        asyncio.events.new_event_loop = saved
        asyncio.new_event_loop = saved

    return restore
