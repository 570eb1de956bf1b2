"""What escapes control: sockets, processes, threads and real clocks that an agent reaches for.

Law: a run is watched, and of what it does the network beyond this machine alone is refused; each
kind of escape is told once for each line of the user's code that it came from, however many threads
do it, and what agentfuzz itself opens is none. One audit hook for the
process, which cannot be removed again: outside of a run it is one look at a flag. Called by the
simulation (begin, end), by whoever knows of an escape that no hook sees (`note`), and by the
campaign, which takes the list.

Where the interpreter has no audit event, a function is replaced for the length of a simulation:
the start of a thread (before Python 3.12), clocks that are not frozen. A real `time.sleep` that
somebody kept from before the simulation is seen from Python 3.13 on.
"""

import _socket
import _thread
import os
import re
import socket
import sys
import threading
import time
from _thread import get_ident
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from agentfuzz.runtime import network, servers
from agentfuzz.runtime.clock import active_clock
from agentfuzz.runtime.isolation import TOUCHING, touched
from agentfuzz.runtime.user_code import begins_run, is_users, opens_for_itself


class Escape(NamedTuple):
    """One escape: what was done, to what, and `path:line function` of the user's code, if any."""

    kind: str
    detail: str
    where: str | None


_watching = False
_installed = False
_found: dict[tuple[str, str], Escape] = {}
_exempt: dict[int, int] = {}  # threads that do agentfuzz's own work, and how deep

_NUMBER = re.compile(r"(?<=\D)[:-]?\d+\b(?![.:])(?: \(.*\))?")
_LOOPBACK = ("127.", "::1", "localhost")


def begin(allowed: network.Allowed = False) -> None:
    """A run begins, to which this much of the network is allowed."""
    global _watching
    network.allow(allowed)
    _watching = True


def end() -> None:
    """The run is over."""
    global _watching
    _watching = False


def note(kind: str, detail: str = "") -> None:
    """Note an escape of the run that is under way, by the user's code that is running now."""
    if _watching:
        _keep(Escape(kind, detail, _place(kind)[1]))


def kept(detail: str) -> None:
    """Note what outlives a run in a registry of this process."""
    _keep(Escape("kept in this process:", detail, None))


def looks_up(host: Any, port: Any) -> None:
    """A name is about to be looked up in a thread, where nobody sees whose line asked for it.
    Raises NetworkRefused."""
    event = "socket.getaddrinfo"
    if _watching and network.refuses(event, (host,)):
        _seen(event, (host, port))


def _keep(one: Escape) -> None:
    # What no line of the user's code stands for is told apart by its words: without the numbers of
    # threads and ports, which are others each time.
    _found.setdefault((one.kind, one.where or _NUMBER.sub("", one.detail)), one)


def taken() -> list[Escape]:
    """What was noted since it was last asked for, in the order of its first time."""
    found = list(_found.values())
    _found.clear()
    return found


def known() -> list[Escape]:
    """The same, and nothing is forgotten."""
    return list(_found.values())


def add(noted: Iterable[Escape]) -> None:
    """Add what another process of this run has noted."""
    for one in noted:
        _keep(one)


@contextmanager
def exempt() -> Iterator[None]:
    """What this thread does in the block is agentfuzz's own."""
    ident = get_ident()
    _exempt[ident] = _exempt.get(ident, 0) + 1
    try:
        yield
    finally:
        _exempt[ident] -= 1
        if not _exempt[ident]:
            del _exempt[ident]


# What is seen -----------------------------------------------------------------------------


def _address(address: Any) -> str:
    if isinstance(address, tuple) and len(address) >= 2:
        host = address[0]
        return f"{os.fsdecode(host) if isinstance(host, bytes) else host}:{address[1]}"
    return os.fsdecode(address) if isinstance(address, str | bytes) else ""


def _program(name: Any) -> str:
    if isinstance(name, list | tuple):
        name = name[0] if name else ""
    try:
        return os.path.basename(os.fsdecode(name))
    except TypeError:
        return ""


def _command(command: Any) -> str:
    return os.fsdecode(command) if isinstance(command, str | bytes) else ""


def _popen(args: tuple[Any, ...]) -> str:
    return _program(args[1] if isinstance(args[1], list | tuple) else args[0])


def _started(args: tuple[Any, ...]) -> str:
    target = args[0] if args else None
    thread = getattr(target, "__self__", None)
    return str(getattr(thread, "name", "") or getattr(target, "__name__", ""))


