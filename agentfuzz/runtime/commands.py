"""Commands: child processes that a sync agent begins, and waits for until they have ended.

Law: real processes in real time; the first wait for each is told, before anything of it is read,
and whoever waited may be interrupted there. It is given up if nobody signals it, asks after it or
waits for it from then on. Opened by the world of a run, closed with the isolation of the run.

Told is only what a key of the terminal does not end by itself: a command in a process group of its
own, with no pipe to it whose closing ends it, that is waited for where Python raises
KeyboardInterrupt (no event loop runs there, and no other thread).
"""

import asyncio
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import get_ident
from typing import Any

from agentfuzz.runtime.children import LOOK, RESTS, at_work
from agentfuzz.runtime.isolation import left_open

Told = Callable[[str], BaseException | None]  # from the name of a program to what strikes
_WAITS = ("wait", "communicate")
_ASKS = ("poll", "send_signal")
_SIGNALS = ("os.kill", "os.killpg")
LOOKS = 60  # at one that neither ends nor rests: three seconds
_WATCHES = hasattr(os, "waitid") and hasattr(os, "getpgid")  # not on every system
_HARMLESS = {0, getattr(signal, "SIGCONT", 0)}
_VERSION = re.compile(r"[\d.]+$")
_opened: "list[Commands]" = []
_hooked = False


class Command:
    """One that is waited for. `given_up`: whoever did so was interrupted, and nobody has cared
    about it since."""

    given_up = False

    def __init__(self, process: subprocess.Popen[Any], group: int) -> None:
        self.process = process
        self.group = group
        self.name = program(process.args)

    def interrupted(self) -> None:
        """Whoever waits is interrupted, once it has done all that it does by itself: how fast the
        machine is makes no difference then."""
        settled(self.process.pid)
        self.given_up = True

    def end(self) -> None:
        """The run is over."""
        with suppress(OSError):
            os.killpg(self.group, signal.SIGKILL)
        _REAL["wait"](self.process)


class Commands:
    """Those of one run, from `open` to `close`."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._known: dict[int, Command] = {}  # by the id of what waits for it
        self._told_to_end: set[int] = set()  # processes and groups
        self._thread = get_ident()

    def open(self) -> None:
        """From now on whoever waits for one is noted."""
        _hook()
        _opened.append(self)
        for name in _WAITS:
            setattr(subprocess.Popen, name, self._asking(name, self._waits))
        for name in _ASKS:
            setattr(subprocess.Popen, name, self._asking(name, self._cares))
        left_open.append(self.close)

    def close(self) -> None:
        """Nobody is noted any more."""
        for name, real in _REAL.items():
            setattr(subprocess.Popen, name, real)
        _opened.remove(self)
        left_open.remove(self.close)

    def over(self) -> list[str]:
        """The run is over: the programs that were given up, in order. They are ended."""
        left = [one for one in self._known.values() if one.given_up and not _reaped(one.process)]
        for one in left:
            one.end()
        self._known.clear()
        return [one.name for one in left]

    def signalled(self, number: int) -> None:
        """A process, or a group of them, gets a signal."""
        self._told_to_end.add(abs(number))
        for one in self._known.values():
            if not self._told_to_end.isdisjoint((one.process.pid, one.group)):
                one.given_up = False

    def _asking(self, name: str, noted: Callable[[Any], None]) -> Callable[..., Any]:
        real = _REAL[name]

        def asking(process: Any, *args: Any, **named: Any) -> Any:
            noted(process)
            return real(process, *args, **named)

        return asking

    def _cares(self, process: Any) -> None:
        one = self._known.get(id(process))
        if one is not None:
            one.given_up = False

    def _waits(self, process: Any) -> None:
        if id(process) in self._known:
            self._cares(process)
        elif group := self._interrupted(process):
            one = self._known[id(process)] = Command(process, group)
            error = self._told(one.name)
            if error is not None:
                one.interrupted()
                raise error

    def _interrupted(self, process: Any) -> int:
        """The group of a process, where Ctrl-C interrupts whoever waits for it and does not end
        it; otherwise 0."""
        elsewhere = get_ident() != self._thread or asyncio._get_running_loop() is not None
        if not _WATCHES or elsewhere or process.stdin is not None or process.returncode is not None:
            return 0
        group = _group(process.pid)
        return 0 if {process.pid, group} & {*self._told_to_end, _group(0)} else group


_REAL: dict[str, Callable[..., Any]] = {
    name: getattr(subprocess.Popen, name) for name in (*_WAITS, *_ASKS)
}


def program(args: Any) -> str:
    """What a command is called: its program, without folder and version; a line for the shell is
    its shell."""
    if isinstance(args, str | bytes):
        return "shell"
    first = args[0] if isinstance(args, list | tuple) and args else args
    name = os.path.basename(os.fsdecode(first))
    return _VERSION.sub("", name) or name


def settled(pid: int) -> None:
    """Wait until a child has ended, or rests: it has done what it does by itself. Nobody waits for
    ever for one that does neither."""
    rests = 0
    with _ending(pid) as file:
        for _ in range(LOOKS):
            if rests == RESTS or _ended(pid):
                break
            select.select([file] if file is not None else [], [], [], LOOK)
            rests = 0 if at_work(pid) else rests + 1


class _ending:
    """What can be read once a process has ended, where the system has such a thing."""

    def __init__(self, pid: int) -> None:
        self._file: int | None = None
        if sys.platform == "linux":
            with suppress(OSError):
                self._file = os.pidfd_open(pid)

    def __enter__(self) -> int | None:
        return self._file

    def __exit__(self, *exc: object) -> None:
        if self._file is not None:
            os.close(self._file)


def _ended(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _reaped(process: Any) -> bool:
    """Whether somebody has learnt how it ended, by whatever way."""
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:  # ended and reaped
        return 0


def _hook() -> None:
    """Hear of signals, by whatever name somebody holds the function."""
    global _hooked
    if not _hooked:
        _hooked = True
        sys.addaudithook(_heard)


def _heard(event: str, args: tuple[Any, ...]) -> None:
    if _opened and event in _SIGNALS and args[1] not in _HARMLESS:
        for one in _opened:
            one.signalled(args[0])
