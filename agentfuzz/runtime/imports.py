"""A module that is first imported inside a simulation is imported in real time.

Law: while its code runs, the clocks and dates of this process are the real ones, and what it binds
to names of its classes stays real, as if it had been imported before; then its own names are
frozen with everybody's. What an import takes is no part of a run: neither its time, nor the
randomness that it draws, nor what it changes of its surroundings. Installed by the simulation,
after the time is virtual; asked by the watchdog.
"""

import datetime
import sys
import time
from _thread import get_ident
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import machinery
from typing import Any

from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.versions import vars_of

Aside = Callable[[], AbstractContextManager[object]]
LONGEST = 300.0  # real seconds: what takes longer is no import, but hangs in one
_HOOKED = (
    (machinery.SourceFileLoader, "exec_module"),
    (machinery.SourcelessFileLoader, "exec_module"),
    (machinery.ExtensionFileLoader, "create_module"),
    (machinery.ExtensionFileLoader, "exec_module"),
)
_CLOCKS = ((time, dict(vars(time))), (datetime, dict(vars(datetime))))  # as they really are
_OURS = ("freezegun", "agentfuzz.runtime")  # what freezes knows both, and is left alone
_open: dict[int, int] = {}  # threads that are importing, and how deep
_since = 0.0


def under_way() -> bool:
    """Whether something is being imported for the first time."""
    return bool(_open) and Real.monotonic() - _since < LONGEST


def install(aside: Aside) -> Callable[[], None]:
    """Hook the loaders of files. `aside` is entered around each outermost import. Returns what
    undoes it."""
    times = _Times()

    @contextmanager
    def importing(module: Any) -> Iterator[None]:
        global _since
        ident, outermost = get_ident(), not _open
        deep = _open.get(ident, 0)
        try:  # whatever interrupts it
            _open[ident] = deep + 1
            if outermost:
                _since = Real.monotonic()
            times.new.append(module)
            if not outermost:
                yield
                return
            with aside():
                times.thaw()
                try:
                    yield
                finally:
                    times.freeze()
        finally:
            if deep:
                _open[ident] = deep
            else:
                _open.pop(ident, None)

    hooked = []
    for loader, name in _HOOKED:
        hooked.append((loader, name, vars(loader).get(name)))
        setattr(loader, name, _hooked(getattr(loader, name), importing))

    def restore() -> None:
        for loader, name, own in hooked:
            delattr(loader, name) if own is None else setattr(loader, name, own)

    return restore


def _hooked(real: Callable[..., Any], importing: Callable[..., Any]) -> Callable[..., Any]:
    def hooked(self: Any, module: Any) -> Any:
        with importing(module):
            return real(self, module)

    return hooked


class _Times:
    """Where in this process the frozen clocks are known by a name."""

    def __init__(self) -> None:
        self.new: list[Any] = []  # modules, since time was last frozen
        self._pairs: list[tuple[dict[str, Any], str, Any, Any]] = []  # names, name, frozen, real
        self._frozen: dict[Any, tuple[Any, Any]] = {}
        for module, reals in _CLOCKS:
            names = vars(module)
            for name, real in reals.items():
                frozen = names.get(name)
                if frozen is not real and callable(real):
                    self._pairs.append((names, name, frozen, real))
                    self._frozen[frozen] = (frozen, real)
        self._real = {real: (frozen, real) for frozen, real in self._frozen.values()}
        self._kinds = frozenset(map(type, (*self._frozen, *self._real)))
        self._looked = False

    def thaw(self) -> None:
        """Real time for everybody."""
        if not self._looked:
            self._looked = True
            for module in list(sys.modules.values()):
                self._look(module, self._frozen)
        for names, name, frozen, real in self._pairs:
            if names.get(name) is frozen:
                names[name] = real

    def freeze(self) -> None:
        """Virtual time again, for the new modules as well."""
        for module in self.new:
            self._look(module, self._real)
        self.new.clear()
        for names, name, frozen, real in self._pairs:
            if names.get(name) is real:
                names[name] = frozen

    def _look(self, module: Any, known: dict[Any, tuple[Any, Any]]) -> None:
        """No `id`: see `names`."""
        names, kinds = vars_of(module), self._kinds
        if type(names) is not dict:
            return
        found = [one for one in [*names.items()] if type(one[1]) in kinds and one[1] in known]
        title = str(names.get("__name__", "")) if found else ""
        if not title or title in ("time", "datetime"):
            return
        from freezegun import api

        if not title.startswith((*_OURS, *api.ignore_lists[-1])):
            self._pairs += [(names, name, *known[value]) for name, value in found]
