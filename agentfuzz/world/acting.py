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

# What passes by the world's side of the call that goes on here: a body gets it as it came.
BESIDE: ContextVar[object] = ContextVar("agentfuzz_beside", default=None)

# The leg of the run that goes on here, where several do at once; 0 elsewhere.
LEG: ContextVar[int] = ContextVar("agentfuzz_leg", default=0)


class named:
    """This agent acts within."""

    __slots__ = ("_agent", "_token")

    def __init__(self, agent: str) -> None:
        self._agent = agent

    def __enter__(self) -> None:
        self._token = ACTING.set(self._agent)

    def __exit__(self, *raised: object) -> None:
        ACTING.reset(self._token)


def anew() -> None:
    """A run begins: whoever acted in another one, or around it, does not act in this one."""
    if ACTING.get():
        ACTING.set("")
    if TAKING.get() is not None:
        TAKING.set(None)
    if LEG.get():
        LEG.set(0)


@contextmanager
def nobody() -> Iterator[None]:
    """A leg begins within another one: nobody acts in it yet, and nothing is taken over."""
    token = TAKING.set(None)
    try:
        with named(""):
            yield
    finally:
        TAKING.reset(token)
