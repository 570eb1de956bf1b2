"""One run: an agent in a world, from the first call to the frozen history.

Law: whatever the agent does - return, raise anything at all, never end - the run has an ending,
a history and a verdict, and leaves nothing behind. Called by the search and by the public
function `run`. Search and replay differ in the injector alone.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from agentfuzz._scenario import Scenario
from agentfuzz.clock import Clock, virtual_time
from agentfuzz.codec import described, message, plain
from agentfuzz.completion import Completion
from agentfuzz.errors import AgentfuzzError, CutOff, PlanError, ScenarioError, near_miss
from agentfuzz.eventloop import VirtualLoop, finish
from agentfuzz.faults import FaultPlan
from agentfuzz.history import Called, Done, Ended, History, ModelTurn, Struck
from agentfuzz.injector import FromPlan, Injector
from agentfuzz.invariants.doors import differences
from agentfuzz.isolation import Isolation
from agentfuzz.verdict import HELD, VIOLATED, Verdict, Violation
from agentfuzz.watchdog import Watchdog
from agentfuzz.world import World

Agent = Callable[[World], Any]
RUN_TIMEOUT = 10.0  # real seconds before a run that crosses nothing is interrupted


class Simulation:
    """What many runs share: frozen time, deterministic entropy, a watchdog, an event loop.

    A context manager; entering costs tens of milliseconds, a run inside microseconds.
    """

    def __init__(self, run_timeout: float = RUN_TIMEOUT) -> None:
        self.watchdog = Watchdog(run_timeout)
        self._isolation = Isolation()
        self._stack = ExitStack()
        self._loop: VirtualLoop | None = None
        self._clock: Clock | None = None

    def __enter__(self) -> "Simulation":
        self._clock = self._stack.enter_context(virtual_time())
        self._isolation.install()
        self._stack.callback(self._isolation.remove)
        self.watchdog.arm()
        self._stack.callback(self.watchdog.disarm)
        self._stack.callback(self._drop_loop)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def execute(
        self, scenario: Scenario, agent: Agent, injector: Injector, *, trace: bool = False
    ) -> History:
        """One run. `trace` notes the agent's code location at every call."""
        clock, isolation, watchdog = self._clock, self._isolation, self.watchdog
        assert clock is not None, "a simulation runs inside its with block"
        clock.reset()
        isolation.begin()
        try:
            world = scenario.world(injector, clock, trace=trace)
        except BaseException:
            isolation.end()
            raise
        how, value, error, detail = "returned", None, "", ""
        loop = self._current_loop()
        watchdog.begin()
        try:
            answer = agent(world)
            if inspect.isawaitable(answer):
                value = self._await(answer, scenario, world)
            else:
                value = answer
                _complete(scenario, world, value)
                clock.flush()  # what is still under way arrives after the agent's answer
                if loop.made:
                    finish(loop)  # a sync entry point left something behind
            if world.calls.exhausted:  # swallowed, and answered all the same
                raise CutOff("budget", f"more than {world.calls.budget} crossings")
            # Made plain under the watchdog: it may run the `repr` of the agent's own classes.
            value = value.__dict__.copy() if isinstance(value, Completion) else plain(value)
        except CutOff as cut:
            how, error, detail = "cut_off", cut.why, cut.detail
        except AgentfuzzError:
            raise
        except Exception as exc:
            how, error, detail = _raised(exc, world)
        except BaseException as exc:
            if watchdog.interrupted:
                raise
            how, error, detail = _raised(exc, world)
        finally:
            watchdog.end()
            world.calls.budget = -1  # nothing that this run holds may act again
            isolation.end()
        if how != "returned":
            self._abandon(world)
        missed = getattr(world._model, "missed", None)
        if missed is not None:  # whatever the agent, or its client, made of it
            raise missed
        return _freeze(world, how, value, error, detail)

    def _current_loop(self) -> VirtualLoop:
        """This thread's loop, for async agents and for sync entry points of async frameworks."""
        if self._loop is None or self._loop.is_closed():
            assert self._clock is not None, "a simulation runs inside its with block"
            self._loop = VirtualLoop(self._clock)
            self._loop.set_exception_handler(lambda loop, context: None)
            asyncio.set_event_loop(self._loop)
        return self._loop

    def _await(self, value: Awaitable[Any], scenario: Scenario, world: World) -> Any:
        loop = self._current_loop()

        async def main() -> Any:
            result = await value
            _complete(scenario, world, result)
            world.clock.flush()
            if world.calls.late:
                await asyncio.gather(*world.calls.late, return_exceptions=True)
            return result

        result = loop.run_until_complete(main())
        finish(loop)
        return result

    def _abandon(self, world: World) -> None:
        """Let what is still due happen, and drop the loop of a run that did not return."""
        loop = self._loop
        with suppress(BaseException):
            if loop is None:
                world.clock.flush()
            else:

                async def settle() -> None:
                    world.clock.flush()
                    await asyncio.gather(*world.calls.late, return_exceptions=True)

                loop.run_until_complete(settle())
        self._drop_loop()

    def _drop_loop(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None:
            with suppress(BaseException):
                finish(loop)
            loop.close()


def _raised(exc: BaseException, world: World) -> tuple[str, str, str]:
    """How a run ended that raised: frameworks wrap a CutOff, or trip over one that they took for
    a result."""
    if inner := _cut_off_in(exc):
        return "cut_off", inner.why, inner.detail
    if world.calls.exhausted:
        return "cut_off", "budget", f"more than {world.calls.budget} crossings"
    how = "raised" if isinstance(exc, Exception) else "died"
    return how, type(exc).__name__, message(exc)


def _cut_off_in(error: BaseException) -> CutOff | None:
    """The CutOff that a task group has wrapped."""
    if not isinstance(error, BaseExceptionGroup):
        return error if isinstance(error, CutOff) else None
    return next(filter(None, map(_cut_off_in, error.exceptions)), None)


def _freeze(world: World, how: str, value: Any, error: str, detail: str) -> History:
    events = world.events
    shown = value if how == "returned" else None
    events.append(Ended(len(events), world.clock.now, how, shown, error, detail))
    return History(events, {name: spec.facts for name, spec in world.specs.items()})


def _complete(scenario: Scenario, world: World, value: Any) -> None:
    """Write down the Completion that the agent returned, or that its answer maps to. The done
    tool's event, handed on as it is, is not a second one."""
    said = [event for event in world.events if type(event) is Done]
    completion = value if isinstance(value, Completion) else None
    if completion is None and scenario.outcome is not None and not said:
        try:
            completion = scenario.outcome(value)
        except Exception as error:
            raise ScenarioError(
                f"outcome= of scenario {scenario.name!r} failed on {described(value)[:120]}: "
                f"{type(error).__name__}: {error}"
            ) from error
        if completion is not None and not isinstance(completion, Completion):
            raise ScenarioError(
                f"outcome= of scenario {scenario.name!r} returned {described(completion)[:80]}; "
                "it must return a Completion or None."
            )
    if completion is None:
        return
    facts = (completion.status, completion.reason, plain(completion.handle))
    if said and not said[-1].problem and (said[-1][3], said[-1][4], said[-1][5]) == facts:
        return
    world.events.append(Done(len(world.events), world.clock.now, "return", *facts, ""))


@dataclass(frozen=True, slots=True)
class Run:
    """One run under a plan: its history and what the laws say."""

    history: History
    plan: FaultPlan
    verdicts: tuple[Verdict, ...]

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every violation of every law."""
        return tuple(v for verdict in self.verdicts for v in verdict.violations)

    def check(self, *codes: str) -> None:
        """Raise the first violation (of these codes, if any are given) as its own exception
        type. Raises PlanError when a fault of the plan never struck: such a run is no evidence.
        """
        require_struck(self.plan, self.history)
        for violation in self.violations:
            if not codes or violation.code in codes:
                raise violation.error()


def run(
    scenario: Scenario,
    agent: Agent,
    plan: str | FaultPlan = "",
    *,
    simulation: Simulation | None = None,
) -> Run:
    """Run an agent once in a scenario, under a fault plan, and judge it.

    `agent` is a function of a world, sync or async (a `@fuzz` test without other fixtures works
    too). Raises PlanError for a plan that cannot be read or names an unknown tool,
    ScenarioError for a scenario that cannot be built.
    """
    wanted = FaultPlan.parse(plan)
    agent = getattr(agent, "agentfuzz_agent", agent)
    if simulation is None:
        with Simulation() as own:
            return run(scenario, agent, wanted, simulation=own)
    baseline = simulation.execute(scenario, agent, FromPlan())
    scenario.check(list(baseline.tools))
    check_plan(wanted, list(baseline.tools))
    history = baseline
    if wanted:
        history = simulation.execute(scenario, agent, FromPlan(wanted))
    return Run(history, wanted, scenario.judge(history, baseline))


def check_plan(plan: FaultPlan, tools: list[str]) -> None:
    """Raise PlanError when the plan names a tool that the world does not have."""
    for slot, _ in plan:
        if slot.boundary == "tool" and slot.name not in tools:
            raise PlanError(
                f"the plan {str(plan)!r} names the tool {slot.name!r}; this world has "
                f"{', '.join(tools) or 'none'}.{near_miss(slot.name, tools)}"
            )


def require_struck(plan: FaultPlan, history: History) -> None:
    """Raise PlanError when a fault of the plan never struck: such a run is no evidence."""
    struck = {event.slot for event in history.of(Struck)}
    missed = [str(slot) for slot, _ in plan if slot not in struck]
    if missed:
        crossed = [str(event.slot) for event in history.of(Called)]
        crossed += [str(event.slot) for event in history.of(ModelTurn)]
        raise PlanError(
            f"the plan {str(plan)!r} no longer applies: nothing happened at {', '.join(missed)}. "
            f"This run crossed: {', '.join(crossed[:20]) or 'nothing'}. Find the bug again with "
            "pytest --agentfuzz, or delete this test if its loop is gone."
        )


def compare_doors(
    scenario: Scenario, doors: Mapping[str, Agent], plan: str | FaultPlan = ""
) -> list[Verdict]:
    """One loop by several doors (sync, async, streamed) under one plan: the verdict of each door
    against the first one. Raises ScenarioError for fewer than two doors."""
    wanted = FaultPlan.parse(plan)
    if len(doors) < 2:
        raise ScenarioError(f"compare_doors needs two doors or more, got {list(doors)}.")
    with Simulation() as simulation:
        runs = {
            name: simulation.execute(
                scenario, getattr(agent, "agentfuzz_agent", agent), FromPlan(wanted)
            )
            for name, agent in doors.items()
        }
    (first, expected), *others = runs.items()
    check_plan(wanted, list(expected.tools))
    verdicts = []
    for name, history in others:
        found = tuple(differences(history, expected, door=name, than=first))
        law = f"same_by_every_door({name}, {first})"
        verdicts.append(Verdict(law, VIOLATED if found else HELD, found))
    return verdicts
