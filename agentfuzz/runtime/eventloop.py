"""An asyncio event loop that lives in virtual time.

Law: when nothing is ready, the loop does not wait; it moves the clock to the next timer. When
there is no next timer either, nothing can ever happen again, and the run is cut off as `hung`.
Called through `asyncio.run` and by the run of an async agent. Only the selector is replaced;
timers, tasks and timeouts are asyncio's own.

Work for an executor runs inline, at its own step of the loop: same order every time, no threads.
Sockets and threads that other code brings along are given a moment of real time to answer, and
take no virtual time; processes are given as long as they work.
"""

import asyncio
import contextvars
import gc
import os
import selectors
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from agentfuzz.core.errors import Crash, CutOff
from agentfuzz.runtime import leaks, unheard
from agentfuzz.runtime.children import Children
from agentfuzz.runtime.clock import FOREVER, Clock, Real
from agentfuzz.runtime.numbered import InOrder, NumberedFuture, NumberedTask

T = TypeVar("T")
PATIENCE = 10_000  # turns of a loop in one instant; more than tasks take that get anything done
MOMENT = 0.01  # virtual seconds that a turn takes beyond that
GRACE = 2.0  # real seconds that foreign threads get before the loop is called hung
LOOK = 0.05  # real seconds between two looks at partners that owe something
SETTLE = 0.002  # real seconds in which bytes get from one socket to the other


class VirtualSelector(selectors.DefaultSelector):
    """A selector whose waiting moves the clock instead of the world."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._known = set(threading.enumerate())  # who was there before: perhaps ending
        self.polls = 0  # turns of the loop since it last waited, or a leg began
        self.children = Children()
        self.waker = -1  # the file by which its loop is woken
        self.since: float | None = None  # where the real clock was at second 0, of a real loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found:
            return found
        if timeout is not None and timeout <= 0:
            self.polls += 1
            if self.polls > PATIENCE:
                self._polled()
            return found
        self.polls = 0
        if self.since is not None or not self._clock.mine():  # a thread that is no part of the run
            return self._really(timeout)
        if self._clock.real:
            return self._beside_others(timeout)
        gate = self._clock.gate
        if gate is not None and gate.holds():
            ready = super().select
            try:
                gate.until(lambda: bool(ready(0)), timeout)
            except Crash:
                if not gate.freed():
                    raise
                return self._really(timeout)
            return ready(0)
        if gate is not None and gate.step():
            return super().select(0)
        if self.children and (found := self.children.answer(super().select)):
            return found
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

    def _really(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait in real time. A loop that has begun to stays in it: a library keeps it, in a thread
        of its own, and its timers come whether a run is under way or not."""
        if self.since is None:
            self.since = Real.monotonic() - self._clock.now
        return super().select(timeout)

    def _polled(self) -> None:
        """Something is ready, again and again. Tasks that do nothing but yield wait for time to
        pass: it does."""
        if self._clock.mine():
            self._clock.advance(MOMENT)

    def _beside_others(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Partners live in real time. Waiting for them takes no virtual time, however long they
        need; a timer comes when they owe nothing, or are later than it is far away."""
        clock = self._clock
        if timeout is None:
            return super().select(None)
        until = Real.monotonic() + timeout
        while (left := until - Real.monotonic()) > 0:
            owed = self._owed()
            found = super().select(min(left, LOOK if owed else SETTLE))
            if found:  # or a partner may have said its last word
                return found
            if not owed and not self._owed():
                break
        found = super().select(0)
        if not found:
            clock.advance(timeout)
        return found

    def _owed(self) -> bool:
        """Whether something may still come: from a partner, from a thread that nobody holds, or
        over a connection to somebody else."""
        clock = self._clock
        ours: set[int | None] = {partner.port for partner in clock.partners}
        if any(_port(fd) not in ours for fd in list(self.get_map()) if fd != self.waker):
            return True
        own = [partner.thread for partner in clock.partners]
        foreign = () if clock.gate is None else clock.gate.foreign
        if any(thread.is_alive() and thread not in own for thread in foreign):
            return True
        return any(partner.owes() for partner in clock.partners)

    def _others(self) -> bool:
        """Whether threads run that nobody holds."""
        gate = self._clock.gate
        idle = self._known.union(() if gate is None else gate.pooled)
        return any(thread not in idle for thread in threading.enumerate())

    def _stuck(self) -> list[tuple[selectors.SelectorKey, int]]:
        deadline = Real.monotonic() + GRACE
        while (self._others() or self.children) and Real.monotonic() < deadline:
            found = super().select(0.05)
            if found:
                return found
        whose = dict.fromkeys(self._clock.waiting)
        raise CutOff("hung", "; ".join(("every task waits and no timer is set", *whose)))


def _port(fd: Any) -> int | None:
    """The port at the other end of a connection, None for what is none."""
    try:
        with socket.socket(fileno=os.dup(fd)) as connection:
            return int(connection.getpeername()[1])
    except (OSError, IndexError, ValueError, TypeError):
        return None


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's selector loop on a `Clock`. `time()` is in virtual seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        selector = self._turns = VirtualSelector(clock)
        super().__init__(selector)
        selector.waker = self._ssock.fileno()  # type: ignore[attr-defined]
        self._asyncgens: Any = InOrder()  # closed in the order in which they were begun
        # Bigger than the distance of two floats at a year of seconds, or timers never come due.
        self._clock_resolution = 1e-6
        self.made = 0  # tasks, in this leg
        self.numbered = 0  # tasks and futures that were put into sets
        self.dead = False  # so is the process that it belongs to
        self.set_task_factory(lambda loop, coro, **named: NumberedTask(coro, loop=self, **named))

    def begin(self) -> None:
        """A leg begins: it counts for itself."""
        self.made = self.numbered = self._turns.polls = 0
        self._asyncgens_shutdown_called = False  # at the end of the leg before

    def close(self) -> None:
        self._turns.children.end()
        super().close()

    def create_future(self) -> "asyncio.Future[Any]":
        return NumberedFuture(loop=self)

    def time(self) -> float:
        since = self._turns.since
        return self._clock.now if since is None else Real.monotonic() - since

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

    async def _make_subprocess_transport(self, *given: Any, **named: Any) -> Any:
        made = await super()._make_subprocess_transport(*given, **named)  # type: ignore[misc]
        self._turns.children.note(made)
        return made

    async def getaddrinfo(self, host: Any, port: Any, **given: Any) -> Any:
        leaks.looks_up(host, port)
        return await super().getaddrinfo(host, port, **given)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        future: Any = self.create_future()
        future.called = unheard.named(func)
        unheard.made(future)
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
        made: asyncio.Future[T] = future
        return made


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


def _made(task: "asyncio.Task[Any]") -> int:
    """The order in which tasks were made: a weak set of them has that of memory addresses."""
    return task._nth if isinstance(task, NumberedTask) else 0
