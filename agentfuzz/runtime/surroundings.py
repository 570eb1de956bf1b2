"""The surroundings of a run: what an agent can change for everybody, one row each.

Law: reading a row changes nothing, and what was read can be written back; what an agent may have
put there is compared by identity, so that no code of its runs. Used by the isolation, which looks
at all rows where `glance` differs, or where one of the `SETTERS` was called.
"""

import asyncio
import builtins
import datetime
import decimal
import gc
import locale
import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings
from _signal import getsignal
from collections.abc import Callable, MutableMapping
from functools import partial
from operator import is_
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One thing that can be changed: what it is called, and how it is read and written. Of a
    `silent` one neither a glance nor a setter tells that it was changed."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    silent: bool = False


def _attribute(module: Any, name: str) -> Row:
    return Row(
        f"{module.__name__}.{name}",
        lambda: getattr(module, name, None),
        lambda value: setattr(module, name, value),
    )


def _contents(name: str, of: Callable[[], Any]) -> Row:
    """What is in a list that stays the same one."""

    def write(before: Any) -> None:
        of()[:] = before

    return Row(name, lambda: tuple(of()), write)


def _filters(before: Any) -> None:
    kept, content = before
    warnings.filters = kept
    kept[:] = content
    forget = getattr(warnings, "_filters_mutated", None) or getattr(
        warnings, "_filters_mutated_lock_held", None
    )
    if forget is not None:
        forget()


def _decimals() -> tuple[Any, ...]:
    """The context of this thread, and how it is set."""
    context = decimal.getcontext()
    given = [getattr(context, name) for name in _DECIMAL]
    return (context, *given, tuple(map(bool, context.traps.values())))


def _write_decimals(before: tuple[Any, ...]) -> None:
    context, *given, traps = before
    decimal.setcontext(context)
    for name, value in zip(_DECIMAL, given, strict=True):
        setattr(context, name, value)
    context.traps.update(zip(context.traps, traps, strict=True))


def _umask() -> int:
    found = _set_umask(0)
    _set_umask(found)
    return found


def _names(module: Any) -> Row:
    """Every name of a module of the interpreter's."""

    def write(before: dict[str, Any]) -> None:
        names = vars(module)
        for name in [name for name in names if name not in before]:
            del names[name]
        names.update(before)

    return Row(f"the names of {module.__name__}", lambda: dict(vars(module)), write)


def raw_environ() -> MutableMapping[Any, Any]:
    """The environment as the mapping that `os.environ` keeps, encoded: copying and comparing
    through `os.environ` itself decodes every value and costs more than a run."""
    raw: MutableMapping[Any, Any] = getattr(os.environ, "_data", os.environ)
    return raw


def _restore_environ(before: dict[Any, Any]) -> None:
    now = raw_environ()
    for key in [key for key in now if key not in before]:
        del os.environ[os.fsdecode(key)]
    for key, value in before.items():
        if now.get(key) != value:
            os.environ[os.fsdecode(key)] = os.fsdecode(value)
    if hasattr(time, "tzset"):
        time.tzset()


def _cwd() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # the run removed its own directory
        return None


_DECIMAL = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
# The real functions: those in the modules tell of their use while a simulation lasts.
_set_signal, _set_umask, _set_locale = signal.signal, os.umask, locale.setlocale
# Of a handler that no Python code has set there is nothing to write back.
_NUMBERS = sorted(map(int, signal.valid_signals()))


def _write_signals(before: tuple[Any, ...]) -> None:
    lost = []
    for number, handler in zip(_NUMBERS, before, strict=True):
        # The C function: the one in `signal` builds an enum member per call.
        if getsignal(number) is handler:
            continue
        if handler is None:
            lost.append(signal.Signals(number).name)
        else:
            _set_signal(number, handler)
    if lost:
        raise ValueError(f"the handler of {', '.join(lost)}, which was not Python's")


def _mask() -> list[Row]:
    """Which signals the thread of the runs lets through, where there is such a thing."""
    if not hasattr(signal, "pthread_sigmask"):
        return []
    from _signal import SIG_BLOCK, SIG_SETMASK, pthread_sigmask

    read, write = partial(pthread_sigmask, SIG_BLOCK, ()), partial(pthread_sigmask, SIG_SETMASK)
    return [Row("the signal mask", read, write)]


