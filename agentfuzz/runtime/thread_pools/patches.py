"""The waits of `threading`, `queue` and `concurrent.futures`, brought to the gate.

Law: inside a run, a thread of the agent that waits lets the others go on, and a wait with a
time-out takes virtual time. Outside of a run, and in threads of other people, everything is as it
was. Installed by the simulation, once.

Virtual, because they end in `Condition.wait`: `Condition.wait` and `wait_for`, `Event.wait`,
`Semaphore.acquire`, `Barrier.wait`, `queue.Queue.get` and `put` (and its siblings),
`Future.result` and `exception`, `concurrent.futures.wait` and `as_completed`, `Executor.map`;
`ThreadPoolExecutor.shutdown` and `Thread.join` as well, and `time.sleep`. A thread that the agent
starts by itself (`threading.Timer` among them), a worker thread of AnyIO, and one in which a
framework runs the agent (`begins_runs`), is held as if it were one of a pool.

Real, because they are written in C: `Lock.acquire(timeout=)`, `RLock.acquire(timeout=)`,
`SimpleQueue.get(timeout=)`; and whatever runs in a thread that a library keeps for itself.
"""

import concurrent.futures
import queue
import sys
import threading
from _thread import allocate_lock, get_ident
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.thread import _WorkItem
from contextlib import contextmanager
from contextvars import Context
from functools import partial
from typing import Any

from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.thread_pools import nearby
from agentfuzz.runtime.thread_pools.gate import Gate
from agentfuzz.runtime.thread_pools.work_item import DONE, here
from agentfuzz.runtime.user_code import is_users

_gate: Gate | None = None
_BEGIN_RUNS: set[str] = set()  # modules whose threads run agents
_submit = ThreadPoolExecutor.submit
_shutdown = ThreadPoolExecutor.shutdown
_run = _WorkItem.run
_wait = threading.Condition.wait
_start = threading.Thread.start
_join = threading.Thread.join
_made = Future.__init__
_result = Future.result
_exception = Future.exception
_together: Any = concurrent.futures._base


@contextmanager
def gated(gate: Gate) -> Iterator[Gate]:
    """Bring the waits of this process's threads to a gate until the block ends."""
    global _gate
    outer, _gate = _gate, gate
    restore = _patch() if outer is None else lambda: None
    try:
        yield gate
    finally:
        _gate = outer
        restore()
        if outer is None and any(thread.is_alive() for thread in gate.out_of_reach):
            threading.Condition.wait = outlived  # type: ignore[method-assign]


def _patch() -> Callable[[], None]:
    new: tuple[tuple[Any, str, Any], ...] = (
        (ThreadPoolExecutor, "submit", submit),
        (ThreadPoolExecutor, "shutdown", shutdown),
        (_WorkItem, "run", run),
        (threading.Condition, "wait", wait),
        (threading.Thread, "start", start),
        (threading.Thread, "join", join),
        (threading, "_time", monotonic),
        (queue, "time", monotonic),
        (Future, "__init__", made),
        (Future, "__hash__", number),
        (Future, "result", result),
        (Future, "exception", exception),
        (_together, "_AcquireFutures", acquired),
    )
    old = [(owner, name, owner.__dict__.get(name)) for owner, name, _ in new]
    for owner, name, value in new:
        setattr(owner, name, value)

    def restore() -> None:
        for owner, name, value in old:
            delattr(owner, name) if value is None else setattr(owner, name, value)

    return restore


def _mine() -> Gate | None:
    """The gate, for a thread of the run that goes on."""
    gate = _gate
    return gate if gate is not None and get_ident() in gate.idents else None


