"""What dies unheard: tasks, threads and work in pools that end in an exception nobody asks for.

Law: told at the end of a leg and in the order in which they were made, whatever the garbage
collector does; what somebody awaited, asked for its result, or waited for as one of several is
none of it. Filled by the event loop and by the gate of threads, emptied by the simulation.
"""

import asyncio
from functools import partial
from typing import Any, NamedTuple, Protocol

from agentfuzz.core.errors import AgentfuzzError, CutOff

LIMIT = 4_096  # so many are kept before those that have ended well are let go
# Not deaths: they say that the run is over, or that somebody was told to stop.
_ENDINGS = (CutOff, AgentfuzzError, asyncio.CancelledError, SystemExit, GeneratorExit)


class Fate(NamedTuple):
    """How one ended: in which exception, and whether anybody has heard of it. Those of one `group`
    were waited for together: whoever takes the first that is well need not look at the others."""

    error: BaseException | None
    heard: bool
    group: object | None = None


class Mortal(Protocol):
    """What may die: `kind` is `task`, `thread` or `work`, `called` the function that it is."""

    kind: str

    @property
    def called(self) -> str:
        """The name of its function."""
        ...

    def fate(self) -> Fate | None:
        """How it ended, or None while it has not."""
        ...


class Death(NamedTuple):
    """One that died unheard."""

    kind: str
    called: str
    error: BaseException


_made: list[Any] = []


def made(one: Mortal) -> None:
    """One was made in the run that goes on."""
    _made.append(one)
    if len(_made) > LIMIT:
        _made[:] = [one for one in _made if not _is_well(one)]


def _is_well(one: Mortal) -> bool:
    fate = one.fate()
    return fate is not None and fate.error is None and fate.group is None


def deaths() -> list[Death]:
    """Those that died unheard since this was last asked; all others are forgotten."""
    if not _made:
        return []
    fates = [(one, fate) for one in _made if (fate := one.fate()) is not None]
    _made.clear()
    excused: set[Any] = set()  # groups of which one is enough, functions whose failure was heard
    for one, (error, heard, group) in fates:
        if error is None or heard:
            excused.add(group)
            if error is not None:
                excused.add(one.called)
    excused.discard(None)
    return [
        Death(one.kind, one.called, error)
        for one, (error, heard, group) in fates
        if error is not None
        and not heard
        and not isinstance(error, _ENDINGS)
        and group not in excused
        and one.called not in excused
    ]


def forget() -> None:
    """None of them counts: a run begins, or its process is dead."""
    _made.clear()


def named(function: Any, given: tuple[Any, ...] = ()) -> str:
    """What a function is called that is called with `given`: executors wrap it, in a context or a
    partial."""
    while True:
        if isinstance(function, partial):
            function, given = function.func, function.args
        elif getattr(function, "__name__", "") == "run" and given and callable(given[0]):
            function, given = given[0], given[1:]
        else:
            own = getattr(function, "__qualname__", None) or getattr(function, "name", None)
            return own if isinstance(own, str) else type(function).__name__
