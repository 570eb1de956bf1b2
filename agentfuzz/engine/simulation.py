"""The simulation: what it takes to run an agent once, from the first call to the frozen history.

Law: whatever the agent does - return, raise anything at all, never end - the run has an ending
and a history, and leaves nothing behind. A run has one leg, or several: the process dies and is
started again, a decision arrives, the user goes on. Called by `run` and by the search.
"""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, NamedTuple

from agentfuzz.core.codec import plain
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import AgentfuzzError, Crash, CutOff
from agentfuzz.core.history import History
from agentfuzz.engine import judging
from agentfuzz.engine.ending import Ending, completed, frozen, raised
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.within import beginning
from agentfuzz.runtime import forks, imports, leaks
from agentfuzz.runtime.clock import Clock
from agentfuzz.runtime.eventloop import VirtualLoop, abandon, bury, finish
from agentfuzz.runtime.isolation import Isolation
from agentfuzz.runtime.thread_pools.gate import Gate
from agentfuzz.runtime.thread_pools.patches import gated
from agentfuzz.runtime.virtual_time import virtual_time
from agentfuzz.runtime.watchdog import Watchdog
from agentfuzz.world.injector import Injector
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.process import MAX_RESTARTS, Decision
from agentfuzz.world.process_faults.striking import at_the_end
from agentfuzz.world.tools import forget
from agentfuzz.world.world import World, inside

Agent = Callable[[World], Any]


class Next(NamedTuple):
    """What the next leg of a run begins with."""

    why: str
    task: str = ""
    decision: Decision | None = None


