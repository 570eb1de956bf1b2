"""Commands: child processes that a sync agent begins, and waits for until they have ended.

Law: real processes in real time; the first wait for each is told, before anything of it is read,
and whoever waited may be interrupted there. It is given up if nobody signals it, asks after it or
waits for it from then on. Opened by the world of a run, closed with the isolation of the run.

Told is only what a key of the terminal does not end by itself: a command that the run has begun, in
a process group of its own, with no pipe or terminal to it whose closing ends it, that is waited for
where Python raises KeyboardInterrupt (no event loop runs there, no other thread, and the run has no
handler of its own).
"""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from threading import get_ident
from typing import Any

from agentfuzz.runtime.children import LOOK, RESTS, at_work, in_group
from agentfuzz.runtime.isolation import left_open
from agentfuzz.runtime.programs import Begun, begun, kills

Told = Callable[[str], BaseException | None]  # from the name of a program to what strikes
_WAITS = ("wait", "communicate")
_ASKS = ("poll", "send_signal")
_SIGNALS = ("os.kill", "os.killpg")
_BEGINS = {"subprocess.Popen": 1, "os.posix_spawn": 1, "os.system": 0}  # and where the command is
LOOKS = 60  # at one that neither ends nor rests: three seconds
_WATCHES = hasattr(os, "waitid") and hasattr(os, "getpgid")  # not on every system
_HARMLESS = {0, getattr(signal, "SIGCONT", 0)}
_signals: Any = getattr(signal, "pidfd_send_signal", None)
_opened: "list[Commands]" = []
_hooked = False


class Command:
    """One that is waited for. `given_up`: whoever did so was interrupted, and nobody has cared
    about it since; `excused`: nobody could, for the agent's own process died."""

    given_up = False
    excused = False

    def __init__(self, process: subprocess.Popen[Any], group: int, name: str) -> None:
        self.process = process
        self.group = group
        self.name = name
        self._others: list[int] = []  # what stands for the rest of its group

    def interrupted(self) -> None:
        """Whoever waits is interrupted, once it has done all that it does by itself: how fast the
        machine is makes no difference then."""
        settled(self.process.pid)
        if sys.platform == "linux" and self.group == self.process.pid:
            for one in in_group(self.group):
                with suppress(OSError):
                    if one != self.process.pid:
                        self._others.append(os.pidfd_open(one))
        vars(self.process)["_sigint_wait_secs"] = 0  # Python waits for no other moment
        self.given_up = True

    def sweep(self) -> None:
        """The run is over: what it had begun by then, and somebody has left who ended only the
        command itself, would stay for ever."""
        while self._others:
            file = self._others.pop()
            with suppress(OSError):
                _signals(file, signal.SIGKILL)
            os.close(file)

    def end(self) -> None:
        """The run is over. What may not be signalled (it is another user's by now) stays."""
        pid = self.process.pid
        with suppress(OSError):
            if self.group == pid:  # the group of another one is not its own
                os.killpg(pid, signal.SIGKILL)
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        settled(pid)
        _real(subprocess.Popen.poll)(self.process)


class Commands:
    """Those of one run, from `open` to `close`."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._begun: dict[int, Begun] = {}  # by the id of what stands for it
        self._known: dict[int, Command] = {}  # by the same
        self._told_to_end: set[int] = set()  # processes and groups
        self._thread = get_ident()
        self._handler = signal.getsignal(signal.SIGINT)
        self._found: list[tuple[Any, str, Any]] = []

    def open(self) -> None:
        """From now on whoever waits for one is noted."""
        _hook()
        _opened.append(self)
        self._put("__init__", after=self._begins)
        for name in _WAITS:
            self._put(name, before=self._waits)
        for name in _ASKS:
            self._put(name, before=self._cares)
        if hasattr(signal, "pidfd_send_signal"):
            self._put("pidfd_send_signal", signal, before=lambda *_: self.cared())
        left_open.append(self.close)

    def close(self) -> None:
        """Nobody is noted any more."""
        for owner, name, found in reversed(self._found):
            setattr(owner, name, found)
        _opened.remove(self)
        left_open.remove(self.close)

    def over(self) -> list[str]:
        """The run is over: the programs that were given up, in order, where somebody could have
        cared about them. They are ended."""
        left = [one for one in self._known.values() if one.given_up and not _reaped(one.process)]
        for one in left:
            one.end()
        for one in self._known.values():
            one.sweep()
        self._known.clear()
        return [one.name for one in left if not one.excused]

    def died(self) -> None:
        """The process of the agent has died: it can care about none of them any more."""
        for one in self._known.values():
            one.excused = True

    def signalled(self, number: int) -> None:
        """A process, or a group of them, gets a signal."""
        self._told_to_end.add(abs(number))
        for one in self._known.values():
            if not self._told_to_end.isdisjoint((one.process.pid, one.group)):
                one.given_up = False

    def cared(self) -> None:
        """Something is signalled that is not named: it may be any of them."""
        for one in self._known.values():
            one.given_up = False

    def _put(
        self,
        name: str,
        owner: Any = subprocess.Popen,
        *,
        before: Callable[..., None] | None = None,
        after: Callable[..., None] | None = None,
    ) -> None:
        """Have a function tell that it is called, or that it has returned."""
        found = getattr(owner, name)
        real = _real(found)

        @wraps(real)
        def asking(*args: Any, **named: Any) -> Any:
            here = self in _opened[-1:]  # what a run within it begins is none of it
            if before is not None and here:
                before(*args[:1])
            done = real(*args, **named)
            if after is not None and here:
                after(*args, **named)
            return done

        asking._noted_by = self  # type: ignore[attr-defined]
        setattr(owner, name, asking)
        self._found.append((owner, name, real))

    def _begins(self, process: Any, *args: Any, **named: Any) -> None:
        self._begun[id(process)] = begun(process.args, args, named)

    def _cares(self, process: Any) -> None:
        one = self._known.get(id(process))
        if one is not None:
            one.given_up = False

    def _waits(self, process: Any) -> None:
        if id(process) in self._known:
            self._cares(process)
        elif group := self._interrupted(process):
            name = self._begun[id(process)].name
            one = self._known[id(process)] = Command(process, group, name)
            error = self._told(name)
            if error is not None:
                one.interrupted()
                raise error

    def _interrupted(self, process: Any) -> int:
        """The group of a process, where Ctrl-C interrupts whoever waits for it and does not end
        it; otherwise 0."""
        known = self._begun.get(id(process))
        elsewhere = get_ident() != self._thread or asyncio._get_running_loop() is not None
        if not _WATCHES or elsewhere or signal.getsignal(signal.SIGINT) != self._handler:
            return 0  # or the run has a handler of its own
        if known is None or known.fed or process.returncode is not None:
            return 0
        group = _group(process.pid)
        return 0 if {process.pid, group} & {*self._told_to_end, _group(0)} else group


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


def _real(function: Any) -> Any:
    """A function without what runs that are over have put around it."""
    while (by := getattr(function, "_noted_by", None)) is not None and by not in _opened:
        function = function.__wrapped__
    return function


def _hook() -> None:
    """Hear of signals, by whatever name somebody holds the function."""
    global _hooked
    if not _hooked:
        _hooked = True
        sys.addaudithook(_heard)


def _heard(event: str, args: tuple[Any, ...]) -> None:
    if not _opened:
        return
    if event in _SIGNALS and args[1] not in _HARMLESS:
        for one in _opened:
            one.signalled(args[0])
    elif (place := _BEGINS.get(event)) is not None and kills(args[place]):
        for one in _opened:
            one.cared()
