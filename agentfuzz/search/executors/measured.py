"""Coverage of the runs that other processes make, where coverage.py measures this one.

Law: nothing is imported for it, and nothing of this process' measures is touched by another. A
forked process measures anew, by the same options, in memory, and sends what it has run with its
last word; one that was begun by a command, and is measured by coverage.py's own means, saves it.
Called by the processes of an executor, and by what ends them.
"""

import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from agentfuzz.runtime.clock import Real

PATIENCE = 10.0  # real seconds for the last word
_LAST = b"coverage:"
_OPTIONS = ("branch", "concurrency", "core", "include", "omit", "source", "source_pkgs")


def measuring() -> Any:
    """What measures this process, or None."""
    coverage = sys.modules.get("coverage")
    return None if coverage is None else coverage.Coverage.current()


def anew() -> Any:
    """Measure this process, which was forked, by itself. What does, or None."""
    with suppress(Exception):  # of coverage.py's own: no run fails by it
        if (theirs := measuring()) is not None:
            theirs.stop()
            mine = sys.modules["coverage"].Coverage(data_file=None, config_file=False)
            for name in _OPTIONS:
                mine.set_option(f"run:{name}", theirs.get_option(f"run:{name}"))
            mine.start()
            return mine
    return None


def send(mine: Any, back: Connection) -> None:
    """The last word of a forked process: what it has run."""
    with suppress(Exception):
        if mine is not None:
            mine.stop()
            back.send_bytes(_LAST + mine.get_data().dumps())


def save() -> None:
    """Keep what a process has run that ends without coverage.py's knowing."""
    with suppress(Exception):
        if (theirs := measuring()) is not None:
            theirs.save()


def gather(answers: Connection) -> None:
    """Wait for the last word of a process that has nothing to do any more, and count it in."""
    theirs = measuring()
    until = Real.monotonic() + PATIENCE
    with suppress(Exception):
        while theirs is not None and answers.poll(until - Real.monotonic()):
            said = answers.recv_bytes()
            if said.startswith(_LAST):
                data = sys.modules["coverage"].CoverageData(no_disk=True)
                data.loads(said[len(_LAST) :])
                theirs.get_data().update(data)
