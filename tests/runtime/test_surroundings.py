"""What an agent changes for everybody is put back after its run, or named."""

import asyncio
import builtins
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

import pytest

from agentfuzz import run, scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import leaks, surroundings
from agentfuzz.runtime.surroundings import ROWS, same
from agentfuzz.world.injector import FromPlan


@scenario()
def anywhere(world):
    @world.tool
    def look(): ...


def nothing(*args):
    """In the place of something else."""


class Hostile:
    """Whose comparison never ends, or ends pytest."""

    def __eq__(self, other):
        raise SystemExit

    __hash__ = None
    write = flush = nothing


def _locale():
    locale.setlocale(locale.LC_ALL, "C" if locale.setlocale(locale.LC_ALL) != "C" else "C.UTF-8")


def _basic_config():
    logging.basicConfig(level=1, force=True)
    logging.getLogger("mine").setLevel(3)
    logging.getLogger("mine").addHandler(logging.NullHandler())


CHANGES = {
    "signal mask": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1}),
    "every handler": lambda: signal.signal(signal.SIGUSR2, nothing),
    "umask": lambda: os.umask(0o123),
    "locale": _locale,
    "time zone": lambda: (os.environ.update(TZ="Asia/Tokyo"), time.tzset()),
    "socket timeout": lambda: socket.setdefaulttimeout(3),
    "print": lambda: setattr(builtins, "print", nothing),
    "another builtin": lambda: setattr(builtins, "sum", nothing),
    "a new builtin": lambda: setattr(builtins, "of_mine", nothing),
    "sleep": lambda: setattr(time, "sleep", nothing),
    "clock": lambda: setattr(time, "perf_counter", nothing),
    "filters": lambda: warnings.simplefilter("error"),
    "filters behind its back": lambda: warnings.filters.insert(
        0, ("error", None, Warning, None, 0)
    ),
    "no filters": lambda: setattr(warnings, "filters", []),
    "showwarning": lambda: setattr(warnings, "showwarning", nothing),
    "logging": _basic_config,
    "logging disabled": lambda: logging.disable(50),
    "a quiet logger": lambda: setattr(logging.getLogger("asyncio"), "propagate", False),
    "handlers": lambda: logging.getLogger("asyncio").handlers.append(logging.NullHandler()),
    "gc off": gc.disable,
    "gc threshold": lambda: gc.set_threshold(1, 2, 3),
    "gc callbacks": lambda: gc.callbacks.append(nothing),
    "decimal precision": lambda: setattr(decimal.getcontext(), "prec", 3),
    "decimal context": lambda: decimal.setcontext(decimal.Context(prec=2)),
    "switch interval": lambda: sys.setswitchinterval(0.5),
    "path": lambda: sys.path.insert(0, "/nowhere"),
    "another path": lambda: setattr(sys, "path", ["/nowhere"]),
    "meta path": lambda: sys.meta_path.clear(),
    "a module away": lambda: sys.modules.update(json=None),
    "no such module": lambda: sys.modules.update(not_there=None),
    "another module": lambda: sys.modules.update(json=logging),
    "a module deleted": lambda: sys.modules.pop("json"),
    "excepthook": lambda: setattr(sys, "excepthook", nothing),
    "hook of threads": lambda: setattr(threading, "excepthook", nothing),
    "unraisable": lambda: setattr(sys, "unraisablehook", nothing),
    "trace": lambda: sys.settrace(nothing),
    "profile": lambda: sys.setprofile(nothing),
    "trace of threads": lambda: threading.settrace(nothing),
    "policy": lambda: asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy()),
    "hostile": lambda: setattr(builtins, "print", Hostile()),
    "a hostile stream": lambda: setattr(sys, "stderr", Hostile()),
}


def state():
    """Everything that there is a row for, and what there is none for."""
    import json

    loggers = [logging.root, *map(logging.getLogger, ("asyncio", "mine"))]
    return [
        *((row.name, row.read()) for row in ROWS),
        ("time zone", time.tzname),
        ("modules", sys.modules["json"] is json, "not_there" in sys.modules),
        *((one.name, one.level, one.propagate, tuple(one.handlers)) for one in loggers),
    ]


def changed(before, after):
    """What is not the same any more."""
    return [
        then[0]
        for then, now in zip(before, after, strict=True)
        if not same(tuple(now), tuple(then))
    ]


@pytest.fixture(scope="module", autouse=True)
def begun():
    """What comes with the first simulation of a process has come."""
    run(anywhere, lambda world: None)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("end", ["returns", "exits"])
def test_it_is_as_before(name, end):
    """After the run that changed it, and for the runs and the test after it."""
    seen = []

    def agent(world):
        seen.append(state())
        CHANGES[name]()
        if end == "exits":
            raise SystemExit

    before = state()
    with Simulation() as simulation:
        for _ in range(2):
            run(anywhere, agent, simulation=simulation)
    assert changed(before, state()) == []
    assert [changed(seen[0], one) for one in seen] == [[]] * 2


