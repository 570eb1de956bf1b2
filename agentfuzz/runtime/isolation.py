"""Isolation: what one run could leak into the next, and the randomness that it draws.

Law: every run begins with the same random state and entropy, and leaves its surroundings (see
`surroundings`, `loggers`) as it found them; what cannot be put back is named. Called by the
simulation around every run; the patches are made once for a whole campaign.

What neither a glance nor a setter shows (an entry of `sys.modules` that was taken away, a logger
that no longer propagates) is looked for after the first runs, ever more rarely, and at the end.
"""

import ctypes
import os
import random
import sys
from _random import Random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from agentfuzz.runtime import detours
from agentfuzz.runtime.loggers import Loggers
from agentfuzz.runtime.surroundings import (
    FILTERING,
    FILTERS,
    ROWS,
    SETTERS,
    Glance,
    glance,
    same,
    unchanged,
)
from agentfuzz.runtime.versions import Version, loaded

_SEED = 20260101
_set_random: Callable[..., None] = Random.setstate
# What was changed since the last look: filled by the audit hook and by the `SETTERS`.
touched: set[str] = {"at first"}
# What ends by itself, and was still open when its run was over: each takes itself out.
left_open: list[Callable[[], None]] = []
TOUCHING = frozenset(
    {"os.putenv", "os.unsetenv", "os.chdir", "os.fchdir", "os.remove", "os.rmdir"}
    | {"sys.settrace", "sys.setprofile"}
)


