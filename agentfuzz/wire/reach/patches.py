"""The patches of libraries: put in with the first block that is entered, out with the last.

Law: of what was put in nothing stays, whatever the block did; no library is imported for this: one
that the block imports is patched as soon as its code has run. Called by `block`.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from functools import wraps
from importlib.machinery import SourceFileLoader
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
        if _patched:
            return
        _patch(Seam(SourceFileLoader, "exec_module", _then_patching))
        for name in SEAMS:
            module = sys.modules.get(name)
            if module is not None and not _is_under_way(module):
                _patch(*SEAMS[name](module))


def take_out() -> None:
    """Take everything out again, unless a block is still entered."""
    with _lock:
        while worlds.is_over() and _patched:
            seam, ours, real = _patched.pop()
            if vars(seam.owner).get(seam.name) is not ours:
                continue  # another's patch is above: it gives back what it found
            if real is None:
                delattr(seam.owner, seam.name)
            else:
                setattr(seam.owner, seam.name, real)


def _patch(*seams: Seam) -> None:
    for seam in seams:
        real = vars(seam.owner).get(seam.name)
        ours = seam.wrap(getattr(seam.owner, seam.name))
        setattr(seam.owner, seam.name, ours)
        _patched.append((seam, ours, real))


def _then_patching(real: Any) -> Any:
    """What loads a module, and patches it if there is something to be patched."""

    @wraps(real)
    def exec_module(self: Any, module: ModuleType) -> None:
        real(self, module)
        with _lock:
            if module.__name__ in SEAMS and _patched:
                _patch(*SEAMS[module.__name__](module))

    return exec_module


def _is_under_way(module: ModuleType) -> bool:
    """Whether the code of a module has not run to its end yet."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))
