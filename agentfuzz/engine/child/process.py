"""An agent in a process of its own: each leg is forked, and a crash is a real SIGKILL.

Law: the world stays in the run (ledger, injector, clock, model, store), and whatever the agent
does with it is asked over a pipe, so that the same plan gives the same history as in one process;
what the agent holds in memory, and every file and lock that it has open, dies with its process. A
child that dies by itself, or never answers, ends its leg and nothing else. Used around an agent:

    @fuzz(charge_order)
    @in_child
    def test_agent(world): ...

POSIX only. What passes between the two must be picklable; `world.state` is the memory of the
scenario's tools and stays in the run, an agent in a child sees a copy. An async tool's body runs
to its end before anything else of the child goes on.
"""

import asyncio
import gc
import inspect
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

from agentfuzz.core.errors import Crash, CutOff, ScenarioError
from agentfuzz.core.events import Called, Event
from agentfuzz.engine.child.host import Home
from agentfuzz.engine.child.pipe import Pipe, packed, unpacked
from agentfuzz.engine.child.stub import RemoteGateway, moved
from agentfuzz.runtime import forks, leaks
from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.eventloop import VirtualLoop, finish
from agentfuzz.runtime.watchdog import current
from agentfuzz.world.world import World, inside

GRACE = 1.0  # real seconds that a process has to die once it has closed its pipe
Work = Callable[[], Any]


class ProcessDied(BaseException):
    """The agent's process ended by itself, neither returning nor raising: the text says how."""


def in_child(agent: Callable[..., Any]) -> Callable[..., Any]:
    """An agent whose every leg runs in a forked child process, and whose crashes kill it.

    Raises ScenarioError where processes cannot be forked.
    """
    if not hasattr(os, "fork"):
        raise ScenarioError(
            "in_child needs os.fork, which this system does not have. Leave it out: a crash then "
            "abandons the agent within the process of the test."
        )
    function = getattr(agent, "agentfuzz_agent", agent)

    @wraps(function)
    def forked(*given: Any, **fixtures: Any) -> Any:
        worlds = [one for one in (*given, *fixtures.values()) if isinstance(one, World)]
        if not worlds:
            raise ScenarioError(f"{_where(function)} is in_child and was called without a world.")
        if isinstance(worlds[0].gateway, RemoteGateway):
            return function(*given, **fixtures)  # this is a process of its own already
        return _Leg(worlds[0], function).run(lambda: function(*given, **fixtures))

    return forked


