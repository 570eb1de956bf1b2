"""LangChain's thread pool without threads, for the length of a simulation.

Law: inside a simulation, work handed to the pool is done at once, in the order in which it was
handed in; outside of one the pool is what it was. So parallel tool calls of a sync graph come in
the order that the model asked for, in every run. Called by the langgraph adapter.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import ParamSpec, TypeVar

import langchain_core.runnables.config as runnables

from agentfuzz.clock import active_clock

P = ParamSpec("P")
T = TypeVar("T")


def install() -> None:
    """Let every pool that LangChain opens from now on be an InlinePool."""
    runnables.ContextThreadPoolExecutor = InlinePool  # type: ignore[misc]


class InlinePool(runnables.ContextThreadPoolExecutor):
    """A thread pool outside of simulations; inside, its work is done when it is handed in."""

    def submit(  # type: ignore[override]
        self, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Do the work, or start it. A streaming graph's wait for its own output gets a thread:
        done at once, it would wait for ever."""
        waits = bool(args) and getattr(args[0], "__name__", "") == "wait"
        if active_clock() is None or waits:
            return super().submit(func, *args, **kwargs)
        future: Future[T] = OrderedFuture()
        try:
            future.set_result(copy_context().run(func, *args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class OrderedFuture(Future[T]):
    """A future that stands in a set where it was put, whatever its address: LangGraph takes the
    failure that it raises out of a set of futures."""

    def __hash__(self) -> int:
        return 0
