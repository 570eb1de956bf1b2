"""The ending of a leg: how it came about, and the completion that the agent's answer stands for.

Law: an exception is read for what ended the run, however often a framework has wrapped it; and a
completion is written down once, whichever way it came. Called by the simulation.
"""

import asyncio
from typing import Any, NamedTuple

from agentfuzz.core.codec import described, message, plain
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import CutOff, ScenarioError
from agentfuzz.core.events import (
    Asserted,
    Cancelled,
    Done,
    Ended,
    Messaged,
    Resumed,
    Struck,
    Unheard,
    made,
)
from agentfuzz.core.history import History
from agentfuzz.engine.outcomes import Outcomes
from agentfuzz.engine.scenario import Scenario
from agentfuzz.runtime import unheard
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.process import Decision

_FACTS = ("status", "reason", "handle", "detail")  # of a completion


class Ending(NamedTuple):
    """How a leg ended: see `agentfuzz.core.events.Ended`."""

    how: str
    value: Any = None
    error: str = ""
    detail: str = ""
    asserted: bool = False


class Next(NamedTuple):
    """What the next leg of a run begins with."""

    why: str
    task: str = ""
    decision: Decision | None = None


def raised(exc: BaseException, gateway: LocalGateway, agent: object, outcomes: Outcomes) -> Ending:
    """How a leg of this agent ended that raised: frameworks wrap a CutOff, or trip over one that
    they took for a result."""
    if gateway.process.crashed_at is not None:
        if gateway.commands is not None:
            gateway.commands.died()
        return Ending("crashed")
    if inner := _cut_off_in(exc):
        return Ending("cut_off", None, inner.why, inner.detail)
    if gateway.calls.exhausted:
        return Ending("cut_off", None, "budget", f"more than {gateway.calls.budget} crossings")
    if failed := asserted(exc, gateway, agent, outcomes):
        return Ending("raised", None, type(failed).__name__, message(failed), True)
    how = "raised" if outcomes.ordinary(exc) else "died"
    if isinstance(exc, asyncio.CancelledError) and _was_stopped(gateway):
        how = "cancelled"
    if gateway.commands is not None and gateway.commands.ends(exc):
        how = "cancelled"
    return Ending(how, None, type(exc).__name__, message(exc))


def asserted(
    exc: BaseException, gateway: LocalGateway, agent: object, outcomes: Outcomes
) -> BaseException | None:
    """The assertion of the test itself by which an exception came about, written down."""
    failed = outcomes.assertion(exc, agent)
    if failed is None:
        return None
    gateway.log.write(Asserted, failed.function, failed.source, failed.text)
    return failed.error


def _was_stopped(gateway: LocalGateway) -> bool:
    return any(
        type(event) in (Cancelled, Messaged) and event.how == "task"
        for event in _of_this_leg(gateway)
    )


def _of_this_leg(gateway: LocalGateway) -> list[Any]:
    """The events of the leg that is running, from its beginning on."""
    if gateway.process.legs == 1:
        return gateway.log
    leg, now, found = gateway.leg, 1, []
    for event in gateway.log:
        if type(event) is Resumed:
            now = event.leg
        if now == leg:
            found.append(event)
    return found


def _cut_off_in(error: BaseException) -> CutOff | None:
    """The CutOff that a task group has wrapped."""
    if not isinstance(error, BaseExceptionGroup):
        return error if isinstance(error, CutOff) else None
    return next(filter(None, map(_cut_off_in, error.exceptions)), None)


def completed(scenario: Scenario, gateway: LocalGateway, value: Any) -> None:
    """Write down the Completion that the agent returned, or that its answer maps to. The done
    tool's event, handed on as it is, is not a second one."""
    said = [event for event in _of_this_leg(gateway) if type(event) is Done] if gateway.said else ()
    completion = value if type(value) is Completion or isinstance(value, Completion) else None
    if completion is None and scenario.outcome is not None and not said:
        try:
            completion = scenario.outcome(value)
        except CutOff:
            raise
        except BaseException as error:
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
    given, log = completion.__dict__, gateway.log
    status, reason, handle, detail = map(given.__getitem__, _FACTS)
    handle = None if handle is None else plain(handle)
    if (
        said
        and not said[-1].problem
        and (said[-1].status, said[-1].reason, said[-1].handle) == (status, reason, handle)
    ):
        return
    gateway.said = True
    detail = plain(detail) if detail else ""
    at = (len(log), gateway.clock.now, "return", status, reason, handle, "", detail)
    log.append(made(Done, at))


def mourned(gateway: LocalGateway) -> None:
    """Write down what died in a leg that has returned, and nobody heard of."""
    for kind, called, error in unheard.deaths():
        gateway.log.write(Unheard, kind, called, type(error).__name__, message(error))


def fails_at_once(history: History) -> bool:
    """Whether a run raised before anything had struck, as the run without faults would have."""
    ended = history.ended
    return ended is not None and ended.how == "raised" and not history.of(Struck)


def frozen(gateway: LocalGateway, ending: Ending) -> History:
    """The history of a run that is over: its last event says how. Raises what a cassette had no
    answer to, whatever the agent, or its client, made of that."""
    planner = None if gateway.model is None else getattr(gateway.model, "planner", None)
    if planner is not None and planner.missed is not None:
        raise planner.missed
    how, value, error, detail, _ = ending
    log, clock = gateway.log, gateway.clock
    gateway.calls.over()
    if how == "returned" and log.arriving:
        log.returned()
    if gateway.commands is not None:
        gateway.commands.over(how)
    if how == "cut_off" and error == "spinning":  # how far a busy wait came is the machine's affair
        clock.now = log[-1].t if log else 0.0
    at = (len(log), clock.now, how, value if how == "returned" else None, error, detail)
    log.append(made(Ended, at))
    history = History(log, gateway.facts)
    if gateway.commands is not None:
        history.waited = gateway.commands.waited
    asked = None if planner is None else getattr(planner, "questions", None)
    if asked is not None:
        history.questions = asked
    if log.named:
        history.agents = gateway.calls.disbanded()
    return history
