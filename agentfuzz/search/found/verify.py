"""Confirming a counterexample: replay it, control it, find the place in the code.

Law: nothing is shown that did not happen twice, byte for byte, and nothing is called a cause
that was not left out once; what did not come back is set apart as two histories (AF904), and no
other finding is lost by it. Called by the campaign for every violation it keeps.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from agentfuzz.core.events import Committed
from agentfuzz.core.faults import Fault, Slot, part
from agentfuzz.core.findings import Control, Counterexample, Smaller, finding_id
from agentfuzz.core.history import History
from agentfuzz.core.locations import all_calls, of_violation, relative, shortened
from agentfuzz.core.parting import parting
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.engine import origin
from agentfuzz.search.found.enough import enough
from agentfuzz.search.runner import Runner
from agentfuzz.search.space import plan_of
from agentfuzz.search.two_histories import REPLAYS, hurried, two_histories
from agentfuzz.search.watched import unwatched

# What tells where the exception came from that is a finding, by its code.
_RAISED = {"AF900": "raised", "AF901": "died", "AF906": "asserted"}


class Found(NamedTuple):
    """A violation on its way to a counterexample: the plan, and the run that showed it."""

    law: str
    violation: Violation
    plan: FaultPlan
    phase: str
    history: History


class Shrunk(NamedTuple):
    """How a plan became as small as it is: its faults before, the runs it took, how many smaller
    ones there were, and others that showed the same."""

    faults_before: int
    runs: int = 0
    smaller: Smaller | None = None
    alike: tuple[str, ...] = ()


def confirmed(
    runner: Runner, found: Found, shrunk: Shrunk, over: Callable[[], bool] = bool
) -> Counterexample:
    """See `_confirmed`; nobody watches."""
    with unwatched(runner):
        return _confirmed(runner, found, shrunk, over)


def _confirmed(
    runner: Runner, found: Found, shrunk: Shrunk, over: Callable[[], bool] = bool
) -> Counterexample:
    """Replay a violation and control it; AF904 if it does not come back. Of an agent whose runs
    differ without any fault, what comes back in two replays or more is told, and in how many. When
    the time is `over`, one replay beside the run that showed it is all there is."""
    plan = runner.stories.told(found.plan)
    traced = _replayed(runner, found, plan, trace=True)
    raised = runner.simulation.origins.get(_RAISED.get(found.violation.code, ""))
    if not over():
        history = _replayed(runner, found, plan)
    else:  # a plan that was shrunk was run by that
        history = found.history if plan_of(found.history).over(plan.given) == plan else traced
    spun = runner.simulation.watchdog.stack if found.violation.code == "AF202" else []
    replays, showing = [history, traced], [_shown(runner, history, found)]
    if not runner.steady or showing[0] is None or parting(history, traced) is not None:
        replays += [_replayed(runner, found, plan) for _ in range(REPLAYS - 2) if not over()]
        showing += [_shown(runner, one, found) for one in replays[1:]]
        came = sum(one is not None for one in showing)
        runs = f"it was seen in {came} of {len(replays)} replays"
        if runner.steady or came < 2:
            return _lost(runner, found, replays, runs)
        violation = next(one for one in showing if one is not None)
        history = traced = replays[showing.index(violation)]
        violation = replace(violation, sentence=f"{violation.sentence} I{runs[1:]}.")
    else:
        assert showing[0] is not None, "it was asked above"
        violation = showing[0]
    without = [
        _control(runner, plan, slot, fault, violation)
        for slot, fault in plan
        if runner.steady and not over()  # one run without a fault says nothing of the next
    ]
    if violation.code == "AF900" and found.plan.given:
        hint = f"run it with these inputs: agentfuzz.run(scenario, agent, {str(plan)!r})"
        violation = replace(violation, hint=hint)
    baseline = history
    if len(plan) == 1 == len(without):
        baseline = without[0][1]  # the run without its only fault
    elif len(plan):
        same = FaultPlan(given=plan.given)
        baseline = (over() and runner.baseline(plan)) or runner.execute(same)[0]
    few = enough(runner, plan, history, violation.signature, over) if runner.steady else ""
    place = (raised and raised.place) or of_violation(traced, violation)
    return Counterexample(
        id=finding_id(runner.nodeid, violation, plan),
        nodeid=runner.nodeid,
        scenario=runner.scenario.name,
        task=runner.stories.of(plan)[0].task,
        law=found.law,
        violation=violation,
        plan=plan,
        history=history,
        baseline=baseline,
        phase=found.phase,
        faults_before=shrunk.faults_before,
        shrink_runs=shrunk.runs,
        controls=tuple(control for control, _ in without),
        location=relative(place, runner.root) if place else None,
        source=tuple(origin.at(place)) if place else (),
        called=all_calls(traced, runner.root),
        stack=shortened([relative(call, runner.root) for call in spun]),
        traceback=raised.told(runner.root) if raised else "",
        smaller=shrunk.smaller,
        alike=shrunk.alike,
        agents=len(history.agents) if plan.agents else 0,
        enough=few,
    )


def unconfirmed(runner: Runner, found: Found) -> Counterexample:
    """A violation as it was met, and nothing run for it: the campaign was interrupted."""
    violation = replace(
        found.violation,
        sentence=f"{found.violation.sentence} It was neither shrunk nor replayed: the campaign was "
        "interrupted.",
    )
    plan = runner.stories.told(found.plan)
    return Counterexample(
        id=finding_id(runner.nodeid, violation, plan),
        nodeid=runner.nodeid,
        scenario=runner.scenario.name,
        task=runner.stories.of(plan)[0].task,
        law=found.law,
        violation=violation,
        plan=plan,
        history=found.history,
        baseline=(len(plan) and runner.baseline(plan)) or found.history,
        phase=found.phase,
        faults_before=len(found.plan),
        shrink_runs=0,
        controls=(),
        location=None,
    )


def _replayed(runner: Runner, found: Found, plan: FaultPlan, *, trace: bool = False) -> History:
    """A replay; once more, if it was cut off where the run that showed it was not."""
    history, _ = runner.execute(plan, trace=trace)
    if hurried(history) and not hurried(found.history):
        history, _ = runner.execute(plan, trace=trace)
    return history


def _shown(runner: Runner, history: History, found: Found) -> Violation | None:
    """The same violation in another run of the same plan."""
    signature = found.violation.signature
    violations = runner.violations(history, found.plan)
    return next((one for one in violations if one.signature == signature), None)


def _lost(runner: Runner, found: Found, replays: list[History], runs: str) -> Counterexample:
    """It did not come back, or came back in another run."""
    first = found.history
    again = next((one for one in replays if parting(first, one) is not None), replays[0])
    return two_histories(
        runner, found.plan, first, again, runs=runs, lost=found.violation, phase=found.phase
    )


def _control(
    runner: Runner, plan: FaultPlan, slot: Slot, fault: Fault, violation: Violation
) -> tuple[Control, History]:
    """The run of a plan without one of its faults, and what it says of that."""
    without = plan.without(slot)
    history, _ = runner.execute(without)
    broken = any(v.signature == violation.signature for v in runner.violations(history, without))
    said = _effects(history, violation)
    return Control(part(slot, fault), str(without), broken, said), history


def _effects(history: History, violation: Violation) -> str:
    """`1 charge`; of all effects when the law is not about one."""
    names = [commit.intent.effect for commit in history.of(Committed)]
    if violation.subject in {facts.effect for facts in history.tools.values()}:
        return f"{names.count(violation.subject)} {violation.subject}"
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "no effect"
