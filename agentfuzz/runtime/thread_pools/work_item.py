"""A piece of work in a thread pool, as the gate knows it.

Law: work runs on its pool's thread, and only while it has the turn. Made by the gate
(`agentfuzz.runtime.thread_pools.gate`), which lets it go on.
"""

import ctypes
import sys
import threading
import time
from _thread import allocate_lock, get_ident
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from agentfuzz.core.errors import Crash, CutOff
from agentfuzz.runtime import unheard
from agentfuzz.runtime.clock import Clock

SLICE = 0.005  # real seconds between two looks at a thread that does not come back
RUNS = ("R", "D")  # what the system says of a thread that runs, or could, or waits for a disk
RUNNING, READY, WAITING, LOOSE, DONE = "running", "ready", "waiting", "loose", "done"
here = threading.local()  # `work`: what this thread does; `submitting`: it hands some in


class Holder(Protocol):
    """What work sees of the gate that made it."""

    clock: Clock
    idents: dict[int, Any]

    hears: object

    def busy(self, pool: Any) -> int:
        """How many threads of a pool have work."""
        ...

    def enter(self) -> None:
        """A crossing."""
        ...

    def done(self, work: Any) -> None:
        """The work is done."""
        ...


class Work:
    """One piece of work in a pool. `go` lets it go on, `back` says that it has the turn no
    longer; `queued` work has no thread yet."""

    kind = "work"
    own: threading.Thread | None = None  # a thread of its own, in no pool

    def __init__(
        self, gate: Holder, pool: ThreadPoolExecutor | None, called: str, *, queued: bool = False
    ) -> None:
        self.gate, self.pool, self.called, self.queued = gate, pool, called, queued
        self.state = READY if queued else RUNNING
        self.go, self.back = allocate_lock(), allocate_lock()
        self.go.acquire()
        self.back.acquire()
        self.thread = self.native = 0
        self.future: Future[Any] | None = None
        self.until: Callable[[], bool] | None = None  # what it waits for, and how long
        self.deadline: float | None = None
        self.asks: Callable[[], object] | None = None  # whom it waits for in real time
        self.doomed = False
        self.hands_on = False  # it has given its turn to work of its own, and waits for it

    def __call__(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """The work itself, on its thread."""
        gate = self.gate
        self._begin()
        if self.queued:
            self.go.acquire()
            self.queued = False
        self.alive()
        try:
            return fn(*args, **kwargs)
        finally:
            if not self.doomed:
                gate.enter()

    def _begin(self) -> None:
        self.thread, self.native = get_ident(), threading.get_native_id()
        here.work = self
        self.gate.idents[self.thread] = self
        self.gate.clock.threads.add(self.thread)

    def fate(self) -> unheard.Fate | None:
        """How the work ended, as its future has it."""
        future: Any = self.future
        if future is None or future._state != "FINISHED" or "_for_a_loop" in vars(future):
            return None  # a loop has a future of its own for it
        told = vars(future)
        return unheard.Fate(future._exception, "_heard" in told, told.get("_group"))

    def alive(self) -> None:
        """Raises Crash when the run is over."""
        if self.doomed:
            raise Crash

    def is_over(self) -> bool:
        """Whether what it waits for has come true, or its time has come."""
        if self.deadline is not None and self.deadline <= self.gate.clock.now:
            return True
        return self.until is not None and self.until()

    def can_start(self) -> bool:
        """Whether a thread of the pool is free for it."""
        pool = self.pool
        return not self.queued or pool is None or self.gate.busy(pool) < pool._max_workers


class Own(Work):
    """The work of a thread of its own, which is all that the thread does."""

    kind = "thread"

    def __init__(self, gate: Holder, thread: threading.Thread) -> None:
        given: Any = thread  # the function of a Timer has another name
        target = getattr(given, "_target", None) or getattr(given, "function", None)
        super().__init__(gate, None, unheard.named(target or type(thread).run))
        self.own = thread
        self.error: BaseException | None = None
        self._body = thread.run
        self._before = vars(thread).get("run")
        thread.run = self._live  # type: ignore[method-assign]

    def gives_back(self) -> None:
        """The thread could not be started: it is as it was."""
        assert self.own is not None
        vars(self.own).pop("run", None)
        if self._before is not None:
            vars(self.own)["run"] = self._before

    def _live(self) -> None:
        self._begin()
        try:
            self.alive()
            self._body()
        except BaseException as error:
            self._died(error)
        finally:
            here.__dict__.pop("work", None)
            if self.state is not DONE:
                self.gate.done(self)

    def _died(self, error: BaseException) -> None:
        """As in any thread that nobody waits for. An agent that put in a hook of its own hears."""
        if self.doomed or isinstance(error, CutOff):
            return
        hook = threading.excepthook
        if hook is self.gate.hears:
            self.error = error
        else:
            given = (type(error), error, error.__traceback__, self.own)
            hook(threading.ExceptHookArgs(given))

    def fate(self) -> unheard.Fate | None:
        return unheard.Fate(self.error, heard=False) if self.state is DONE else None


def is_doomed() -> bool:
    """Whether this thread does work of a run that is over."""
    work = here.__dict__.get("work")
    return work is not None and bool(work.doomed)


_clock_of: Callable[[int], int] | None = getattr(time, "pthread_getcpuclockid", None)
_read: Callable[[int], int] | None = getattr(time, "clock_gettime_ns", None)


def asleep(ident: int, native: int, *, naps: bool = True) -> object | None:
    """Where a thread sleeps, and how much it has done: two looks that are equal say that it is
    blocked. None: it runs, or could; or, unless it `naps` for ever, as threads of other people's
    do, it has set itself an alarm: a real `time.sleep`, as who has kept one from before."""
    frame = sys._current_frames().get(ident)
    if frame is None:  # it is over, or about to be: whoever joins it waits until it is
        return None if state(native) in RUNS else (ident,)
    # Whoever looks has the interpreter: one that spins waits for it, and sleeps in the kernel. A
    # thread with a frame is alive, until the interpreter is let go, so its clock is asked first.
    done = 0
    if _clock_of is not None and _read is not None:
        try:
            done = _read(_clock_of(ident))
        except ProcessLookupError:
            return (ident,)
    if state(native) in RUNS or (not naps and _napping(native)):
        return None
    return (ident, id(frame), frame.f_lasti, done)


def state(native: int) -> str:
    """What the system says of a thread, in a letter. Empty where it says nothing."""
    try:
        with open(f"/proc/self/task/{native}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except (OSError, IndexError):  # another system; a thread that is no more
        return ""


def _napping(native: int) -> bool:
    try:
        with open(f"/proc/self/task/{native}/wchan") as where:
            return where.read() == "hrtimer_nanosleep"
    except OSError:
        return False


def interrupt(ident: int) -> None:
    """Raise Crash in a thread, at its next line."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Crash))
