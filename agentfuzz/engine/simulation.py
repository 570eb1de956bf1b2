"""The simulation: what it takes to run an agent once, from the first call to the frozen history.

Law: whatever the agent does - return, raise anything at all, never end - the run has an ending
and a history, and leaves nothing behind. A run has one leg, or several: the process dies and is
started again, a decision arrives, the user goes on. Called by `run` and by the search.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from typing import Any

from agentfuzz.core.codec import plain
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import AgentfuzzError, Crash, CutOff
from agentfuzz.core.history import History
from agentfuzz.engine.ending import Ending, Next, completed, frozen, raised
from agentfuzz.engine.nested import within
from agentfuzz.engine.origin import Origin, origin
from agentfuzz.engine.outcomes import Outcomes
from agentfuzz.engine.probing import Probing
from agentfuzz.engine.scenario import Scenario
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import Clock
from agentfuzz.runtime.eventloop import VirtualLoop, abandon, bury, finish
from agentfuzz.runtime.isolation import Isolation
from agentfuzz.runtime.network import Allowed
from agentfuzz.runtime.thread_pools.gate import Gate
from agentfuzz.runtime.thread_pools.patches import gated
from agentfuzz.runtime.virtual_time import virtual_time
from agentfuzz.runtime.watchdog import Watchdog
from agentfuzz.world.injector import FromPlan, Injector
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.process import MAX_RESTARTS
from agentfuzz.world.process_faults.striking import at_the_end
from agentfuzz.world.tools import forget
from agentfuzz.world.world import World, inside

Agent = Callable[[World], Any]


class Simulation:
    """What many runs share: frozen time, deterministic entropy, a watchdog, an event loop.

    A context manager; entering costs tens of milliseconds, a run inside microseconds. `outcomes`
    are the exceptions by which a test is left or failed; `origins` says of the last traced run
    where the exception came from that a leg `raised`, `died` of or `asserted`; `allow_network` is
    what its runs may reach beyond this machine.
    """

    def __init__(
        self,
        run_timeout: float = 10.0,
        outcomes: Outcomes | None = None,
        *,
        allow_network: Allowed = False,
    ) -> None:
        self.allow_network = allow_network
        self.watchdog = Watchdog(run_timeout)
        self.probing = Probing()
        self.outcomes = outcomes or Outcomes()
        self.origins: dict[str, Origin] = {}
        self._isolation = Isolation()
        self._stack = ExitStack()
        self._loop: VirtualLoop | None = None
        self._clock: Clock | None = None

    def __enter__(self) -> "Simulation":
        forget()
        clock = self._clock = self._stack.enter_context(virtual_time())
        self._gate = self._stack.enter_context(gated(Gate(clock)))
        self._isolation.install()
        self._stack.callback(self._isolation.remove)
        self._stack.callback(leaks.install())
        self.watchdog.arm()
        self._stack.callback(self.watchdog.disarm)
        self._stack.callback(self._close_loop)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def execute(
        self, scenario: Scenario, agent: Agent, injector: Injector, *, trace: bool = False
    ) -> History:
        """One run. `trace` notes the agent's code location at every call, and where it raised.
        Raises what the test is left by (a skip)."""
        clock, isolation = self._clock, self._isolation
        assert clock is not None, "a simulation runs inside its with block"
        clock.reset()
        isolation.begin()
        try:
            world = scenario.world(injector, clock, trace=trace)
        except BaseException:
            isolation.end()
            raise
        gateway = inside(world)
        if gateway.probes and not self.probing.settled(scenario, world):
            isolation.end()
            self.probing.ask(scenario, lambda: self.execute(scenario, agent, FromPlan()))
            return self.execute(scenario, agent, injector, trace=trace)
        gateway.patience = self.watchdog.seconds
        if trace:
            self.origins = {}
        self._gate.begin(gateway.calls)
        leaks.begin(self.allow_network)
        try:
            ending = self._legs(scenario, agent, world)
        except BaseException:
            self._drop_loop()
            raise
        finally:
            leaks.end()
            gateway.calls.budget = -1  # nothing that this run holds may act again
            self._gate.end()
            isolation.end()
        if ending.how != "returned":
            self._abandon(gateway)
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
        if ended is None:
            first._begins()
        while True:
            process.begin_within = within(
                scenario, agent, world, first.task, self.outcomes, self._note
            )
            ending = ended or self._leg(scenario, entry, world, last=False)
            ended = None
            if ending.how == "cut_off" or ending.asserted:
                break
            if (following := self._following(scenario, first, ending, coming)) is None:
                break
            why, task, decision = following
            process.begin(why, ending.how)
            task = world.task if why == "restart" else task or first.task
            world = world._again(why, task=task, decision=decision)
            process.brings(decision)
            entry = restart if why == "restart" else agent
        self._settle(inside(first))
        return ending

    def _following(
        self, scenario: Scenario, first: World, ending: Ending, coming: list[Next]
    ) -> Next | None:
        process = inside(first).process
        again = Next("restart", decision=process.brought)
        if ending.how == "crashed":
            bury()
            return again if scenario.resume and process.restarts < MAX_RESTARTS else None
        if process.messages:
            return Next("interrupt", process.messages.pop(0))
        if not any(one.decision for one in coming):
            coming[:0] = [Next("decision", decision=one) for one in process.decisions()]
        if process.asks and not process.waiting and not coming:
            fault = at_the_end(process, restarts=bool(scenario.resume))
            if fault is not None:
                return again if fault == "crash" else Next("duplicate")
        return coming.pop(0) if coming else None

    def _leg(self, scenario: Scenario, agent: Agent, world: World, *, last: bool) -> Ending:
        """One leg: an agent from its beginning to its end."""
        gateway = inside(world)
        clock, process = gateway.clock, gateway.process
        loop = self._current_loop()
        self.watchdog.begin()
        try:
            answer = agent(world)
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
            raise
        except BaseException as exc:
            self.watchdog.end()  # before anything else: a tick may come at any line
            if self.watchdog.interrupted and not isinstance(exc, Exception | CutOff):
                raise
            if process.crashed_at is not None:
                self._gate.kill()
                self._drop_loop(dead=True)
            elif left := self.outcomes.leaving(exc):
                raise left
            ending = raised(exc, gateway, agent, self.outcomes)
            self._note(world, "asserted" if ending.asserted else ending.how, exc)
            return ending
        finally:
            self.watchdog.end()

    def _note(self, world: World, how: str, error: BaseException) -> None:
        """In a traced run, where the first exception of this kind came from."""
        if inside(world).calls.trace:
            self.origins.setdefault(how, origin(error))

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
            result = await value
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