@pytest.mark.parametrize("name", ["print", "logging", "umask", "path"])
def test_it_is_as_before_in_a_later_run(name):
    """Also where the change comes in a run that nobody looks at closely."""

    def agent(world):
        if len(seen) == 5:
            CHANGES[name]()
        seen.append(state())

    seen = []
    with Simulation() as simulation:
        for _ in range(7):
            simulation.execute(anywhere, agent, FromPlan())
    assert changed(seen[4], seen[6]) == []


def test_what_a_user_changes_between_two_runs_stays(monkeypatch):
    """It is no agent's doing."""
    with Simulation() as simulation:
        run(anywhere, lambda world: None, simulation=simulation)
        monkeypatch.setattr(builtins, "print", nothing)
        monkeypatch.setattr(sys, "path", ["/nowhere"])
        run(anywhere, lambda world: None, simulation=simulation)
        assert builtins.print is nothing
        assert sys.path == ["/nowhere"]


def test_what_cannot_be_put_back_is_named(monkeypatch):
    """A handler that C code had set: Python knows no way to it."""
    number = surroundings._NUMBERS.index(signal.SIGUSR2)
    (row,) = (row for row in ROWS if row.name == "signal handlers")
    read = row.read

    def c_handler():
        found = list(read())
        if found[number] == signal.SIG_DFL:
            found[number] = None
        return tuple(found)

    changed = row._replace(read=c_handler)
    rows = tuple(changed if one is row else one for one in ROWS)
    monkeypatch.setattr("agentfuzz.runtime.isolation.ROWS", rows)
    leaks.taken()
    try:
        run(anywhere, lambda world: CHANGES["every handler"]())
    finally:
        signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    (found,) = leaks.taken()
    assert found.kind == "not put back:"
    assert found.detail.startswith("signal handlers: the handler of SIGUSR2")


def test_what_an_import_changes_stays(tmp_path, monkeypatch):
    """It is no run's doing: the same import before the simulation would have left it there. What
    the agent changes itself is put back all the same."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "changes_things.py").write_text(
        "import logging, os, warnings\n"
        "logging.getLogger('changed').addHandler(logging.NullHandler())\n"
        "os.environ['CHANGED_BY_IMPORT'] = '1'\n"
        "warnings.filterwarnings('ignore', message='of an import')\n"
    )

    def agent(world):
        os.environ["CHANGED_BY_AGENT"] = "1"
        import changes_things

        assert changes_things
        os.environ["CHANGED_BY_AGENT"] = "2"

    try:
        with warnings.catch_warnings():
            with Simulation() as simulation:
                for _ in range(3):
                    run(anywhere, agent, simulation=simulation)
            assert "of an import" in str(warnings.filters[0])
        assert os.environ["CHANGED_BY_IMPORT"] == "1"
        assert "CHANGED_BY_AGENT" not in os.environ
        assert len(logging.getLogger("changed").handlers) == 1
    finally:
        os.environ.pop("CHANGED_BY_IMPORT", None)
        logging.getLogger("changed").handlers.clear()
        sys.modules.pop("changes_things", None)


def test_what_a_simulation_changes_itself_does_not_stay():
    """The garbage collector, and what its caller changes around all runs: the end of the simulation
    puts back what agents have changed, and no more."""
    logger = logging.getLogger("of_a_user")
    before = gc.isenabled(), sys.stdout, logging.root.manager.disable, os.environ.get("OF_A_USER")
    with Simulation() as simulation:
        with pytest.MonkeyPatch.context() as around:
            around.setattr(sys, "stdout", sys.__stderr__)
            around.setenv("OF_A_USER", "1")
            logging.disable(logging.CRITICAL)
            logger.setLevel(7)
            for _ in range(3):
                run(anywhere, lambda world: CHANGES["gc callbacks"](), simulation=simulation)
            logging.disable(before[2])
        assert logger.level == 7
    after = gc.isenabled(), sys.stdout, logging.root.manager.disable, os.environ.get("OF_A_USER")
    assert after == before
    assert nothing not in gc.callbacks
    assert logger.level == 7
    logger.setLevel(logging.NOTSET)


def test_filters_of_warnings_are_put_back_alone(monkeypatch):
    """Many a framework sets them for a while in each run: nothing else is looked at for that. What
    is changed beside them is put back as ever."""

    def agent(world):
        seen.append(state())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
        if len(seen) == 7:
            os.umask(0o123)

    def noting(row):
        return row._replace(read=lambda: (read.append(row.name), row.read())[1])

    seen, read = [], []
    with Simulation() as simulation:
        for _ in range(5):
            simulation.execute(anywhere, agent, FromPlan())
        rows = tuple(one if one is surroundings.FILTERS else noting(one) for one in ROWS)
        monkeypatch.setattr("agentfuzz.runtime.isolation.ROWS", rows)
        simulation.execute(anywhere, agent, FromPlan())
        assert "umask" not in read
        for _ in range(3):
            simulation.execute(anywhere, agent, FromPlan())
        assert "umask" in read
    assert [changed(seen[4], one) for one in seen[4:]] == [[]] * 5
