"""An asyncio event loop that lives in virtual time.

Law: when nothing is ready, the loop does not wait; it moves the clock to the next timer. When
there is no next timer either, nothing can ever happen again, and the run is cut off as `hung`.
Called through `asyncio.run` and by the run of an async agent. Only the selector is replaced;
timers, tasks and timeouts are asyncio's own.

Work for an executor begins at its own step of the loop, on a thread that has the turn until it is
done or waits: same order every time.
Sockets and threads that other code brings along are given a moment of real time to answer, and
take no virtual time; processes are given as long as they work.
"""

import asyncio
import contextvars
import gc
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, TypeVar

from agentfuzz.runtime import leaks, unheard
from agentfuzz.runtime.clock import FOREVER, Clock, Real
from agentfuzz.runtime.numbered import InOrder, NumberedFuture, NumberedTask
from agentfuzz.runtime.thread_pools.work_item import is_doomed
from agentfuzz.runtime.virtual_selector import VirtualSelector

T = TypeVar("T")
_LEFT = ("_ready", "_scheduled", "_asyncgens")  # what a loop of asyncio's has still to do
WORKERS = 32  # threads for work: as many as asyncio has at most, whatever the machine


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's selector loop on a `Clock`. `time()` is in virtual seconds; `ended` counts those of
    this process that were closed."""

    ended = 0

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
        self._default_executor: ThreadPoolExecutor | None = None  # asyncio's own, under this name
        self._pools: dict[Any, ThreadPoolExecutor] = {}  # by the executor that they stand for
        self.set_task_factory(_numbered)

    def begin(self) -> None:
        """A leg begins: it counts for itself."""
        self.made = self.numbered = self._turns.polls = 0
        self._asyncgens_shutdown_called = False  # at the end of the leg before
        self._default_executor = None

    def forget(self) -> None:
        """What was to be called is not, as where `asyncio.run` ends: no run hears of another's."""
        ready, timers = vars(self)["_ready"], vars(self)["_scheduled"]
        for timer in timers:
            timer._scheduled = False  # who cancels it now cancels nothing
        ready.clear()
        timers.clear()
        self._timer_cancelled_count = 0

    @property
    def waits(self) -> bool:
        """Whether something is to be called on it."""
        return bool(self._ready or self._scheduled)  # type: ignore[attr-defined]

    def holds_tasks_only(self) -> bool:
        """Whether nothing else is left: no generator, thread, process, pipe or connection."""
        turns = self._turns
        left = self._asyncgens or self._pools or turns.children
        return not left and len(turns.get_map()) == 1  # what wakes it

    def close(self) -> None:
        VirtualLoop.ended += 1
        self.rest()
        self._turns.children.end()
        super().close()

    def rest(self) -> None:
        """A run is over: the threads that did its work end, for a fork has but one."""
        while self._pools:
            self._pools.popitem()[1].shutdown(wait=False)

    def asks(self, whom: str) -> AbstractContextManager[None]:
        """Somebody in real time is asked something on this loop, until the block ends."""
        return self._turns.outstanding.asked(whom)

    def is_alone(self) -> bool:
        """Whether it has no pipe and no connection to anybody else."""
        return not self._turns.outside()

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

    def _make_socket_transport(self, sock: Any, *given: Any, **named: Any) -> Any:
        made = super()._make_socket_transport(sock, *given, **named)  # type: ignore[misc]
        if named.get("server") is None:
            self._turns.connections.note(made, sock.fileno())
        return made

    def _make_ssl_transport(self, sock: Any, *given: Any, **named: Any) -> Any:
        made = super()._make_ssl_transport(sock, *given, **named)  # type: ignore[misc]
        if named.get("server") is None:
            self._turns.connections.note(made, sock.fileno())
        return made

    async def sock_sendall(self, sock: Any, data: Any) -> None:
        self._turns.connections.sent(sock)
        await super().sock_sendall(sock, data)

    async def getaddrinfo(self, host: Any, port: Any, **given: Any) -> Any:
        leaks.looks_up(host, port)
        return await super().getaddrinfo(host, port, **given)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        future: Any = self.create_future()
        future.called = unheard.named(func)
        unheard.made(future)
        pool = self._pool_of(executor)
        call = (contextvars.copy_context().run, func, *args)

        def ends(done: Any) -> None:
            if future.cancelled() or done.cancelled():
                future.cancel()
                return
            error = done.exception()
            future.set_result(done.result()) if error is None else future.set_exception(error)

        def comes(done: Any) -> None:
            if is_doomed():  # its run is over, and another one may be on this loop
                return
            with suppress(RuntimeError):  # the loop is closed: nobody waits for it any more
                self.call_soon_threadsafe(ends, done)

        def begins() -> None:
            if future.cancelled():
                return
            handed = pool.submit(*call)
            vars(handed)["_for_a_loop"] = True  # who hears of it hears of the loop's future
            if handed.done():  # it has waited for nothing
                ends(handed)
            else:
                handed.add_done_callback(comes)
                # What has not begun when nobody waits for it any more never does.
                future.add_done_callback(lambda ended: ended.cancelled() and handed.cancel())

        self.call_soon(begins)
        made: asyncio.Future[T] = future
        return made

    def _pool_of(self, executor: Any) -> ThreadPoolExecutor:
        """The threads that do some work. Processes of an executor are threads here, as many."""
        executor = executor or self._default_executor
        if isinstance(executor, ThreadPoolExecutor):
            return executor
        pool = self._pools.get(executor)
        if pool is None:
            workers = getattr(executor, "_max_workers", WORKERS)
            pool = self._pools[executor] = ThreadPoolExecutor(workers, "asyncio")
        return pool

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """As `asyncio.run` ends: what is left in its threads goes on to its end first."""
        self._pool_of(None).shutdown()
        self._pools.pop(None, None)  # the loop lives on, for another run


def _numbered(loop: Any, coro: Any, **named: Any) -> NumberedTask:
    return NumberedTask(coro, loop=loop, **named)


def finish(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left on a loop and let the cancellations run."""
    for _ in range(3):
        left = sorted(asyncio.all_tasks(loop), key=_made)
        if not left:
            break
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    if any(len(getattr(loop, name, "?")) for name in _LEFT):  # of most runs nothing is left
        loop.run_until_complete(loop.shutdown_asyncgens())
        if isinstance(loop, VirtualLoop) and not asyncio.all_tasks(loop):
            loop.forget()


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
