"""Who acts: the name of the agent that runs here, in this task or thread.

Law: a name holds for what is called within it and for the tasks begun there, as context variables
do; a run in which nobody has a name knows nothing of this. Set by a world's `acting` and by
whatever runs an agent; read by the log, when somebody crosses a boundary.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

ACTING: ContextVar[str] = ContextVar("agentfuzz_acting", default="")
# What is to be done before the first effect of who acts here: it takes over what it was handed.
TAKING: ContextVar[Callable[[], None] | None] = ContextVar("agentfuzz_taking", default=None)


@contextmanager
def named(agent: str) -> Iterator[None]:
    """This agent acts within."""
    token = ACTING.set(agent)
    try:
        yield
    finally:
        ACTING.reset(token)


@contextmanager
def nobody() -> Iterator[None]:
    """A leg begins within another one: nobody acts in it yet, and nothing is taken over."""
    token = TAKING.set(None)
    try:
        with named(""):
            yield
    finally:
        TAKING.reset(token)
