"""An asyncio event loop that lives in virtual time.

Law: when nothing is ready, the loop does not wait; it moves the clock to the next timer. When
there is no next timer either, nothing can ever happen again, and the run is cut off as `hung`.
Called through `asyncio.run` and by the run of an async agent. Only the selector is replaced;
timers, tasks and timeouts are asyncio's own.

Work for an executor runs inline, at its own step of the loop: same order every time, no threads.
Sockets and threads that other code brings along are given a moment of real time to answer, and
take no virtual time.
"""

import asyncio
import contextvars
import gc
import selectors
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from agentfuzz.core.errors import CutOff
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import FOREVER, Clock, Real

T = TypeVar("T")
GRACE = 2.0  # real seconds that foreign threads get before the loop is called hung


class VirtualSelector(selectors.DefaultSelector):
    """A selector whose waiting moves the clock instead of the world."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._threads = threading.active_count()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._clock.real:
            begun = Real.monotonic()
            found = super().select(timeout)
            self._clock.advance(Real.monotonic() - begun)
            return found
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        gate = self._clock.gate
        if gate is not None and gate.holds():
            ready = super().select
            gate.until(lambda: bool(ready(0)), timeout)
            return ready(0)
        if gate is not None and gate.step():
            return super().select(0)
        if self._others():
            found = super().select(0.02)
            if found:
                return found
        due = self._clock.next_due
        wakes = None if gate is None else gate.next_deadline()
        if wakes is not None:
            due = wakes if due is None else min(due, wakes)
        if due is not None:
            until = max(due - self._clock.now, 0.0)
            timeout = until if timeout is None else min(timeout, until)
        if timeout is None:
            return self._stuck()
        self._clock.advance(max(timeout, 1e-6))
        return []

    def _others(self) -> bool:
        """Whether threads run that nobody holds."""
        gate = self._clock.gate
        idle = 0 if gate is None else sum(thread.is_alive() for thread in gate.pooled)
        return threading.active_count() - idle > self._threads

    def _stuck(self) -> list[tuple[selectors.SelectorKey, int]]:
        deadline = Real.monotonic() + GRACE
        while self._others() and Real.monotonic() < deadline:
            found = super().select(0.05)
            if found:
                return found
        raise CutOff("hung", "every task waits and no timer is set")


class NumberedTask(asyncio.Task[Any]):
    """Hashed by its number in the run, not by its address: a set of tasks (`asyncio.wait`, a
    framework's bookkeeping) has the same order in every run."""

    def __init__(self, coro: Any, *, loop: "VirtualLoop", **named: Any) -> None:
        loop.made += 1
        self._number = loop.made
        super().__init__(coro, loop=loop, **named)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's selector loop on a `Clock`. `time()` is in virtual seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(VirtualSelector(clock))
        # Bigger than the distance of two floats at a year of seconds, or timers never come due.
        self._clock_resolution = 1e-6
        self.made = 0  # tasks, in this run
        self.dead = False  # so is the process that it belongs to
        self.set_task_factory(lambda loop, coro, **named: NumberedTask(coro, loop=self, **named))

    def run_until_complete(self, future: Any) -> Any:
        self.made = int(isinstance(future, asyncio.Future))  # the main task, if it is one
        return super().run_until_complete(future)

    def time(self) -> float:
        return self._clock.now

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        """Close an async generator that nobody holds: in a task, or, on a dead loop, at once."""
        if not self.dead:
            super()._asyncgen_finalizer_hook(agen)  # type: ignore[misc]
            return
        for _ in range(3):
            with suppress(BaseException):
                agen.ag_await.close()  # one that is waited for at this moment has no other end
                break
        with suppress(BaseException):
            agen.aclose().send(None)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """A timer; one at infinity is none at all, so that waiting for ever is seen as `hung`."""
        if when == FOREVER:
            return asyncio.TimerHandle(when, callback, args, self, context)
        return super().call_at(when, callback, *args, context=context)

    async def getaddrinfo(self, host: Any, port: Any, **given: Any) -> Any:
        leaks.looks_up(host, port)
        return await super().getaddrinfo(host, port, **given)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = self.create_future()
        context = contextvars.copy_context()

        def work() -> None:
            if future.cancelled():
                return
            asyncio._set_running_loop(None)  # as in a thread: no loop is running here
            try:
                result = context.run(func, *args)
            except BaseException as error:
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)
            finally:
                asyncio._set_running_loop(self)

        self.call_soon(work)
        return future


def finish(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left on a loop and let the cancellations run."""
    for _ in range(3):
        left = sorted(asyncio.all_tasks(loop), key=_made)
        if not left:
            break
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())


def abandon(loop: VirtualLoop) -> None:
    """Drop what is left on the loop of a dead process, without letting it go on, and close it."""
    loop.dead = True
    with _unheard():
        for task in sorted(asyncio.all_tasks(loop), key=_made):
            coroutine: Any = task.get_coro()
            for _ in range(3):  # one that awaits in its `finally` is closed again
                try:
                    coroutine.close()
                except BaseException:
                    continue
                break
        loop.close()


def bury() -> None:
    """Let go what a dead process still held: open connections, and the locks that go with them."""
    with _unheard():
        gc.collect(1)


@contextmanager
def _unheard() -> Iterator[None]:
    """Nobody hears what a dead process has never awaited, and never closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _made(task: "asyncio.Task[Any]") -> tuple[int, str]:
    """The order in which tasks were made: a set of tasks has that of memory addresses."""
    digits = "".join(filter(str.isdigit, task.get_name()))
    return (int(digits or 0), task.get_name())
