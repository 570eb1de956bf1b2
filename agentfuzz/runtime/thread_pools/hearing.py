"""Hearing: work that blocks because a server in another process has not answered it yet.

Law: a thread hears whose innermost call holds a connection to another process. One that may be
there to listen does only as long as something was sent and nothing was said since, or a process of
this one's is at work. No code of an agent's runs here; where the system does not tell who spoke
last, nobody hears. Asked by the scheduler of a thread that blocks.
"""

import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

from agentfuzz.runtime import connections, servers

_INFO = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
_SPOKE = struct.Struct("44x I 4x I 64x Q")  # how long ago it was sent something, and said something


def hears(ident: int, *, listens: bool) -> bool:
    """Whether a thread that blocks is about to hear a server; `listens`: it may be there for what
    nobody has asked for."""
    frame = sys._current_frames().get(ident)
    if frame is None or _INFO is None:
        return False
    values = list(frame.f_locals.values())
    found = _sockets(chain(values, *map(_parts, values)))
    return any(_answers(one, asked=not listens) for one in found)


def _parts(value: object) -> list[Any]:
    with suppress(AttributeError):
        return list(object.__getattribute__(value, "__dict__").values())
    return [value._sock] if type(value) is socket.SocketIO else []  # type: ignore[attr-defined]


def _sockets(values: Iterable[object]) -> Iterator[socket.socket]:
    for value in values:
        if issubclass(type(value), socket.socket):
            yield value  # type: ignore[misc]


def _answers(one: socket.socket, *, asked: bool) -> bool:
    assert _INFO is not None, "this system tells"
    with suppress(OSError, struct.error):
        told = socket.socket.getsockopt(one, socket.IPPROTO_TCP, _INFO, _SPOKE.size)
        sent, said, acknowledged = _SPOKE.unpack(told)
        asked = acknowledged > 1 and (asked or sent <= said)
        return (asked or servers.at_work()) and connections.elsewhere(one.fileno())
    return False
