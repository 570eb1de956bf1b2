"""The patches of libraries: put in with the first block that is entered, out with the last.

Law: of what was put in nothing stays, whatever the block did; no library is imported for this: one
that the block imports is patched as soon as its code has run. Called by `block`.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any

from agentfuzz.wire.reach import aiohttp, httpx, sockets, worlds
from agentfuzz.wire.reach.seam import Seam

# Modules in which something is patched, once they are there.
SEAMS: dict[str, Callable[[Any], Iterator[Seam]]] = {
    "httpx": httpx.seams,
    "httpx2": httpx.seams,
    "http.client": sockets.client_seams,
    "urllib3.connection": sockets.urllib3_seams,
    "aiohttp.connector": aiohttp.seams,
}
_lock = threading.RLock()
_patched: list[tuple[Seam, Any, Any]] = []  # each with what is there, and what was there before


def put_in() -> None:
    """Patch what is imported, and wait for the rest. Once is enough."""
    with _lock:
        if _WAITING in sys.meta_path:
            return
        sys.meta_path.insert(0, _WAITING)
        for name in SEAMS:
            module = sys.modules.get(name)
            if module is not None and not _is_under_way(module):
                _patch(name, module)


def take_out() -> None:
    """Take everything out again, unless a block is still entered."""
    with _lock:
        if not worlds.is_over():
            return
        with suppress(ValueError):  # somebody has put back how it was before
            sys.meta_path.remove(_WAITING)
        while _patched:
            seam, ours, real = _patched.pop()
            if vars(seam.owner).get(seam.name) is not ours:
                continue  # another's patch is above: it gives back what it found
            if real is None:
                delattr(seam.owner, seam.name)
            else:
                setattr(seam.owner, seam.name, real)


def _patch(name: str, module: ModuleType) -> None:
    with _lock:
        for seam in SEAMS[name](module):
            if worlds.is_over() or any(one[:1] == (seam,) for one in _patched):
                continue
            real = vars(seam.owner).get(seam.name)
            ours = seam.wrap(getattr(seam.owner, seam.name))
            setattr(seam.owner, seam.name, ours)
            _patched.append((seam, ours, real))


def _is_under_way(module: ModuleType) -> bool:
    """Whether the code of a module has not run to its end yet."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


class _Waiting:
    """Finds what others find, and patches it when it is imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> Any:
        """The spec of a module in which something is to be patched."""
        if name not in SEAMS:
            return None
        for finder in sys.meta_path:
            found = None if finder is self else finder.find_spec(name, path, target)
            if found is not None:
                if found.loader is not None:
                    _then(found.loader, name)
                return found
        return None


def _then(loader: Any, name: str) -> None:
    """Let a loader patch the module that it has executed."""
    real = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module  # the loader's own again
        real(module)
        if module.__name__ == name:  # a loader may have several modules
            _patch(name, module)

    loader.exec_module = exec_module


_WAITING = _Waiting()
