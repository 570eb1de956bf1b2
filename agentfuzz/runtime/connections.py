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


class Connections:
    """Those of one loop, by their files."""

    def __init__(self) -> None:
        self._owes: dict[int, float | None] = {}  # until when it is waited for, once it is
        self._speaks: dict[int, int] = {}  # looks at which nothing more has come, and all rested

    def note(self, transport: Any, file: int) -> None:
        """One is made."""
        self.forget(file)

        def telling(real: Callable[..., Any]) -> Callable[..., Any]:
            def sends(*given: Any) -> Any:
                self.asked(file)
                return real(*given)

            return sends

        for name in _SENDS:
            setattr(transport, name, telling(getattr(transport, name)))

    def forget(self, file: int) -> None:
        """What was known of an older connection with this file."""
        self._owes.pop(file, None)
        self._speaks.pop(file, None)

    def asked(self, file: int) -> None:
        """Something is sent over one."""
        self._owes[file] = None

    def heard(self, file: int) -> None:
        """Something has come over one, or its end."""
        if self._owes.pop(file, self) is not self or file in self._speaks:
            self._speaks[file] = 0

    def __bool__(self) -> bool:
        return bool(self._owes or self._speaks)

    def _owed(self, watched: Container[Any], gate: Gate | None) -> bool:
        """Whether an answer may still come over one of those that are watched."""
        now, ready = Real.monotonic(), gate is not None and gate.others_ready()
        found = False
        for file, until in list(self._owes.items()):
            if file not in watched:  # closed, or nobody listens at present
                continue
            if until is None:
                until = self._owes[file] = now + patience()
            if until > now and not ready and not _in_our_time(file, watched, gate):
                found = True
        return found

    def answer(self, select: Callable[[float], T], watched: Container[Any], gate: Gate | None) -> T:
        """What a selector finds, once somebody has said something or we have waited long enough."""
        while self._owed(watched, gate) or self._goes_on(watched, gate):
            if found := select(LOOK):
                return found
        return select(0)

    def _goes_on(self, watched: Container[Any], gate: Gate | None) -> bool:
        """Whether more may come over one that has begun to answer: a look."""
        for file in list(self._speaks):
            if (
                file not in watched
                or self._speaks[file] >= RESTS
                or _in_our_time(file, watched, gate)
            ):
                del self._speaks[file]
        if not self._speaks or (gate is not None and gate.others_ready()):
            return False
        resting = not servers.at_work()
        for file, looks in self._speaks.items():
            self._speaks[file] = looks + 1 if resting else 0
        return True

    def unanswered(self, watched: Container[Any]) -> list[str]:
        """Who has not answered, for a run that hangs; without ports, which may be others then."""
        return ["a server has not answered" for file in self._owes if file in watched]


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
