"""SIGTERM: it ends a session of campaigns as Ctrl-C does.

Law: whoever minds the signal already goes on minding it, and nothing else is imported for it.
Called by the hooks when a session of campaigns starts, and by
what minds timeouts.
"""

import signal
import threading
from collections.abc import Callable
from typing import Any


def on_sigterm() -> Callable[[], None]:
    """Take SIGTERM as Ctrl-C from now on, unless somebody else minds it. Returns what undoes it."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        return lambda: None
    signal.signal(signal.SIGTERM, as_ctrl_c)

    def undo() -> None:
        if signal.getsignal(signal.SIGTERM) is as_ctrl_c:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    return undo


def as_ctrl_c(signum: int, frame: Any) -> None:
    """Do what Ctrl-C does now."""
    outer = signal.getsignal(signal.SIGINT)
    if callable(outer):
        outer(signal.SIGINT, frame)
    else:
        raise KeyboardInterrupt
