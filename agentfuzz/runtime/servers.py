"""Servers in processes of their own, on ports of this machine: who comes too early waits for them.

Law: how long a process takes to come up is no virtual time. A connection to a port at which nobody
listens waits, really, while a process that was begun in the simulation is at work; then it is made,
or refused as it would have been. Where the system does not tell who listens, nobody waits. Asked by
the leaks' hook before each connection, by the watchdog, and by a loop's connections.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from agentfuzz.runtime.children import LOOK, RESTS, states
from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.network import is_local, plain

PATIENCE = 60.0  # real seconds: what has not come up by then does not
_LISTENS = "0A"  # a state of a socket
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_TASKS = Path("/proc/self/task")

_before: frozenset[int] | None = None  # processes that were there already; None: no simulation
_helpers: set[int] = set()  # processes of a campaign
_waiting = 0


def install() -> Callable[[], None]:
    """A simulation begins. Returns what is to be called when it is over."""
    global _before
    outer, _before = _before, frozenset(_living())

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
    if before is None or not isinstance(address, tuple) or not _is_ours(connection, address):
        return
    _waiting += 1
    try:
        rests, until = 0, Real.monotonic() + PATIENCE
        while (
            rests < RESTS
            and (begun := _begun(before))
            and _listened(address[1]) is False
            and Real.monotonic() < until
        ):
            rests = 0 if any(_at_work(pid) for pid in begun) else rests + 1
            Real.sleep(LOOK)
    finally:
        _waiting -= 1


def _is_ours(connection: Any, address: tuple[Any, ...]) -> bool:
    stream = connection.type == socket.SOCK_STREAM
    return stream and len(address) > 1 and is_local(plain(address[0]))


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


def _listened(port: int) -> bool | None:
    """Whether somebody listens at a port of this machine; None: this system does not tell."""
    told = None
    for table in _TABLES:
        with suppress(OSError, ValueError, IndexError):
            for line in table.read_text().splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
                    return True
            told = False
    return told