def submit(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
    gate = _mine()
    if gate is None:
        return _submit(self, fn, *args, **kwargs)
    return gate.submit(_submit, self, fn, *args, **kwargs)


def run(self: Any, *rest: Any) -> None:
    """A pool's thread does a piece of work, and sets its future."""
    try:
        _run(self, *rest)
    finally:
        work = here.__dict__.pop("work", None)
        if work is not None:
            work.gate.done(work)


def shutdown(self: Any, wait: bool = True, *, cancel_futures: bool = False) -> None:
    gate = _mine()
    if gate is not None and gate.alive:
        _shutdown(self, False, cancel_futures=cancel_futures)
        if wait:
            gate.until(lambda: not any(work.pool is self for work in gate.alive))
    _shutdown(self, wait, cancel_futures=cancel_futures)


def outlived(self: Any, timeout: float | None = None) -> bool:
    """A real wait. Raises Crash in a thread whose process is dead: it was out of reach then, in
    code written in C, and would wait for ever for what that process was to give it."""
    work = getattr(here, "work", None)
    if work is not None:
        work.alive()
    return _wait(self, timeout)


def wait(self: Any, timeout: float | None = None) -> bool:
    gate = _mine()
    if gate is None or gate.clock.real:
        return outlived(self, timeout)
    if not self._is_owned():
        raise RuntimeError("cannot wait on un-acquired lock")
    waiter = allocate_lock()
    waiter.acquire()
    self._waiters.append(waiter)
    saved = self._release_save()
    notified = False
    try:
        notified = gate.until(lambda: not waiter.locked(), timeout)
        return notified
    finally:
        self._acquire_restore(saved)
        if not notified and waiter in self._waiters:
            self._waiters.remove(waiter)


def start(self: threading.Thread) -> None:
    """A thread starts: one of a pool, or one that the gate does not hold."""
    gate = _gate
    if gate is not None and getattr(here, "submitting", False):
        gate.pooled.append(self)
        try:
            nearby.start(_start, self)
        except BaseException:
            gate.pooled.remove(self)
            raise
        return
    if gate is None or not gate.idents:
        _start(self)
        return
    if _mine() is not None and _is_agents(self):
        gate.adopt(partial(nearby.start, _start), self)
        return
    gate.foreign.append(self)
    gate.clock.gate = gate
    if _mine() is None:
        _start(self)
        return
    ident = get_ident()
    me = gate.idents.pop(ident)
    try:
        _start(self)
    finally:
        gate.idents[ident] = me


def begins_runs(module: str) -> None:
    """The threads that functions of this module are the targets of run an agent, though a library
    starts them: a framework's way to be called from sync code."""
    _BEGIN_RUNS.add(module)


def _is_agents(thread: threading.Thread) -> bool:
    """Whether the agent's own code starts a thread, or is what it runs: a library keeps threads
    for itself, which live longer than a run. Those of AnyIO belong to a loop, and end with it."""
    target = getattr(thread, "_target", None)
    if isinstance(getattr(target, "__self__", None), Context):
        target = next(iter(getattr(thread, "_args", ())), None)  # what runs in that context
    if type(thread).__module__.startswith("anyio.") or (
        getattr(target, "__module__", None) in _BEGIN_RUNS
    ):
        return True
    code = getattr(target or type(thread).run, "__code__", None)
    return is_users(sys._getframe(2).f_code.co_filename) or (
        code is not None and is_users(code.co_filename)
    )


def join(self: threading.Thread, timeout: float | None = None) -> None:
    """Wait for a thread: one that the gate holds lives in virtual time."""
    gate = _mine()
    work = None if gate is None or self is threading.current_thread() else gate.own(self)
    if gate is not None and work is not None:
        gate.until(lambda: work.state is DONE, timeout)
        return
    _join(self, timeout)


def monotonic() -> float:
    gate = _mine()
    return Real.monotonic() if gate is None or gate.clock.real else gate.clock.now


def made(self: Any) -> None:
    """Number the futures of a run."""
    _made(self)
    gate = _gate if getattr(here, "submitting", False) else _mine()
    if gate is not None:
        gate.futures += 1
        self._number = gate.futures


def result(self: Any, timeout: float | None = None) -> Any:
    self._heard = True
    return _result(self, timeout)


def exception(self: Any, timeout: float | None = None) -> Any:
    self._heard = True
    return _exception(self, timeout)


class acquired(_together._AcquireFutures):  # type: ignore[misc]
    """`wait` and `as_completed` look at futures together."""

    def __init__(self, futures: Any) -> None:
        super().__init__(futures)
        group = object()
        for future in self.futures:
            future._group = group


def number(self: Any) -> int:
    """A future is hashed by its number, not by its address: a set of futures has the same order
    in every run."""
    found: int = self.__dict__.get("_number", 0)
    return found or object.__hash__(self)