_Detail = Callable[[tuple[Any, ...]], str]
_EVENTS: dict[str, tuple[str, _Detail]] = {
    "socket.connect": ("socket.connect", lambda args: _address(args[1])),
    "socket.bind": ("socket.bind", lambda args: _address(args[1])),
    "socket.sendto": ("socket.sendto", lambda args: _address(args[1])),
    "socket.sendmsg": ("socket.sendmsg", lambda args: _address(args[1])),
    "socket.gethostbyname": ("socket.gethostbyname", lambda args: _address(args[0])),
    "socket.gethostbyaddr": ("socket.gethostbyaddr", lambda args: _address(args[0])),
    "socket.getaddrinfo": ("socket.getaddrinfo", lambda args: _address(args[:2])),
    "subprocess.Popen": ("subprocess.Popen", _popen),
    "os.system": ("os.system", lambda args: _command(args[0])),
    "os.exec": ("os.exec", lambda args: _program(args[0])),
    "os.posix_spawn": ("os.posix_spawn", lambda args: _program(args[0])),
    "os.fork": ("os.fork", lambda args: ""),
    "os.forkpty": ("os.fork", lambda args: ""),
    "_thread.start_new_thread": ("thread", _started),
    "_thread.start_joinable_thread": ("thread", _started),
    "resource.setrlimit": ("resource.setrlimit, which is not put back", lambda args: ""),
    "resource.prlimit": ("resource.prlimit, which is not put back", lambda args: ""),
    "sys.addaudithook": ("sys.addaudithook, which cannot be taken back", lambda args: ""),
    "time.sleep": ("time.sleep", lambda args: f"{args[0]} s, really"),
}


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event in TOUCHING:
        touched.add(event)
        return
    if event == "socket.connect" and get_ident() not in _exempt:
        servers.await_(*args)
    if _watching and event in _EVENTS:
        _seen(event, args)


def _seen(event: str, args: tuple[Any, ...]) -> None:
    if get_ident() in _exempt:
        return
    kind, told = _EVENTS[event]
    detail = told(args)
    if kind.startswith("socket.") and detail.startswith(_LOOPBACK):
        clock = active_clock()
        if clock is not None and clock.real:
            return  # a partner in real time: the world is being served
    own, where = _place(event)
    if own:
        return
    host = network.refuses(event, args)
    _keep(Escape(kind, f"{detail} (refused)" if host else detail, where))
    if host:
        raise network.refused(host)


def _place(event: str) -> tuple[bool, str | None]:
    """Whether agentfuzz does this by itself, or the standard library as part of what is told
    already; and the line of the user's code that asked for it, if there is one in this run."""
    frame = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        path = code.co_filename
        if opens_for_itself(path) or code.co_name == "socketpair":
            return True, None
        if event == "os.posix_spawn" and code.co_name == "_posix_spawn":
            return True, None
        if is_users(path):
            return False, f"{path}:{frame.f_lineno} {code.co_name}"
        if begins_run(code):
            break
        frame = frame.f_back  # type: ignore[assignment]
    return False, None


# Seams ------------------------------------------------------------------------------------

# What a simulation replaces: where, the function, and what its use is called.
_CLOCKS = (
    (time, "clock_gettime", "time.clock_gettime"),
    (time, "clock_gettime_ns", "time.clock_gettime"),
    (os, "getrandom", "os.getrandom"),
)
# What finds the addresses of a name, and where they are in its answer.
_RESOLVERS: tuple[tuple[Any, str, Callable[[Any], list[Any]]], ...] = (
    (_socket, "getaddrinfo", lambda answer: [one[4][0] for one in answer]),
    (socket, "gethostbyname", lambda answer: [answer]),
)
_THREADS = ((threading, "_start_new_thread"), (_thread, "start_new_thread"))


def install() -> Callable[[], None]:
    """Add the hook, unless it is there, and replace what has no audit event. Returns what puts
    the functions back."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_hook)
    ended = servers.install()
    restore = []
    for module, name, kind in _CLOCKS:
        real = getattr(module, name, None)
        if real is not None:
            restore.append((module, name, real))
            setattr(module, name, _noting(real, kind))
    for module, name, addresses in _RESOLVERS:
        real = getattr(module, name)
        restore.append((module, name, real))
        setattr(module, name, _resolving(real, addresses))
    if sys.version_info < (3, 12):
        for module, name in _THREADS:
            real = getattr(module, name)
            restore.append((module, name, real))
            setattr(module, name, _telling(real, "_thread.start_new_thread"))

    def put_back() -> None:
        ended()
        for module, name, real in reversed(restore):
            setattr(module, name, real)

    return put_back


def _noting(real: Callable[..., Any], kind: str) -> Callable[..., Any]:
    def noting(*args: Any, **named: Any) -> Any:
        if _watching and get_ident() not in _exempt:
            note(kind)
        return real(*args, **named)

    return noting


def _resolving(
    real: Callable[..., Any], addresses: Callable[[Any], list[Any]]
) -> Callable[..., Any]:
    def resolving(host: Any, *args: Any, **named: Any) -> Any:
        answer = real(host, *args, **named)
        if _watching:
            network.resolved(host, addresses(answer))
        return answer

    return resolving


def _telling(real: Callable[..., Any], event: str) -> Callable[..., Any]:
    def telling(*args: Any, **named: Any) -> Any:
        if _watching:
            _seen(event, args)
        return real(*args, **named)

    return telling
