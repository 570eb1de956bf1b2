"""Processes that the agent begins on its event loop, and talks to over their pipes.

Law: a process lives in real time, and whoever waits for it does too: it rests only when it has read
all that it was sent and each of its threads sleeps. How fast the machine is does not matter to
that; only whoever works on and on is not waited for until the run is cut off. Asked by the event
loop before it moves the clock.
"""

import array
import asyncio
import fcntl
import os
import stat
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from agentfuzz.runtime.clock import Real

T = TypeVar("T")

LOOK = 0.05  # real seconds between two looks at them
RESTS = 5  # looks in a row at which they rest before they are said to wait for us
_PROCESSES = Path("/proc")


class Children:
    """Those of one loop, while they live."""

    def __init__(self) -> None:
        self._begun: list[Any] = []
        self._until: float | None = None  # those who work are waited for

    def note(self, transport: asyncio.SubprocessTransport) -> None:
        """One has begun."""
        self._begun.append(transport)

    def __bool__(self) -> bool:
        self._begun = [one for one in self._begun if one.get_returncode() is None]
        return bool(self._begun)

    def answer(self, select: Callable[[float], T], longest: float) -> T:
        """What a selector finds, once one of them has said something or all of them wait for us;
        or after so many real seconds, for one of them may work for ever."""
        rests = 0
        if self._until is None:
            self._until = Real.monotonic() + longest
        while rests < RESTS and self and Real.monotonic() < self._until:
            if found := select(LOOK):
                self._until = None
                return found
            rests = rests + 1 if self.rest() else 0
        if rests == RESTS:
            self._until = None
        return select(0)

    def end(self) -> None:
        """Their loop is dropped, and nobody talks to them any more."""
        for one in self._begun:
            with suppress(ProcessLookupError):
                one.close()

    def rest(self) -> bool:
        """Whether none of them is at work, or has something to read."""
        return not any(_unread(one) or at_work(one.get_pid()) for one in self._begun)


def _unread(transport: Any) -> bool:
    """Whether it was sent what it has not read yet."""
    pipe = transport.get_pipe_transport(0)
    if pipe is None or pipe.is_closing():
        return False
    if pipe.get_write_buffer_size():
        return True
    file = pipe.get_extra_info("pipe")
    sent = array.array("i", [0])
    with suppress(OSError, ValueError):
        is_socket = stat.S_ISSOCK(os.fstat(file.fileno()).st_mode)
        fcntl.ioctl(file.fileno(), termios.TIOCOUTQ if is_socket else termios.FIONREAD, sent)
    return sent[0] > 0


def at_work(pid: int) -> bool:
    """Whether a thread of it, or of a process that it began, neither sleeps nor is stopped."""
    return any(state not in ("S", "T") for state in states(pid))


def states(pid: int) -> Iterator[str]:
    """What the threads of a process are doing, and of those that it began and that live, as far as
    this system tells."""
    found, begun = [pid], None
    for one in found:
        for thread in (_PROCESSES / str(one) / "task").glob("*"):
            with suppress(OSError, IndexError):
                state = _fields(thread / "stat")[0]
                if one == pid or state not in ("Z", "X"):
                    yield state
        if _NAMES_CHILDREN:
            found += _begun_by(one)
        else:
            begun = begun or _parents()
            found += begun.get(one, ())


def _begun_by(pid: int) -> list[int]:
    """The processes that a process began, as the system names them (not every one does)."""
    begun: list[int] = []
    for thread in (_PROCESSES / str(pid) / "task").glob("*"):
        with suppress(OSError):
            begun += map(int, (thread / "children").read_text().split())
    return begun


def _parents() -> dict[int, list[int]]:
    """The same of all processes, where each names the one that began it."""
    begun: dict[int, list[int]] = {}
    for process in _PROCESSES.glob("[0-9]*"):
        with suppress(OSError, IndexError):
            begun.setdefault(int(_fields(process / "stat")[1]), []).append(int(process.name))
    return begun


def in_group(group: int) -> list[int]:
    """The processes of a group, as far as this system tells."""
    found = []
    for process in _PROCESSES.glob("[0-9]*"):
        with suppress(OSError, IndexError):
            if int(_fields(process / "stat")[2]) == group:
                found.append(int(process.name))
    return found


def _fields(stat: Path) -> list[str]:
    """What a file of the system says of a process, from its state on."""
    return stat.read_text().rpartition(")")[2].split()


_NAMES_CHILDREN = (_PROCESSES / "self" / "task" / str(os.getpid()) / "children").exists()
