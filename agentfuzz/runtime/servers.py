"""Servers in processes of their own, on this machine: who comes too early waits for them.

Law: how long a process takes to come up is no virtual time. A connection to a port or path at which
nobody listens waits, really, while a process that was begun in the simulation is at work; then it
is made, or refused as it would have been. Where the system does not tell who listens, nobody waits.
Asked by the leaks' hook before each connection, by the watchdog, and by who waits for an answer.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from agentfuzz.runtime.children import LOOK, states
from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.network import is_local, plain

RESTS = 40  # looks in a row at which none is at work before they are no servers: two seconds
PATIENCE = 60.0  # real seconds: what has not come up by then does not
_LISTENS = "0A"  # a state of a socket
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_UNIX, _ACCEPTS = Path("/proc/net/unix"), 0x10000  # a flag of a socket
_TASKS = Path("/proc/self/task")

_before: frozenset[int] | None = None  # processes that were there already; None: no simulation
_helpers: set[int] = set()  # processes of a campaign
# Where nobody came, of which processes; and whether they are at work, and will not.
_vain: dict[tuple[Any, tuple[int, ...]], bool] = {}
_waiting = 0


def install() -> Callable[[], None]:
    """A simulation begins. Returns what is to be called when it is over."""
    global _before
    outer, _before = _before, frozenset(_living())
    _vain.clear()

    def over() -> None:
        global _before
        _before = outer

    return over


def helper(pid: int) -> None:
    """This process makes runs of a campaign, and serves nobody."""
    _helpers.add(pid)


def under_way() -> bool:
    """Whether somebody waits for a server."""
    return _waiting > 0


def at_work() -> bool:
    """Whether a process that this one has begun, and that is no helper, does something."""
    return any(_at_work(pid) for pid in _living() if pid not in _helpers)


def await_(connection: Any, address: Any) -> None:
    """Somebody is about to connect: return when there is somebody at this address, or nobody to
    come."""
    global _waiting
    before = _before
    if before is None or not _is_ours(connection, address):
        return
    _waiting += 1
    try:
        rests, until = 0, Real.monotonic() + PATIENCE
        while (begun := _begun(before)) and _listened(address) is False:
            where = address, tuple(begun)
            rests = 0 if any(_at_work(pid) for pid in begun) else rests + 1
            late = _vain.get(where, False) or Real.monotonic() > until
            if late or rests > RESTS or (rests and where in _vain):
                _vain[where] = late
                break
            Real.sleep(LOOK)
    finally:
        _waiting -= 1


def _is_ours(connection: Any, address: Any) -> bool:
    if connection.type != socket.SOCK_STREAM:
        return False
    if isinstance(address, tuple):
        return len(address) > 1 and is_local(plain(address[0]))
    return isinstance(address, str | bytes) and len(address) > 0


def _begun(before: frozenset[int]) -> list[int]:
    """Processes that were begun in a simulation, and live."""
    found = [pid for pid in _living() if pid not in before and pid not in _helpers]
    return [pid for pid in found if not {*states(pid)} <= {"Z", "X"}]


def _living() -> Iterator[int]:
    """The children of this process, as far as this system tells."""
    for thread in _TASKS.glob("*"):
        with suppress(OSError):
            yield from map(int, (thread / "children").read_text().split())


def _at_work(pid: int) -> bool:
    return any(state not in ("S", "Z", "X") for state in states(pid))


def _listened(address: Any) -> bool | None:
    """Whether somebody listens at an address of this machine; None: this system does not tell."""
    return _at_port(address[1]) if isinstance(address, tuple) else _at_path(address)


def _at_port(port: int) -> bool | None:
    told = None
    for table in _TABLES:
        with suppress(OSError, ValueError, IndexError):
            for line in table.read_text().splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
                    return True
            told = False
    return told


def _at_path(path: str | bytes) -> bool | None:
    """The same of a Unix socket, which may have been bound under another folder's name."""
    name = os.path.basename(os.fsdecode(path)).replace("\0", "@")
    with suppress(OSError, ValueError, IndexError):
        for line in os.fsdecode(_UNIX.read_bytes()).splitlines()[1:]:
            *_, flags, _, _, _, bound = line.split(maxsplit=7)
            if int(flags, 16) & _ACCEPTS and os.path.basename(bound) == name:
                return True
        return False
    return None