class Isolation:
    """Use `install` and `remove` once, `begin` and `end` around each run. `lost` are the names of
    what could not be put back; `drawn` counts how often the system was asked for entropy."""

    def __init__(self) -> None:
        self.drawn = 0
        self.lost: list[str] = []
        self._entropy = random.Random(0)
        self._fresh = True
        self._seed = 0
        self.renew(0)
        self._restore: list[Callable[[], None]] = []
        self._loggers = Loggers()
        self._before: list[Any] = []
        self._seen: Glance = ((), ())
        self._modules: Mapping[str, Any] = {}
        self._loaded: Version | None = None
        self._runs = 0

    def install(self) -> None:
        """Make entropy deterministic and remember the state to come back to."""
        outer = random.getstate()
        touched.add("at first")
        for module, name in SETTERS:
            self._restore.append(_telling(module, name))
        self._restore.append(self._loggers.install())
        self._urandom = os.urandom
        self._loaded, self._modules = loaded()

        def restore() -> None:
            random.setstate(outer)
            _draw_from(self._urandom)

        _draw_from(self._deterministic)
        self._restore.append(restore)

    def _deterministic(self, size: int) -> bytes:
        self.drawn += 1
        if self._fresh:
            self._entropy.seed(self._seed)
            self._fresh = False
        return self._entropy.randbytes(size)

    def finish(self) -> None:
        """The last run is over: whatever nobody has seen yet is put back. What tells of itself was
        put back after each run; if it differs now, it is not an agent that has changed it."""
        if self._runs:
            self._loggers.stays()
            self._put_back(silent=True)
            self._look_for_the_rest()

    def remove(self) -> None:
        """Undo `install`, and hold nothing any more."""
        while self._restore:
            self._restore.pop()()
        self._before, self._seen = [], ((), ())

    def renew(self, by: int = 1) -> None:
        """Other randomness from the next run on: what this one draws is taken already."""
        self._seed += by or _SEED
        self._seeded = random.Random(self._seed).getstate()[1]  # as C keeps it
        self._rest: bytes | None = None  # and as it lies in memory

    @property
    def untouched(self) -> bool:
        """Whether this run, or the last one, has drawn nothing."""
        return self._fresh and self.state()[0] == (self._rest or self._seeded)

    def state(self) -> tuple[object, int]:
        """Where randomness stands: the same only where nothing was drawn between two looks."""
        return (_MEMORY.raw if _SHOWS else random.getstate()[1], self.drawn)

    def begin(self) -> None:
        """The same randomness for every run, and a note of what must be the same after it."""
        if self._rest is None or _MEMORY.raw != self._rest:  # something was drawn
            _set_random(random._inst, self._seeded)
            self._rest = _MEMORY.raw if _SHOWS else None
        self._fresh = True
        if touched or not unchanged(self._seen):
            self._look()
        if self._loggers.changed:
            self._loggers.stays()

    def accept(self) -> None:
        """What was changed by now is no run's doing, and stays."""
        self._look()
        self._loggers.stays()

    def _look(self) -> None:
        """How everything is."""
        self._before = [row.read() for row in ROWS]
        self._seen = glance()
        touched.clear()

    def end(self) -> None:
        """Put back what the run changed."""
        detours.close()
        while left_open:
            left_open[-1]()
        if touched or not unchanged(self._seen):
            self._put_back(warned=touched <= FILTERING and unchanged(self._seen))
        if self._loggers.changed:
            self._loggers.put_back()
        self._runs += 1
        if not self._runs & (self._runs - 1):  # 1, 2, 4, 8, ...
            self._put_back()
            self._look_for_the_rest()

    def _put_back(self, *, silent: bool = False, warned: bool = False) -> None:
        """Put back what differs: of all, of what is `silent`, or of the filters of warnings, where
        nothing but those was touched (many a framework does, in every run)."""
        for row, before in zip(ROWS, self._before, strict=True):
            if warned and row is not FILTERS:
                continue
            try:
                if row.silent >= silent and not same(row.read(), before):
                    row.write(before)
            except Exception as error:
                self.lost.append(f"{row.name}: {error}")
        touched.clear()

    def _look_for_the_rest(self) -> None:
        self._loggers.put_all_back()
        modules = sys.modules
        if self._loaded is not None and self._loaded.is_of(modules):
            return
        for name, module in self._modules.items():
            if module is not None and modules.get(name) is not module:
                modules[name] = module
        for name in [name for name, module in modules.items() if module is None]:
            if name not in self._modules:
                del modules[name]
        self._loaded, self._modules = loaded()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What happens in the block (an import) is no part of the run: it draws from elsewhere,
        and what it changes of the surroundings stays."""
        if not self._before:  # before the first run
            yield
            return
        inner, before = random.getstate(), [row.read() for row in ROWS]
        changed = dict(self._loggers.changed)
        self._loggers.changed.clear()
        _draw_from(self._urandom)
        try:
            yield
        finally:
            random.setstate(inner)
            _draw_from(self._deterministic)
            self._loggers.stays()
            self._loggers.changed.update(changed)
            self._accept(before)

    def _accept(self, before: list[Any]) -> None:
        """What differs from `before` is no change of the run's."""
        for place, (row, then) in enumerate(zip(ROWS, before, strict=True)):
            now, kept = row.read(), self._before[place]
            if same(now, then):
                continue
            if same(then, kept):
                self._before[place] = now
            elif type(now) is dict:  # the run had changed something as well
                new = {name: value for name, value in now.items() if then.get(name) != value}
                self._before[place] = {**kept, **new}
        touched.add("an import")


# Where the generator of `random` keeps its state: a look at how many numbers are left, and at the
# first of them, costs a tenth of setting it. Whoever draws, seeds or sets it changes those.
_MEMORY = (ctypes.c_char * min(64, Random.__basicsize__ - object.__basicsize__)).from_address(
    id(random._inst) + object.__basicsize__
)


def _shows() -> bool:
    """Whether what lies there changes with each draw, and is the same in the same state."""
    before = random.getstate()
    seen = []
    for size in (1, 1, 32, 10_000):
        random.getrandbits(size)
        seen.append(_MEMORY.raw)
    random.setstate(before)
    return len({*seen}) == len(seen)


_SHOWS = _shows()


def _draw_from(entropy: Callable[[int], bytes]) -> None:
    os.urandom = entropy
    random._urandom = entropy  # type: ignore[attr-defined]


def _telling(module: Any, name: str) -> Callable[[], None]:
    """Let a function tell that it was called."""
    real = getattr(module, name)

    @wraps(real)
    def tells(*args: Any, **named: Any) -> Any:
        touched.add(name)
        return real(*args, **named)

    setattr(module, name, tells)
    return lambda: setattr(module, name, real)