class Simulation:
    """What many runs share: frozen time, deterministic entropy, a watchdog, an event loop.

    A context manager; entering costs tens of milliseconds, a run inside microseconds.
    """

    def __init__(self, run_timeout: float = 10.0) -> None:
        self.watchdog = Watchdog(run_timeout)
        self._isolation = Isolation()
        self._stack = ExitStack()
        self._loop: VirtualLoop | None = None
        self._clock: Clock | None = None

    def __enter__(self) -> "Simulation":
        forget()
        clock = self._clock = self._stack.enter_context(virtual_time())
        self._gate = self._stack.enter_context(gated(Gate(clock)))
        self._pid = os.getpid()
        self._isolation.install()
        self._stack.callback(self._isolation.remove)
        self._stack.callback(leaks.install())
        self.watchdog.arm()
        self._stack.callback(self.watchdog.disarm)
        self._stack.callback(imports.install(self._isolation.aside))
        self._stack.callback(self._isolation.finish)
        self._stack.callback(self._close_loop)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def execute(
        self, scenario: Scenario, agent: Agent, injector: Injector, *, trace: bool = False
    ) -> History:
        """One run. `trace` notes the agent's code location at every call."""
        clock, isolation = self._clock, self._isolation
        assert clock is not None, "a simulation runs inside its with block"
        clock.reset()
        isolation.begin()
        self.watchdog.begin()  # the scenario is the user's own code; its watch ends in the leg's
        try:
            world = scenario.world(injector, clock, trace=trace)
        except BaseException as error:
            self.watchdog.end()
            isolation.end()
            judging.blame(f"scenario {scenario.name}", error, self.watchdog)
        gateway = inside(world)
        gateway.patience = self.watchdog.patience
        self._gate.begin(gateway.calls)
        leaks.begin()
        try:
            ending = self._legs(scenario, agent, world)
        finally:
            gateway.calls.budget = -1  # nothing that this run holds may act again
            self._gate.end()
            isolation.end()
            while isolation.lost:
                leaks.note("not put back:", isolation.lost.pop())
            leaks.end()
        if ending.how != "returned":
            self.watchdog.clear_up(lambda: self._abandon(gateway))
        planner = getattr(gateway.model, "planner", None)  # a test may put in a model of its own
        if planner is not None and planner.missed is not None:
            raise planner.missed  # whatever the agent, or its client, made of it
        return frozen(gateway, ending)

    # Legs ---------------------------------------------------------------------------------

    def _legs(self, scenario: Scenario, agent: Agent, first: World) -> Ending:
        """Leg after leg, until nothing more happens to this task."""
        process = inside(first).process
        if not (scenario.follow_ups or process.asks):
            ending = self._leg(scenario, agent, first, last=not process.waiting)
            if not process.waiting:
                return ending
            return self._more_legs(scenario, agent, first, ending)
        return self._more_legs(scenario, agent, first, None)

    def _more_legs(
        self, scenario: Scenario, agent: Agent, first: World, ended: Ending | None
    ) -> Ending:
        process = inside(first).process
        restart = scenario.resume if callable(scenario.resume) else agent
        coming = [Next("follow_up", task) for task in scenario.follow_ups]
        world, entry = first, agent
        while True:
            process.begin_within = beginning(scenario, agent, first)
            ending = ended or self._leg(scenario, entry, world, last=False)
            ended = None
            if ending.how == "cut_off":
                break
            following = self._following(scenario, first, ending, coming)
            if following is None:
                break
            process.begin(following.why, ending.how)
            world = first._again(following.why, task=following.task, decision=following.decision)
            if following.decision is not None:
                process.decided(following.decision)
            entry = restart if following.why == "restart" else agent
        self.watchdog.clear_up(lambda: self._settle(inside(first)))
        return ending

    def _following(
        self, scenario: Scenario, first: World, ending: Ending, coming: list[Next]
    ) -> Next | None:
        process = inside(first).process
        if ending.how == "crashed":
            self.watchdog.clear_up(bury)
            again = bool(scenario.resume) and process.restarts < MAX_RESTARTS
            return Next("restart") if again else None
        if process.messages:
            return Next("interrupt", process.messages.pop(0))
        if not any(one.decision for one in coming):
            coming[:0] = [Next("decision", decision=one) for one in process.decisions()]
        if process.asks and not process.waiting and not coming:
            fault = at_the_end(process, restarts=bool(scenario.resume))
            if fault is not None:
                return Next("restart" if fault == "crash" else "duplicate")
        return coming.pop(0) if coming else None

    def _leg(self, scenario: Scenario, agent: Agent, world: World, *, last: bool) -> Ending:
        """One leg: an agent from its beginning to its end."""
        try:
            return self._lived(scenario, agent, world, last=last)
        except CutOff as late:  # it was on its way when the leg ended
            self.watchdog.end()
            return raised(late, inside(world))

    def _lived(self, scenario: Scenario, agent: Agent, world: World, *, last: bool) -> Ending:
        gateway = inside(world)
        clock, process = gateway.clock, gateway.process
        loop = self._current_loop()
        self.watchdog.begin(gateway.calls)
        try:
            try:
                answer = agent(world)
            finally:
                if forks.forked:
                    forks.stop(self._pid)
            if type(answer) is not Completion and inspect.isawaitable(answer):
                value = self._await(answer, scenario, world, last=last)
            else:
                value = answer
                completed(scenario, gateway, value)
                if clock.gate is not None:
                    clock.gate.finish()
                if last and not process.waiting:
                    clock.flush()  # what is still under way arrives after the agent's answer
                if loop.made:
                    finish(loop)  # a sync entry point left something behind
            if gateway.calls.exhausted:  # swallowed, and answered all the same
                raise CutOff("budget", f"more than {gateway.calls.budget} crossings")
            if process.crashed_at is not None:  # swallowed as well
                raise Crash
            # Made plain under the watchdog: it may run the `repr` of the agent's own classes.
            value = value.__dict__.copy() if isinstance(value, Completion) else plain(value)
            return Ending("returned", value)
        except AgentfuzzError:
            if self.watchdog.interrupted:
                raise KeyboardInterrupt from None
            raise
        except BaseException as exc:
            self.watchdog.end()  # before anything else: a tick may come at any line
            if self.watchdog.interrupted and not isinstance(exc, Exception | CutOff):
                raise
            if process.crashed_at is not None:
                self.watchdog.clear_up(self._gate.kill)
                self.watchdog.clear_up(lambda: self._drop_loop(dead=True))
            return self.watchdog.watched(partial(raised, exc, gateway))  # asks for its `__str__`
        finally:
            self.watchdog.end()

    # Event loops --------------------------------------------------------------------------

    def _current_loop(self) -> VirtualLoop:
        """This thread's loop, for async agents and for sync entry points of async frameworks."""
        if self._loop is None or self._loop.is_closed():
            assert self._clock is not None, "inside its with block"
            self._loop = VirtualLoop(self._clock)
            self._loop.set_exception_handler(lambda loop, context: None)
            asyncio.set_event_loop(self._loop)
        return self._loop

    def _await(self, value: Awaitable[Any], scenario: Scenario, world: World, *, last: bool) -> Any:
        loop, gateway = self._current_loop(), inside(world)
        process, calls, clock = gateway.process, gateway.calls, gateway.clock

        async def main() -> Any:
            try:
                result = await value
            finally:
                if forks.forked:
                    forks.stop(self._pid)
            process.cancel_task = None
            completed(scenario, gateway, result)
            if clock.gate is not None:
                clock.gate.finish()
            if last and not process.waiting:
                clock.flush()
            if calls.late:
                await asyncio.gather(*calls.late, return_exceptions=True)
            return result

        task = loop.create_task(main())
        process.cancel_task = task.cancel
        try:
            result = loop.run_until_complete(task)
        finally:
            process.cancel_task = None
        finish(loop)
        return result

    def _settle(self, gateway: LocalGateway) -> None:
        """Let what is still under way arrive."""
        clock, late = gateway.clock, gateway.calls.late
        clock.held = False
        if clock.next_due is None and not late:
            return

        async def settle() -> None:
            clock.flush()
            await asyncio.gather(*late, return_exceptions=True)

        self._current_loop().run_until_complete(settle())

    def _abandon(self, gateway: LocalGateway) -> None:
        """Let what is still due happen, and drop the loop of a run that did not return."""
        with suppress(BaseException):
            self._settle(gateway)
        self._drop_loop()

    def _close_loop(self) -> None:
        self._drop_loop()
        if self._loop is not None:
            self._loop.close()

    def _drop_loop(self, *, dead: bool = False) -> None:
        if self._loop is not None and not self._loop.made and not self._loop.is_closed():
            return  # nothing was ever begun on it
        loop, self._loop = self._loop, None
        if loop is not None:
            with suppress(BaseException):
                (abandon if dead else finish)(loop)
            loop.close()
