"""Confirming a counterexample: replay it, control it, find the place in the code.

Law: nothing is shown that did not happen twice, byte for byte, and nothing is called a cause
that was not left out once. Called by the campaign for every violation it keeps.
"""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agentfuzz import escapes
from agentfuzz.codec import dump, event_to_json
from agentfuzz.errors import NondeterministicAgent
from agentfuzz.faults import FaultPlan
from agentfuzz.history import Called, Committed, History
from agentfuzz.search.result import Control, Counterexample
from agentfuzz.verdict import Violation

if TYPE_CHECKING:
    from agentfuzz.search.campaign import Campaign

STACK = 30  # lines


class Found(NamedTuple):
    """A violation on its way to a counterexample."""

    law: str
    violation: Violation
    plan: FaultPlan
    phase: str


def confirmed(
    campaign: "Campaign", found: Found, faults_before: int, shrink_runs: int
) -> Counterexample:
    """Replay a violation and control it. Raises NondeterministicAgent if it does not come back."""
    history, _ = campaign.execute(found.plan)
    traced, _ = campaign.execute(found.plan, trace=True)
    spun = campaign.simulation.watchdog.stack if found.violation.code == "AF202" else []
    stack = shortened([relative(call, campaign.root) for call in spun])
    signature = found.violation.signature
    same = [v for v in campaign.violations(history) if v.signature == signature]
    difference = first_difference(history, traced)
    if difference or not same:
        raise NondeterministicAgent(
            f"AF904 {campaign.nodeid}: {found.violation.code} {found.violation.title} under the "
            f"plan {str(found.plan)!r} did not come back on replay. "
            f"{difference or 'The same plan gave a run in which the law held.'}"
            f"{aside(campaign.root)}"
        )
    violation = same[0]
    controls = tuple(
        _control(campaign, found.plan, slot_fault, violation) for slot_fault in found.plan
    )
    baseline = campaign.execute(FaultPlan())[0] if len(found.plan) else history
    return Counterexample(
        id=finding_id(campaign.nodeid, violation, found.plan),
        nodeid=campaign.nodeid,
        scenario=campaign.scenario.name,
        task=campaign.scenario.task,
        law=found.law,
        violation=violation,
        plan=found.plan,
        history=history,
        baseline=baseline,
        phase=found.phase,
        faults_before=faults_before,
        shrink_runs=shrink_runs,
        controls=controls,
        location=_location(traced, violation, campaign.root),
        stack=stack,
    )


def finding_id(nodeid: str, violation: Violation, plan: FaultPlan) -> str:
    """The same id for the same bug on every machine: no line numbers, no values, no time."""
    parts = (nodeid, violation.code, violation.subject, str(plan))
    return f"AF-{sha256(chr(0).join(parts).encode()).hexdigest()[:6]}"


def _control(
    campaign: "Campaign", plan: FaultPlan, part: tuple[object, object], violation: Violation
) -> Control:
    slot, fault = part
    without = plan.without(slot)  # type: ignore[arg-type]
    history, _ = campaign.execute(without)
    broken = any(v.signature == violation.signature for v in campaign.violations(history))
    return Control(f"{slot}:{fault}", str(without), broken, _effects(history, violation))


def _effects(history: History, violation: Violation) -> str:
    """`1 charge`; of all effects when the law is not about one."""
    names = [commit.intent.effect for commit in history.of(Committed)]
    if violation.subject in {facts.effect for facts in history.tools.values()}:
        names = [name for name in names if name == violation.subject] or [violation.subject] * 0
        return f"{len(names)} {violation.subject}"
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "no effect"


def first_difference(one: History, other: History) -> str:
    """Where two histories part, in a sentence, or an empty string. Code locations do not count."""
    for a, b in zip(one.events, other.events, strict=False):
        if type(a) is type(b) and a == b:
            continue
        left, right = (event_to_json(event) for event in (a, b))
        left.pop("where", None), right.pop("where", None)
        if dump(left) != dump(right):
            return (
                f"The first difference is event {a.seq}: {dump(left)[:200]} / {dump(right)[:200]}."
            )
    if len(one) != len(other):
        return f"One run has {len(one)} events, the other {len(other)}."
    return ""


def _location(history: History, violation: Violation, root: Path) -> str | None:
    """`path:line function` of the last call that the violation points at."""
    calls = {event.call: event for event in history.of(Called)}
    for seq in reversed(violation.witness):
        event = history.events[seq] if seq < len(history.events) else None
        call = calls.get(getattr(event, "call", ""))
        if call is not None and call.where:
            return relative(call.where, root)
    located = [event for event in history.of(Called) if event.where]
    return relative(located[-1].where or "", root) if located else None


def shortened(calls: list[str]) -> str:
    """A stack of at most STACK lines; of a long one (a recursion) the middle is left out."""
    if len(calls) > STACK:
        out = len(calls) - STACK + 1
        calls = [*calls[: STACK // 3], f"... {out} more", *calls[out + STACK // 3 :]]
    return "\n".join(calls)


def aside(root: Path) -> str:
    """What escaped control so far: in a run that does not come back, the suspects."""
    told = [escaped(one, root) for one in escapes.known()]
    return f" What escaped control: {'; '.join(told)}." if told else ""


def escaped(one: escapes.Escape, root: Path) -> str:
    """One escape: `socket.connect 10.0.0.1:443 at loop.py:12`."""
    what = f"{one.kind} {one.detail}".rstrip()
    if one.where is None:
        return what
    return f"{what} at {relative(one.where, root).rpartition(' ')[0]}"


def relative(where: str, root: Path) -> str:
    """A location with its path relative to the project, or only the file's name outside it."""
    path, _, rest = where.rpartition(":")
    try:
        return f"{Path(path).resolve().relative_to(root.resolve()).as_posix()}:{rest}"
    except ValueError:
        return f"{Path(path).name}:{rest}"