class _Leg:
    """One leg in a child, as the run sees it."""

    def __init__(self, world: World, agent: Callable[..., Any]) -> None:
        self._world = world
        self._gateway = inside(world)
        self._agent = agent
        self._home = Home(world)
        self._pid = 0
        self._status: int | None = None
        self._until = Real.monotonic() + _patience()

    def run(self, work: Work) -> Any:
        """Fork, answer what the child asks, and end as it ended."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()  # or the child would have it as well
        inward, outward = os.pipe(), os.pipe()  # as the run sees them: each (read, write)
        self._pid = _fork()
        if not self._pid:
            _live(work, self._world, inward, outward)
        os.close(inward[1])
        os.close(outward[0])
        self._pipe = Pipe(inward[0], outward[1], self._world)
        self._pipe.lives = self._lives
        process, calls = self._gateway.process, self._gateway.calls
        outer = process.cancel_task, calls.others_ready
        calls.others_ready = lambda: self._home.ready  # type: ignore[method-assign]
        try:
            return self._serve()
        except CutOff as cut:
            if cut.why == "spinning" and cut.detail == "nowhere":
                raise CutOff("spinning", _where(self._agent)) from None
            raise
        finally:
            process.cancel_task, calls.others_ready = outer  # type: ignore[method-assign]
            self._kill()
            self._home.close()
            self._pipe.close()

    def _serve(self) -> Any:
        gateway, home, events = self._gateway, self._home, self._gateway.log
        known, crossed = len(events), gateway.calls.crossed
        while True:
            try:
                verb, given, home.ready, where, noted = self._pipe.receive()
            except EOFError:
                raise ProcessDied(self._how()) from None
            if gateway.calls.crossed != crossed:  # it has come further: its time begins anew
                crossed = gateway.calls.crossed
                self._until = Real.monotonic() + _patience()
            leaks.add(noted)
            if verb == "end":
                kind, value = given
                if kind == "error":
                    raise unpacked(value)
                return value
            first = len(events)
            try:
                kind, answer = "value", home.answer(verb, given)
            except Crash:
                raise
            except BaseException as error:
                kind, answer = "error", packed(error)
            finally:
                if where is not None:
                    _place(events, first, where)
            home.pressed, pressed = False, home.pressed
            now, due = gateway.clock.now, gateway.clock.next_due
            self._pipe.send(kind, answer, now, due, events[known:], pressed)
            known = len(events)

    # Its life -----------------------------------------------------------------------------

    def _lives(self) -> None:
        """Raises when nothing will come of this child any more."""
        if self._ended(os.WNOHANG):
            if not self._pipe.waits():
                raise EOFError
        elif Real.monotonic() > self._until:
            raise CutOff("spinning", _where(self._agent))

    def _ended(self, how: int) -> bool:
        if self._status is None:
            try:
                pid, status = os.waitpid(self._pid, how)
            except ChildProcessError:  # somebody else has waited for it
                pid, status = self._pid, 0
            if pid:
                self._status = status
        return self._status is not None

    def _how(self) -> str:
        until = Real.monotonic() + GRACE
        while not self._ended(os.WNOHANG):
            if Real.monotonic() > until:
                return "it closed its pipe to the run"
            Real.sleep(0.001)
        code = os.waitstatus_to_exitcode(self._status or 0)
        return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"

    def _kill(self) -> None:
        if not self._ended(os.WNOHANG):
            os.kill(self._pid, signal.SIGKILL)
            self._ended(0)


def _fork() -> int:
    with leaks.exempt(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that the run may have threads
        return os.fork()


def _patience() -> float:
    """Real seconds that a leg in another process may be silent."""
    watchdog = current()
    assert watchdog is not None, "a leg runs inside a simulation"
    return watchdog.patience


def _where(agent: Callable[..., Any]) -> str:
    """The agent's function, as the watchdog names one."""
    code = getattr(inspect.unwrap(agent), "__code__", None)
    if code is None:
        return type(agent).__name__
    return f"{code.co_name} ({Path(code.co_filename).name}:{code.co_firstlineno})"


def _place(events: list[Event], first: int, where: str) -> None:
    """Note where in the child's code the call was made."""
    for place in range(first, len(events)):
        event = events[place]
        if isinstance(event, Called):
            events[place] = event._replace(where=where)
            return


# The child --------------------------------------------------------------------------------


def _live(work: Work, world: World, inward: Any, outward: Any) -> NoReturn:
    """The whole life of the child: nothing of the run goes on in it."""
    home = os.getpid()
    try:
        gc.freeze()  # what the run has made is not this process's to collect
        os.close(inward[0])
        os.close(outward[1])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run decides
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        pipe = Pipe(outward[0], inward[1], world)
        ending = _ending(work, world, pipe)
        forks.stop(home)
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        noted = leaks.taken()
        try:
            pipe.send("end", ending, False, None, noted)
        except ScenarioError as error:
            pipe.send("end", ("error", packed(error)), False, None, noted)
    finally:
        os._exit(0)


def _ending(work: Work, world: World, pipe: Pipe) -> tuple[str, Any]:
    try:
        leaks.taken()  # the run's
        link = moved(world, pipe)
        loop = VirtualLoop(world.clock)
        loop.set_exception_handler(lambda loop, context: None)
        asyncio.set_event_loop(loop)
        answer = work()
        if inspect.isawaitable(answer):
            link.ask("async")
            link.task = loop.create_task(_awaited(answer))
            answer = loop.run_until_complete(link.task)
            link.task = None
        if loop.made:
            finish(loop)
    except BaseException as error:
        return "error", packed(error)
    return "value", answer


async def _awaited(answer: Any) -> Any:
    return await answer
