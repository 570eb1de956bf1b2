"""The connections that an event loop has made to servers: who was asked, and has not answered yet.

Law: a server in real time is waited for in real time, so that no deadline of the agent's depends on
how fast it is. A connection over which something was sent owes an answer, for as long as
`patience` says; one over which something came may bring more, until whoever could send it rests.
What is served on the same loop is not waited for, nor what waits in virtual time itself. Asked by
the event loop before it moves the clock.
"""

import os
import socket
import stat
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from typing import Any, TypeVar

from agentfuzz.runtime import servers
from agentfuzz.runtime.children import LOOK, RESTS
from agentfuzz.runtime.clock import Gate, Real
from agentfuzz.runtime.outstanding import patience

T = TypeVar("T")

_FILES = "/dev/fd"
_SENDS = ("write", "writelines", "write_eof")


class Connection:
    """One: `open` says whether it is. `until` is how long it is waited for, None where it owes
    nothing; it `speaks` while more may come of what it has begun to answer, for `rests` looks."""

    def __init__(self, open: Callable[[], bool]) -> None:
        self.open = open
        self.asked = self.speaks = False
        self.until: float | None = None
        self.rests = 0

    def asks(self) -> None:
        """Something is sent."""
        self.asked, self.until = True, None

    def hears(self) -> None:
        """Something has come, or the end of it."""
        self.speaks = self.speaks or self.asked
        self.asked, self.until, self.rests = False, None, 0

    def waits(self, now: float) -> bool:
        """Whether it is waited for still."""
        if self.until is None:
            self.until = now + patience()
        return self.until > now


class Connections:
    """Those of one loop, by their files."""

    def __init__(self) -> None:
        self._known: dict[int, Connection] = {}

    def note(self, transport: Any, file: int) -> None:
        """One is made."""
        made = self._known[file] = Connection(lambda: not transport.is_closing())

        def telling(real: Callable[..., Any]) -> Callable[..., Any]:
            def sends(*given: Any) -> Any:
                made.asks()
                return real(*given)

            return sends

        for name in _SENDS:
            setattr(transport, name, telling(getattr(transport, name)))

    def sent(self, bare: socket.socket) -> None:
        """Something is sent over a socket without a transport."""
        file = bare.fileno()
        made = self._known[file] = Connection(lambda: bare.fileno() == file)
        made.asks()

    def heard(self, file: int) -> None:
        """Something has come over one, or its end."""
        if file in self._known:
            self._known[file].hears()

    def __bool__(self) -> bool:
        return bool(self._known)

    def answer(self, select: Callable[[float], T], watched: Container[Any], gate: Gate | None) -> T:
        """What a selector finds, once somebody has said something or we have waited long enough."""
        while self._awaited(watched, gate):
            if found := select(LOOK):
                return found
        return select(0)

    def _awaited(self, watched: Container[Any], gate: Gate | None) -> bool:
        """Whether an answer, or more of one, may come over one that somebody listens to: a look."""
        self._known = {file: one for file, one in self._known.items() if one.open()}
        if gate is not None and gate.others_ready():
            return False
        now, found, working = Real.monotonic(), False, None
        for file, one in self._known.items():
            if not (one.asked or one.speaks) or file not in watched:
                continue
            if _in_our_time(file, watched, gate) or not one.waits(now):
                continue
            if not one.asked:
                working = servers.at_work() if working is None else working
                one.rests = 0 if working else one.rests + 1
                one.speaks = one.rests <= RESTS
            found = found or one.asked or one.speaks
        return found

    def unanswered(self, watched: Container[Any]) -> list[str]:
        """Who has not answered, for a run that hangs; without ports, which may be others then."""
        asked = (file for file, one in self._known.items() if one.asked and one.open())
        return ["a server has not answered" for file in asked if file in watched]


def _in_our_time(file: int, watched: Container[Any], gate: Gate | None) -> bool:
    """Whether it is served in virtual time: on the same loop, or in this process while a thread
    waits for the clock."""
    waits = gate is not None and gate.next_deadline() is not None
    return any(waits or other in watched for other in _ends_here(file))


def elsewhere(file: int) -> bool:
    """Whether a connection is one to another process."""
    return not any(True for _ in _ends_here(file))


def _ends_here(file: int) -> Iterator[int]:
    """The files of this process that are bound to where a connection leads."""
    whom = _name(file, "getpeername")
    if whom not in (None, "", b""):
        yield from (one for one in _files() if one != file and _name(one, "getsockname") == whom)


def _files() -> list[int]:
    with suppress(OSError, ValueError):
        return [*map(int, os.listdir(_FILES))]
    return []


def _name(file: int, end: str) -> Any:
    """The address at one end of a connection; None for what is none."""
    try:
        if not stat.S_ISSOCK(os.fstat(file).st_mode):
            return None
        with socket.socket(fileno=os.dup(file)) as connection:
            return getattr(connection, end)()
    except OSError:
        return None
