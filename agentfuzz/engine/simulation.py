"""The simulation: what it takes to run an agent once, from the first call to the frozen history.

Law: whatever the agent does - return, raise anything at all, never end - the run has an ending
and a history, and leaves nothing behind. A run has one leg, or several: the process dies and is
started again, a decision arrives, the user goes on. Called by `run` and by the search.
"""

import gc
import inspect
import os
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial
from typing import Any

from agentfuzz.core.codec import plain
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import AgentfuzzError, Crash, CutOff
from agentfuzz.core.events import made
from agentfuzz.core.history import History
from agentfuzz.engine import judging
from agentfuzz.engine.around import Around, entered
from agentfuzz.engine.ending import Ending, Next, completed, fails_at_once, frozen, mourned, raised
from agentfuzz.engine.following import following
from agentfuzz.engine.loops import Loops
from agentfuzz.engine.nested import within
from agentfuzz.engine.origin import Origin, origin
from agentfuzz.engine.outcomes import Outcomes
from agentfuzz.engine.probing import Probing
from agentfuzz.engine.renewed import renewed
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.together import together
from agentfuzz.runtime import forks, imports, leaks, readings, unheard
from agentfuzz.runtime.clock import Clock
from agentfuzz.runtime.eventloop import finish
from agentfuzz.runtime.isolation import Isolation
from agentfuzz.runtime.network import Allowed
from agentfuzz.runtime.thread_pools.gate import Gate
from agentfuzz.runtime.thread_pools.patches import gated
from agentfuzz.runtime.virtual_time import virtual_time
from agentfuzz.runtime.watchdog import Watchdog
from agentfuzz.world.injector import FromPlan, Injector
from agentfuzz.world.specs import forget
from agentfuzz.world.world import World, inside

Agent = Callable[[World], Any]
COLLECTED = 20_000  # new objects until the garbage collector looks at them, between two runs


