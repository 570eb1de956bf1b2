"""Isolation: what one run could leak into the next, and the randomness that it draws.

Law: every run begins with the same random state and entropy, and leaves environment, working
directory, standard streams, recursion limit and signal handlers as it found them. Called by the
simulation around every run; the patches are made once for a whole campaign.
"""

import os
import random
import signal
import sys
from _random import Random
from _signal import getsignal
from collections.abc import Callable, MutableMapping
from typing import Any

_SEED = 20260101
_set_random: Callable[..., None] = Random.setstate
# What was changed since the last look: filled by the audit hook (`os.putenv`, `os.chdir`, ...) and
# by `signal.signal`, which has no event.
touched: set[str] = {"at first"}
TOUCHING = frozenset({"os.putenv", "os.unsetenv", "os.chdir", "os.fchdir", "os.remove", "os.rmdir"})
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM") if hasattr(signal, name)
)
# The C function: the one in `signal` builds an enum member per call.
_handler: Callable[[int], Any] = getsignal


class Isolation:
    """Use `install` and `remove` once, `begin` and `end` around each run."""

    def __init__(self) -> None:
        self._entropy = random.Random(0)
        self._fresh = True
        self._seed = 0
        self.renew(0)
        self._restore: list[Callable[[], None]] = []

    def install(self) -> None:
        """Make entropy deterministic and remember the state to come back to."""
        outer = random.getstate()
        touched.add("at first")
        self._restore.append(_telling_signals())
        urandom = os.urandom

        def deterministic(size: int) -> bytes:
            if self._fresh:
                self._entropy.seed(self._seed)
                self._fresh = False
            return self._entropy.randbytes(size)

        def restore() -> None:
            random.setstate(outer)
            os.urandom = urandom
            random._urandom = urandom  # type: ignore[attr-defined]

        os.urandom = deterministic
        random._urandom = deterministic  # type: ignore[attr-defined]
        self._restore.append(restore)

    def remove(self) -> None:
        """Undo `install`."""
        while self._restore:
            self._restore.pop()()

    def renew(self, by: int = 1) -> None:
        """Other randomness from the next run on: what this one draws is taken already."""
        self._seed += by or _SEED
        self._seeded = random.Random(self._seed).getstate()[1]  # as C keeps it

    def begin(self) -> None:
        """The same randomness for every run, and a note of what must be the same after it."""
        _set_random(random._inst, self._seeded)
        self._fresh = True
        if touched:
            self._look()
        self._streams = (sys.stdout, sys.stderr, sys.stdin)
        self._depth = sys.getrecursionlimit()

    def _look(self) -> None:
        """How the environment is, and what the signals do."""
        self._environ = dict(_raw_environ())
        self._cwd = os.getcwd()
        self._signals = [_handler(number) for number in _SIGNALS]
        touched.clear()

    def end(self) -> None:
        """Put back what the run changed."""
        if (sys.stdout, sys.stderr, sys.stdin) != self._streams:
            sys.stdout, sys.stderr, sys.stdin = self._streams
        if sys.getrecursionlimit() != self._depth:
            sys.setrecursionlimit(self._depth)
        if touched:
            self._put_back()

    def _put_back(self) -> None:
        if _raw_environ() != self._environ:
            _restore_environ(self._environ)
        try:
            moved = os.getcwd() != self._cwd
        except OSError:  # the run removed its own directory
            moved = True
        if moved:
            os.chdir(self._cwd)
        for number, before in zip(_SIGNALS, self._signals, strict=True):
            if _handler(number) is not before and before is not None:
                signal.signal(number, before)
        touched.clear()


def _telling_signals() -> Callable[[], None]:
    real = signal.signal

    def tells(number: Any, handler: Any) -> Any:
        touched.add("signal")
        return real(number, handler)

    signal.signal = tells  # type: ignore[assignment]

    def restore() -> None:
        signal.signal = real

    return restore


def _raw_environ() -> MutableMapping[Any, Any]:
    """The environment as the mapping that `os.environ` keeps, encoded: copying and comparing
    through `os.environ` itself decodes every value and costs more than a run."""
    raw: MutableMapping[Any, Any] = getattr(os.environ, "_data", os.environ)
    return raw


def _restore_environ(before: dict[Any, Any]) -> None:
    now = _raw_environ()
    for key in [key for key in now if key not in before]:
        del os.environ[os.fsdecode(key)]
    for key, value in before.items():
        if now.get(key) != value:
            os.environ[os.fsdecode(key)] = os.fsdecode(value)