_SILENT: tuple[Row, ...] = (
    *(_attribute(sys, name) for name in ("displayhook", "breakpointhook")),
    *(_attribute(logging, name) for name in ("_loggerClass", "_logRecordFactory", "lastResort")),
    _attribute(warnings, "showwarning"),
    _attribute(asyncio.events, "_event_loop_policy"),
    _contents("sys.meta_path", lambda: sys.meta_path),
    _contents("gc.callbacks", lambda: gc.callbacks),
    *map(_names, (builtins, time, datetime)),
    Row("the context of decimal", _decimals, _write_decimals),
)
FILTERS = Row("warnings.filters", lambda: (warnings.filters, tuple(warnings.filters)), _filters)
ROWS: tuple[Row, ...] = (
    *(_attribute(sys, name) for name in ("stdout", "stderr", "stdin", "path")),
    *(_attribute(sys, name) for name in ("excepthook", "unraisablehook")),
    _attribute(threading, "excepthook"),
    _contents("sys.path", lambda: sys.path),
    FILTERS,
    Row("the environment", lambda: dict(raw_environ()), _restore_environ),
    Row("the working directory", _cwd, os.chdir),
    Row("signal handlers", lambda: tuple(map(getsignal, _NUMBERS)), _write_signals),
    Row("umask", _umask, lambda mask: _set_umask(mask)),
    Row("locale", lambda: _set_locale(locale.LC_ALL), lambda now: _set_locale(locale.LC_ALL, now)),
    Row("sys.setrecursionlimit", sys.getrecursionlimit, sys.setrecursionlimit),
    Row("sys.setswitchinterval", sys.getswitchinterval, sys.setswitchinterval),
    Row("logging.disable", lambda: logging.root.manager.disable, logging.disable),
    Row("sys.settrace", sys.gettrace, sys.settrace),
    Row("sys.setprofile", sys.getprofile, sys.setprofile),
    Row("threading.settrace", threading.gettrace, threading.settrace),
    Row("threading.setprofile", threading.getprofile, threading.setprofile),
    Row("gc.enable", gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    Row("gc.set_threshold", gc.get_threshold, lambda given: gc.set_threshold(*given)),
    Row("gc.set_debug", gc.get_debug, gc.set_debug),
    Row("socket.setdefaulttimeout", socket.getdefaulttimeout, socket.setdefaulttimeout),
    *_mask(),
    *(row._replace(silent=True) for row in _SILENT),
)
FILTERING = frozenset({"simplefilter", "filterwarnings", "resetwarnings"})  # change FILTERS alone
# What is changed by calling these. (`sys.settrace` and others have an audit event: see `TOUCHING`.)
SETTERS: tuple[tuple[Any, str], ...] = (
    *((signal, name) for name in ("signal", "pthread_sigmask") if hasattr(signal, name)),
    (os, "umask"),
    (locale, "setlocale"),
    (logging, "disable"),
    (sys, "setswitchinterval"),
    *((threading, name) for name in ("settrace", "setprofile")),
    *((gc, name) for name in ("set_threshold", "set_debug")),
    (socket, "setdefaulttimeout"),
    (decimal, "setcontext"),
    *((warnings, name) for name in sorted(FILTERING)),
)
_SCALARS = (int, float, str, bytes, bool)


def same(now: Any, before: Any) -> bool:
    """Whether two things that were read are one, without asking any object of an agent's."""
    kind = type(now)
    if now is before:
        return True
    if kind is not type(before):
        return False
    if kind is tuple:
        return len(now) == len(before) and all(map(same, now, before))
    if kind is dict:
        return len(now) == len(before) and all(
            name in before and same(value, before[name]) for name, value in now.items()
        )
    if kind is set:  # of the numbers of signals
        return bool(now == before)
    return kind in _SCALARS and bool(now == before)


_context = decimal.getcontext
Glance = tuple[tuple[object, ...], tuple[int, ...]]


def glance() -> Glance:
    """What a mere assignment changes, and agents do change: a look after each run."""
    return _objects(), _numbers()


def unchanged(seen: Glance) -> bool:
    """Whether a glance would show the same."""
    objects, numbers = seen
    return all(map(is_, _objects(), objects)) and _numbers() == numbers


def _objects() -> tuple[object, ...]:
    return (
        sys.stdout, sys.stderr, sys.stdin, builtins.print, builtins.open, time.time, time.sleep,
        sys.excepthook, threading.excepthook, sys.unraisablehook, sys.path, warnings.filters,
    )  # fmt: skip


def _numbers() -> tuple[int, ...]:
    return (
        len(sys.path), len(warnings.filters), sys.getrecursionlimit(), _context().prec,
        gc.isenabled(),
    )  # fmt: skip