class Simulation:
    """What many runs share: frozen time, deterministic entropy, a watchdog, an event loop.

    A context manager; entering costs milliseconds, a run inside microseconds. `outcomes`
    are the exceptions by which a test is left or failed; `origins` says of the last traced run
    where the exception came from that a leg `raised`, `died` of or `asserted`; `allow_network` is
    what its runs may reach beyond this machine; `around` makes what is entered for each run before
    its scenario is built, and left after it; `gate` and `isolation` are those of its runs.
    """

    def __init__(
        self,
        run_timeout: float = 10.0,
        outcomes: Outcomes | None = None,
        *,
        allow_network: Allowed = False,
        around: Around | None = None,
    ) -> None:
        self.allow_network = allow_network
        self.around = around
        self.watchdog = Watchdog(run_timeout)
        self.probing = Probing()
        self.outcomes = outcomes or Outcomes()
        self.origins: dict[str, Origin] = {}
        self.isolation = Isolation()
        self._stack = ExitStack()
        self._clock: Clock | None = None
        self._returned: Agent | None = None  # who runs where nothing is broken

    def __enter__(self) -> "Simulation":
        forget()
        seldom = gc.get_threshold()
        if seldom[0]:  # a twelfth of a framework's run; a plain loop leaves nothing
            self._stack.callback(gc.set_threshold, *seldom)
            gc.set_threshold(max(seldom[0], COLLECTED), *seldom[1:])
        clock = self._clock = self._stack.enter_context(virtual_time())
        self.gate = self._stack.enter_context(gated(Gate(clock)))
        self._pid = os.getpid()
        self._loops = Loops(clock, self._pid)
        self.isolation.install()
        self._stack.callback(self.isolation.remove)
        self._stack.callback(leaks.install())
        self.watchdog.arm()
        self._stack.callback(self.watchdog.disarm)
        self._stack.callback(imports.install(self.isolation.aside))
        self._stack.callback(self.isolation.finish)
        self._stack.callback(self._loops.close)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def adopted(self) -> None:
        """This process was forked by who runs a campaign, to make some of its runs."""
        self._pid = os.getpid()
        self._loops.adopted(self._pid)
        self.watchdog.adopted()

    def execute(
        self, scenario: Scenario, agent: Agent, injector: Injector, *, trace: bool = False
    ) -> History:
        """One run. `trace` notes the agent's code location at every call, and where it raised.
        Raises what the test is left by (a skip)."""
        collects = gc.isenabled()
        gc.disable()  # what it met would end at a moment of its own
        try:
            history = self._execute(scenario, agent, injector, trace)
            ended: Any = history.events[-1]
            if ended.how == "returned":
                self._returned = agent
            elif agent is self._returned and fails_at_once(history):
                again = partial(self._execute, scenario, agent, injector, trace)
                history = renewed(history, again, injector, self.isolation)
            return history
        finally:
            if collects:
                gc.enable()

    def _execute(
        self, scenario: Scenario, agent: Agent, injector: Injector, trace: bool
    ) -> History:
        clock = self._clock
        assert clock is not None, "a simulation runs inside its with block"
        clock.reset()
        self.isolation.begin()
        if self.around is None:
            history = self._run(scenario, agent, injector, clock, trace)
        else:
            with entered(self.around, self.isolation, self.watchdog):
                history = self._run(scenario, agent, injector, clock, trace)
        if history is None:
            self.probing.ask(scenario, lambda: self.execute(scenario, agent, FromPlan()))
            return self._execute(scenario, agent, injector, trace)
        return history

    def _run(
        self, scenario: Scenario, agent: Agent, injector: Injector, clock: Clock, trace: bool
    ) -> History | None:
        """One run; None where something has to be found out first, by a run of its own."""
        isolation = self.isolation
        readings.forget()
        unheard.forget()
        self.watchdog.begin()  # the scenario is the user's own code; its watch ends in the leg's
        try:
            world = scenario.world(injector, clock, trace=trace)
        except BaseException as error:
            self.watchdog.end()
            isolation.end()
            judging.blame(f"scenario {scenario.name}", error, self.watchdog)
        gateway = inside(world)
        if gateway.probes and not self.probing.settled(scenario, world):
            self.watchdog.end()
            isolation.end()
            return None
        if trace:
            self.origins = {}
        self.gate.begin(gateway.calls)
        leaks.begin(self.allow_network)
        try:
            ending = self._legs(scenario, agent, world)
        except BaseException:
            self._loops.drop()
            raise
        finally:
            gateway.calls.budget = -1  # nothing that this run holds may act again
            self.gate.end()
            isolation.end()
            while isolation.lost:
                leaks.note("not put back:", isolation.lost.pop())
            leaks.end()
        if ending.how != "returned" or self._loops.waits:
            self.watchdog.clear_up(lambda: self._loops.abandon(gateway, ending))
        history = frozen(gateway, ending)
        history.asked = scenario.asked
        if scenario.data:
            history.data = scenario._inputs  # of its own: a law may change them
        return history

    def _legs(self, scenario: Scenario, agent: Agent, first: World) -> Ending:
        """Leg after leg, until nothing more happens to this task."""
        process = inside(first).process
        if scenario.concurrent:
            return self._leg(*together(scenario, agent, first, self._note), first, last=True)
        if not (scenario.follow_ups or scenario.tasks or process.asks):
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
        coming += [Next("task", task) for task in scenario.tasks[1:]]
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
            coming_next = following(scenario, process, ending, coming, self.watchdog)
            if coming_next is None:
                break
            why, task, decision = coming_next
            process.begin(why, ending.how)
            task = world.task if why == "restart" else task or first.task
            world = world._again(why, task=task, decision=decision)
            process.brings(decision)
            entry = restart if why == "restart" else agent
        self.watchdog.clear_up(lambda: self._loops.settle(inside(first)))
        process.begin_within = None  # it knows its world
        return ending

    def _leg(self, scenario: Scenario, agent: Agent, world: World, *, last: bool) -> Ending:
        """One leg: an agent from its beginning to its end."""
        try:
            return self._lived(scenario, agent, world, last=last)
        except CutOff as late:  # it was on its way when the leg ended
            self.watchdog.end()
            return raised(late, inside(world), agent, self.outcomes)

    def _lived(self, scenario: Scenario, agent: Agent, world: World, *, last: bool) -> Ending:
        gateway = inside(world)
        clock, process = gateway.clock, gateway.process
        loop = self._loops.current()
        loop.begin()
        self.watchdog.begin(gateway.calls)
        try:
            try:
                answer = copy_context().run(agent, world)  # as that of a task, it ends with it
            finally:
                if forks.forked:
                    forks.stop(self._pid)
            if type(answer) is not Completion and inspect.isawaitable(answer):
                value = self._loops.run(answer, scenario, world, last=last)
            else:
                value = answer
                completed(scenario, gateway, value)
                if clock.gate is not None:
                    clock.gate.finish()
                if last and not process.waiting:
                    clock.flush()  # what is still under way arrives after the agent's answer
                mourned(gateway)
                if loop.made or loop.waits:
                    finish(loop)  # a sync entry point left something behind
            if gateway.calls.exhausted:  # swallowed, and answered all the same
                raise CutOff("budget", f"more than {gateway.calls.budget} crossings")
            if process.crashed_at is not None:  # swallowed as well
                raise Crash
            # Made plain under the watchdog: it may run the `repr` of the agent's own classes.
            value = value.__dict__.copy() if isinstance(value, Completion) else plain(value)
            ended: Ending = made(Ending, ("returned", value, "", "", False))
            return ended
        except AgentfuzzError:
            if self.watchdog.interrupted:
                raise KeyboardInterrupt from None
            raise
        except BaseException as exc:
            self.watchdog.end()  # before anything else: a tick may come at any line
            spun = self.watchdog.spun
            unheard.forget()
            if self.watchdog.interrupted and not isinstance(exc, Exception | CutOff):
                raise
            if process.crashed_at is not None:
                self.watchdog.clear_up(self.gate.kill)
                self.watchdog.clear_up(lambda: self._loops.drop(dead=True))
            elif left := self.outcomes.leaving(exc):
                raise left
            # This asks for its `__str__`. A name for it would be a circle through this frame.
            ending = self.watchdog.watched(partial(raised, exc, gateway, agent, self.outcomes))
            if spun and ending.error == "hung":  # for the interruption has cost the loop a task
                ending = ending._replace(error="spinning", detail=spun)
            self._note(world, "asserted" if ending.asserted else ending.how, exc)
            exc.__traceback__ = None  # its frames hold the task that holds it
            return ending
        finally:
            self.watchdog.end()

    def _note(self, world: World, how: str, error: BaseException) -> None:
        """In a traced run, where the first exception of this kind came from."""
        if inside(world).calls.trace:
            self.origins.setdefault(how, origin(error))
