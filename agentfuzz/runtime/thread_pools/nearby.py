"""Where a thread of a run begins: on the processor of the thread that starts it.

Law: of the threads of a run one goes on at a time, so that one processor is enough for them. One
that begins elsewhere leaves its starter's idle, and disturbs the run of another process. Nothing
of that is to be seen: the first thing that a new thread does, before other code runs, is to let
both go again wherever its starter could; what is said of either from then on stays, and no frame
of this is left. Called where the gate's threads are started; where a system has no such calls, or
refuses them, and where a class of threads begins in a way of its own, they start as they do.
"""

import ctypes
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from operator import call
from threading import Thread, get_native_id
from typing import Any

_OURS = ("_bootstrap", "__getattribute__", "__hash__")  # what `Thread.start` asks of a thread


def _found() -> Callable[[], int] | None:
    """What tells the processor on which a thread runs; None where nothing does."""
    try:
        found: Callable[[], int] = ctypes.PyDLL(None).sched_getcpu
    except (OSError, TypeError, AttributeError):
        return None
    return found if hasattr(os, "sched_setaffinity") else None


_processor = _found()
# As they are: a test of an agent may put others in their place.
_where: Any = getattr(os, "sched_getaffinity", None)
_go: Any = getattr(os, "sched_setaffinity", None)


def start(real: Callable[[Thread], None], thread: Thread) -> None:
    """Start a thread here."""
    wherever = _wherever()
    if _processor is None or len(wherever) < 2 or not _begins_as_any(thread):
        real(thread)
        return
    starter, narrow = get_native_id(), [True]

    def begin() -> None:
        vars(thread).pop("_bootstrap", None)
        with suppress(OSError):
            if narrow:
                _go(starter, wherever)
        narrow.clear()
        with suppress(OSError):
            _go(0, wherever)

    then = thread._bootstrap  # type: ignore[attr-defined]
    vars(thread)["_bootstrap"] = partial(deque, map(call, (begin, then)), 0)  # without a frame
    try:
        try:
            _go(0, {_processor()})
        except (OSError, ValueError):  # it may not be said
            narrow.clear()
        real(thread)
    finally:
        try:
            if narrow:  # it has not begun; nothing is called before this that may be interrupted
                _go(0, wherever)
        except OSError:
            pass
        narrow.clear()
        vars(thread).pop("_bootstrap", None)


def _wherever() -> set[int]:
    """Where this thread may run; empty where nothing tells."""
    try:
        found: set[int] = set() if _where is None else _where(0)
    except OSError:
        return set()
    return found


def _begins_as_any(thread: Thread) -> bool:
    kind = type(thread)
    same = all(getattr(kind, name, None) is getattr(Thread, name) for name in _OURS)
    return same and "_bootstrap" not in vars(thread)
