"""Confirming a counterexample: replay it, control it, find the place in the code.

Law: nothing is shown that did not happen twice, byte for byte, and nothing is called a cause
that was not left out once. Called by the campaign for every violation it keeps.
"""

from pathlib import Path
from typing import NamedTuple

from agentfuzz.core.codec import first_difference
from agentfuzz.core.errors import NondeterministicAgent
from agentfuzz.core.events import Committed
from agentfuzz.core.findings import Control, Counterexample, finding_id
from agentfuzz.core.history import History
from agentfuzz.core.locations import of_violation, relative, shortened
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.runtime import leaks
from agentfuzz.search.runner import Runner

# What tells where the exception came from that is a finding, by its code.
_RAISED = {"AF900": "raised", "AF901": "died", "AF906": "asserted"}


class Found(NamedTuple):
    """A violation on its way to a counterexample."""

    law: str
    violation: Violation
    plan: FaultPlan
    phase: str


def confirmed(runner: Runner, found: Found, faults_before: int, shrink_runs: int) -> Counterexample:
    """Replay a violation and control it. Raises NondeterministicAgent if it does not come back."""
    history, _ = runner.execute(found.plan)
    traced, _ = runner.execute(found.plan, trace=True)
    raised = runner.simulation.origins.get(_RAISED.get(found.violation.code, ""))
    spun = runner.simulation.watchdog.stack if found.violation.code == "AF202" else []
    stack = shortened([relative(call, runner.root) for call in spun])
    signature = found.violation.signature
    same = [v for v in runner.violations(history, found.plan) if v.signature == signature]
    difference = first_difference(history, traced)
    if difference or not same:
        raise NondeterministicAgent(
            f"AF904 {runner.nodeid}: {found.violation.code} {found.violation.title} under the "
            f"plan {str(found.plan)!r} did not come back on replay. "
            f"{difference or 'The same plan gave a run in which the law held.'}"
            f"{aside(runner.root)}"
        )
    violation = same[0]
    controls = tuple(
        _control(runner, found.plan, slot_fault, violation) for slot_fault in found.plan
    )
    baseline = runner.execute(FaultPlan())[0] if len(found.plan) else history
    return Counterexample(
        id=finding_id(runner.nodeid, violation, found.plan),
        nodeid=runner.nodeid,
        scenario=runner.scenario.name,
        task=runner.scenario.task,
        law=found.law,
        violation=violation,
        plan=found.plan,
        history=history,
        baseline=baseline,
        phase=found.phase,
        faults_before=faults_before,
        shrink_runs=shrink_runs,
        controls=controls,
        location=(raised and raised.location(runner.root))
        or of_violation(traced, violation, runner.root),
        stack=stack,
        traceback=raised.told(runner.root) if raised else "",
    )


def _control(
    runner: Runner, plan: FaultPlan, part: tuple[object, object], violation: Violation
) -> Control:
    slot, fault = part
    without = plan.without(slot)  # type: ignore[arg-type]
    history, _ = runner.execute(without)
    broken = any(v.signature == violation.signature for v in runner.violations(history, without))
    return Control(f"{slot}:{fault}", str(without), broken, _effects(history, violation))


def _effects(history: History, violation: Violation) -> str:
    """`1 charge`; of all effects when the law is not about one."""
    names = [commit.intent.effect for commit in history.of(Committed)]
    if violation.subject in {facts.effect for facts in history.tools.values()}:
        names = [name for name in names if name == violation.subject] or [violation.subject] * 0
        return f"{len(names)} {violation.subject}"
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "no effect"


def aside(root: Path) -> str:
    """What escaped control so far: in a run that does not come back, the suspects."""
    told = [escaped(one, root) for one in leaks.known()]
    return f" What escaped control: {'; '.join(told)}." if told else ""


def escapes(root: Path) -> tuple[str, ...]:
    """What escaped control since it was last asked for, each with its code."""
    return tuple(f"AF905 escapes control: {escaped(one, root)}" for one in leaks.taken())


def escaped(one: leaks.Escape, root: Path) -> str:
    """One escape: `socket.connect 10.0.0.1:443 at loop.py:12`."""
    what = f"{one.kind} {one.detail}".rstrip()
    if one.where is None:
        return what
    return f"{what} at {relative(one.where, root).rpartition(' ')[0]}"
