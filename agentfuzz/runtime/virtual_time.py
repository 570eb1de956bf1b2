"""The real clocks of this process, replaced by the virtual one for the length of a block.

Law: nothing is pushed when the clock moves, whoever wants the time pulls it; everything is put
back as it was. The wall clock is frozen with freezegun, once for a whole campaign (entering costs
milliseconds, more with a framework loaded). Entered by the simulation.
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
from agentfuzz.runtime.names import Exchange
from agentfuzz.runtime.numbered import in_order
from agentfuzz.runtime.readings import installed

# Functions of `time` that freezegun replaces, by their names in `time`.
_TOLD = (
    *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"),
    *("gmtime", "localtime", "strftime"),
)


@contextmanager
def virtual_time() -> Iterator[Clock]:
    """Freeze the wall clock and make every sleep virtual until the block ends.

    Nested uses share the outer clock, so that a campaign freezes once. Yields the clock.
    """
    outer = clocks.active_clock()
    if outer is not None:
        yield outer
        return
    clock = Clock()
    freezer, exchange = _freeze(clock)
    exchange.begin()
    _dates_for_pydantic()
    try:
        with _real_time_for_processes(), _event_loops(clock):
            clocks.activate(clock)
            try:
                yield clock
            finally:
                clocks.activate(None)
    finally:
        exchange.undo()
        with _no_modules():
            freezer.stop()


def _freeze(clock: Clock) -> tuple[Any, Exchange]:
    """Put this clock where the real ones and `time.sleep` are, and wherever they were imported to
    by name."""
    from freezegun import api, freeze_time

    given: Any = api
    freezer: Any = freeze_time(START, real_asyncio=True, ignore=["_pytest.timing"])
    ignored = freezer.ignore
    frozen = bool(given.freeze_factories)  # by a test, around all this
    dates = installed(clock, lambda seconds: _wait(clock, seconds))
    pairs = [] if frozen else [*_replaced()]
    # It would ask every module for all that it lists, which takes long and imports frameworks with
    # half of time replaced: it ignores them all, and the names are exchanged here.
    freezer.ignore = ("",)
    with _no_modules():
        freezer.start()
    dates()
    # It gives real time to whatever `threading` or `queue` calls, and a thread's own function is
    # called by `threading`.
    given.ignore_lists[-1] = tuple(name for name in ignored if name not in ("threading", "queue"))
    real = Real.sleep
    return freezer, Exchange(
        [*pairs, (real, _sleep(clock))],
        lambda module, old: old is not real and module.startswith(ignored),
    )


@contextmanager
def _no_modules() -> Iterator[None]:
    """What it ignores it need not go through either."""
    from freezegun import api

    given: Any = api
    own, given.sys = given.sys, SimpleNamespace(**{**vars(sys), "modules": {}})
    try:
        yield
    finally:
        given.sys = own


def _replaced() -> Iterator[tuple[Any, Any]]:
    """What is real, and what freezegun puts in its place."""
    from freezegun import api

    given: Any = api
    yield given.real_date, given.FakeDate
    yield given.real_datetime, given.FakeDatetime
    for name in _TOLD:
        yield getattr(given, f"real_{name}"), getattr(given, f"fake_{name}")


def _wait(clock: Clock, seconds: float) -> None:
    """Virtual seconds pass for a thread of the run."""
    if clock.gate is None:
        clock.advance(seconds)
    else:
        clock.gate.sleep(seconds)


def _sleep(clock: Clock) -> Callable[[float], None]:
    """What is in the place of `time.sleep`."""
    real = Real.sleep

    def sleep(seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if clock.mine():
            _wait(clock, float(seconds))
        else:  # a thread of somebody else's: it waits really, and moves nothing
            real(seconds)

    return sleep


def _dates_for_pydantic() -> None:
    """A framework may first be imported inside a simulation, where `datetime` is frozen: its types
    are pydantic models, and pydantic must know what a frozen date is."""
    if "pydantic" not in sys.modules:
        return
    from freezegun import api
    from pydantic_core import core_schema

    api.FakeDatetime.__get_pydantic_core_schema__ = lambda *_: core_schema.datetime_schema()
    api.FakeDate.__get_pydantic_core_schema__ = lambda *_: core_schema.date_schema()


@contextmanager
def _real_time_for_processes() -> Iterator[None]:
    """Other processes live in real time: waiting for one does too."""
    module: Any = subprocess
    saved = module.time, module._time
    module.time, module._time = SimpleNamespace(sleep=Real.sleep), Real.monotonic
    try:
        yield
    finally:
        module.time, module._time = saved


@contextmanager
def _event_loops(clock: Clock) -> Iterator[None]:
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

    try:
        yield
    finally:
        del policy.new_event_loop, tasks.set
        asyncio.set_event_loop(current)
        asyncio.events.new_event_loop = saved
        asyncio.new_event_loop = saved
