"""Virtual time: one clock that moves only when somebody waits.

Law: no real second passes in a run. A sleep moves the clock to its end at once, and whatever
falls due on the way (a late delivery) happens on the way, at its own time. Called by the world
(timeouts, late deliveries), by the patched `time.sleep`, and by the event loop.

Times are seconds since the start of the run, which is 2026-01-01T00:00:00Z for whoever asks the
wall clock. Who puts this clock in the place of the real one: `virtual_time` for the wall clock and
sleeps, `thread_pools` for the threads of a pool.
"""

import heapq
import time
from _thread import get_ident
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Thread
from typing import Protocol

START = datetime(2026, 1, 1, tzinfo=UTC)
FOREVER = float("inf")


class Real:
    """The real clock, for what is not simulated: budgets, watchdog, durations. In a class, where
    freezegun does not look for functions to replace. Seconds."""

    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


class Gate(Protocol):
    """What the clock's users see of the threads of a pool: see `thread_pools.gate`."""

    @property
    def foreign(self) -> Sequence[Thread]:
        """Threads that were started in a run and are not held."""
        ...

    @property
    def pooled(self) -> Sequence[Thread]:
        """The threads of pools."""
        ...

    def enter(self) -> None:
        """A crossing by the thread that is running."""
        ...

    def waits(self, seconds: float, preempted: bool) -> bool:
        """A crossing waits. False when it does so in no order, or for ever."""
        ...

    def sleep(self, seconds: float) -> None:
        """Virtual seconds pass for this thread."""
        ...

    def until(
        self,
        true: Callable[[], bool],
        seconds: float | None = None,
        asks: Callable[[], object] | None = None,
    ) -> bool:
        """Wait until something is true, or for so many virtual seconds; `asks` whom it waits for
        in real time."""
        ...

    def loose(self) -> bool:
        """Whether work goes on that nobody could hold."""
        ...

    def stir(self, true: Callable[[], bool]) -> bool:
        """Give it real time; whether it may do more."""
        ...

    def answered(self) -> bool:
        """Whether one of the threads that wait can go on: somebody in real time has answered."""
        ...

    def step(self) -> bool:
        """Let the next thread go on that can. False: none can."""
        ...

    def next_deadline(self) -> float | None:
        """When the first of the threads that wait goes on by itself."""
        ...

    def holds(self) -> bool:
        """Whether this thread does work of a pool."""
        ...

    def freed(self) -> bool:
        """Whether this thread lives on in real time when its run is over."""
        ...

    def others_ready(self) -> bool:
        """Whether another thread could go on now."""
        ...

    def finish(self, *, own: bool = True) -> None:
        """What the agent left in its pools goes on to its end, its `own` threads for a while."""
        ...


class Partner(Protocol):
    """Somebody in real time whom the agent talks to over a port of this machine."""

    port: int
    thread: Thread

    def owes(self) -> bool:
        """Whether a request is being answered, or has come in."""
        ...


class Elsewhere(Protocol):
    """A clock in another process that this one follows."""

    def advance(self, seconds: float) -> None:
        """Move forward."""
        ...

    def flush(self) -> None:
        """Let everything still due happen."""
        ...


class Clock:
    """Virtual seconds since the start of a run, and what is due later."""

    __slots__ = (
        "_due",
        "_serial",
        "elsewhere",
        "gate",
        "guests",
        "held",
        "looks",
        "now",
        "partners",
        "steady",
        "threads",
        "waiting",
        "wall",
    )

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        self.held = False  # waiting moves nothing: the process that waits is dead
        self.gate: Gate | None = None  # while threads beside the main one are about
        self.elsewhere: Elsewhere | None = None  # who moves it, in a child process
        self.partners: list[Partner] = []  # in other threads, in real time
        self.looks = 0  # how often the time was asked for in this run
        self.wall = self.steady = 0  # of these in nanoseconds: of the date, and of the other clocks
        self.threads = {get_ident()}  # those of the run: time is real for all others
        self.waiting: list[str] = []  # who waits for ever, and for what: a sentence each
        self.guests: set[int] = set()  # others that are at work for it, in no order of ours

    def reset(self) -> None:
        """Back to second 0 with nothing due: this thread begins a run."""
        self._due.clear()
        self.looks = self.wall = self.steady = 0
        ident = get_ident()
        if len(self.threads) != 1 or ident not in self.threads:
            self.threads = {ident}
        if self.guests:
            self.guests.clear()
        if self.waiting:
            self.waiting = []
        self.held = False
        self.now = 0.0

    @property
    def real(self) -> bool:
        """Whether a partner lives in real time."""
        return bool(self.partners)

    def mine(self) -> bool:
        """Whether the thread that asks lives in this time. To all others time is real."""
        ident = get_ident()
        return ident in self.threads or ident in self.guests

    def schedule(self, due: float, action: Callable[[], None]) -> None:
        """Run `action` when the clock reaches `due` (virtual seconds)."""
        self._serial += 1
        heapq.heappush(self._due, (due, self._serial, action))

    def advance(self, seconds: float) -> None:
        """Move forward, letting happen what falls due. An infinite wait moves nowhere."""
        if self.elsewhere is not None:
            self.elsewhere.advance(seconds)
        elif seconds > 0 and seconds != FOREVER and not self.held:
            self.until(self.now + seconds)

    def flush(self) -> None:
        """Let everything still due happen, each at its own time."""
        if self.elsewhere is not None:
            self.elsewhere.flush()
            return
        while self._due:
            self.until(max(self._due[0][0], self.now))

    def until(self, target: float) -> None:
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


def activate(clock: Clock | None) -> None:
    """This is the clock of the simulation from now on. Called by `virtual_time` alone."""
    global _active
    _active = clock
