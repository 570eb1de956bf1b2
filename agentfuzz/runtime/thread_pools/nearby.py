"""Where a thread of a run begins: on the processor of the thread that starts it.

Law: of the threads of a run one goes on at a time, so that one processor is enough for them. One
that begins elsewhere leaves its starter's idle, and disturbs the run of another process. Nothing
of that is to be seen: before other code runs, each may go again wherever it could. Called where
the gate's threads are started; where a system has no such calls they start as they do.
"""

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from threading import Thread


def _found() -> Callable[[], int] | None:
    """What tells the processor on which a thread runs; None where nothing does."""
    try:
        found: Callable[[], int] = ctypes.CDLL(None).sched_getcpu
    except (OSError, TypeError, AttributeError):
        return None
    return found if hasattr(os, "sched_setaffinity") else None


_processor = _found()


def start(real: Callable[[Thread], None], thread: Thread) -> None:
    """Start a thread here."""
    if _processor is None or len(wherever := os.sched_getaffinity(0)) < 2:
        real(thread)
        return
    try:
        os.sched_setaffinity(0, {_processor()})
    except (OSError, ValueError):  # it may not be said
        real(thread)
        return

    def begun() -> None:
        _go(wherever)
        del vars(thread)["_bootstrap"]
        thread._bootstrap()  # type: ignore[attr-defined]

    thread._bootstrap = begun  # type: ignore[attr-defined]
    try:
        real(thread)
    except BaseException:
        vars(thread).pop("_bootstrap", None)
        raise
    finally:
        _go(wherever)


def _go(wherever: set[int]) -> None:
    """This thread may run on any of these processors."""
    with suppress(OSError):
        os.sched_setaffinity(0, wherever)
