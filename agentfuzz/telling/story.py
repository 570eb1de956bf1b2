"""The story: one counterexample in words and rows, the same for every format.

Law: a story says nothing that is not in its counterexample, and every format says nothing that
is not in the story, so that all formats agree. Pure; texts are raw and escaped by each format's
own sink. Every boundary says its faults; a fault that it does not know is shown as its plan text,
never hidden. Called by terminal, markdown, html and data.
"""

import json
from collections import Counter
from dataclasses import dataclass

from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.events import Called, Json, Refused
from agentfuzz.core.faults import Fault, Slot, part
from agentfuzz.core.findings import DIED, Control, Counterexample, Smaller
from agentfuzz.core.history import History
from agentfuzz.core.lanes import sequence
from agentfuzz.core.lanes.row import Row
from agentfuzz.core.lanes.words import count, effects_words, short
from agentfuzz.core.plan import FaultPlan
from agentfuzz.telling import commands
from agentfuzz.telling.said import says

_KEY = "idempotency_key"  # the argument's name by DESIGN.md
ALIKE = 4  # plans that are named
KNOWN = "The baseline of this project knows it: it fails no test."
NO_FAULT = "no fault needed: it happens in the plain run"


@dataclass(frozen=True, slots=True)
class FaultLine:
    """One fault of the plan: in words, and as its part of the plan text."""

    words: str
    plan: str


@dataclass(frozen=True, slots=True)
class Story:
    """What every format tells. `headline` is the one line; `warnings` weaken what is told and
    come first; `plain_rows` is the fault-free run, empty when the plan is empty."""

    id: str
    code: str
    headline: str
    title: str
    sentence: str
    nodeid: str
    scenario: str
    task: str
    law: str
    phase: str
    plan: str
    faults: tuple[FaultLine, ...]
    given: tuple[str, ...]  # the inputs of the run, a line each
    agents: str  # of a slice, who takes part
    shrink: str
    controls: tuple[str, ...]
    warnings: tuple[str, ...]
    rows: tuple[Row, ...]
    plain_rows: tuple[Row, ...]
    effects: str
    plain_effects: str
    same: str
    differs: str
    says: str
    world: str
    location: str
    source: tuple[str, ...]  # lines of the file there; none where the traceback has them
    stack: tuple[str, ...]
    traceback: tuple[str, ...]
    hint: str
    replay: str
    keep: str
    explain: str


def tell(cx: Counterexample) -> Story:
    """The story of a counterexample."""
    violation, history = cx.violation, cx.history
    same, differs = compared(history, violation.witness)
    faults = fault_lines(cx.plan)
    return Story(
        id=cx.id,
        code=cx.code,
        headline=f"{cx.code} {cx.title}",
        title=cx.title,
        sentence=violation.sentence,
        nodeid=cx.nodeid,
        scenario=cx.scenario,
        task=cx.task,
        law=cx.law,
        phase=cx.phase,
        plan=str(cx.plan),
        faults=faults,
        given=given_lines(cx.plan),
        agents=agents_line(cx.plan, cx.agents),
        shrink=_shrink(cx) if faults else _no_fault(cx.plan),
        controls=(*(_control(one, _effects(cx)) for one in cx.controls), *_enough(cx), *_alike(cx)),
        warnings=(
            *(_doubt(control) for control in cx.controls if control.broken),
            *[KNOWN] * bool(cx.known),
        ),
        rows=sequence.rows(history, violation.witness),
        plain_rows=sequence.rows(cx.baseline) if faults else (),
        effects=ledger_words(history),
        plain_effects=ledger_words(cx.baseline),
        same=same,
        differs=differs,
        says=says(violation.says, history),
        world=violation.world,
        location=cx.location or "",
        source=() if cx.traceback else cx.source,
        stack=tuple(cx.stack.splitlines()),
        traceback=tuple(cx.traceback.split("\n") if cx.traceback else ()),
        hint=advice(violation.hint, history),
        replay=commands.replay(cx),
        keep=commands.keep(cx),
        explain=f"pytest --agentfuzz-explain {cx.code}",
    )


def fault_words(slot: Slot, fault: Fault) -> str:
    """One fault as a phrase: `call 1 of charge_card: delivered once, reply lost in a timeout`."""
    boundary = BOUNDARIES.get(slot.boundary)
    return f"{slot}: {fault}" if boundary is None else boundary.phrase(slot, fault)


def fault_lines(plan: FaultPlan) -> tuple[FaultLine, ...]:
    """Every fault of a plan, in its order."""
    return tuple(FaultLine(fault_words(slot, fault), part(slot, fault)) for slot, fault in plan)


def given_lines(plan: FaultPlan) -> tuple[str, ...]:
    """Every input of a run: `order = "12"`."""
    inputs = plan.among(()).inputs
    return tuple(f"{name} = {json.dumps(value)}" for name, value in inputs.items())


def agents_line(plan: FaultPlan, among: int) -> str:
    """Who takes part in a slice, of how many: `2 of 1,000 agents: a1, a7`; empty for no slice."""
    if not plan.agents:
        return ""
    of = f" of {among:,}" if among else ""
    return f"{len(plan.agents):,}{of} agents: {', '.join(plan.agents)}"


def _no_fault(plan: FaultPlan) -> str:
    return f"{NO_FAULT} with these inputs" if plan.among(()).given else NO_FAULT


def ledger_words(history: History) -> str:
    """What a history's ledger holds, in short: `2 charge`."""
    return effects_words(Counter(commit.intent.effect for commit in history.ledger))


def advice(hint: str, history: History) -> str:
    """The hint of a violation; and, where an answer was taken for a refusal by its looks, which
    that was, and how to say otherwise."""
    read = next((event for event in history.of(Refused) if event.kind == "answered_no"), None)
    if read is None:
        return hint
    tool = history.calls[read.call].slot.name
    return (
        f"{hint}{'. ' * bool(hint)}The answer {read.detail[:80]} of {tool} was taken for a refusal "
        "without an effect; if it is none, say so: @world.tool(..., effect_if=lambda reply: ...)"
    )


def _shrink(cx: Counterexample) -> str:
    if cx.phase == DIED:
        return "not shrunk: each try could end the process"
    if cx.code == "AF904":
        return "not shrunk: the same plan gave two histories"
    runs = f" ({count(cx.shrink_runs, 'run')})" if cx.shrink_runs else ""
    if cx.faults_before > len(cx.plan):
        return f"smallest of {count(cx.faults_before, 'fault')}{runs}"
    if cx.smaller is not None:
        return _smaller(cx, cx.smaller)
    if cx.plan and not cx.controls:
        return "not shrunk, and not replayed"  # the campaign was interrupted
    if cx.phase.startswith("plans with") and not cx.plan.among(()).given:
        return "no smaller plan breaks it: all were run"
    return f"nothing smaller was found{runs}"


def _smaller(cx: Counterexample, known: Smaller) -> str:
    """What was done of smaller plans; of those with several faults, of those with fewer."""
    several = len(cx.plan) > 1
    if known.run == 1 and known.whole:
        return "there is no smaller plan"
    what = "plan with fewer faults" if several else "smaller plan"
    if not known.whole:
        return f"no {what} was found: {_were(known.run)} run before the budget ended"
    so = " by this cause" if known.others else ""
    done = f"all {_were(known.run)} run"
    if known.equivalent:
        done = f"{_were(known.run)} run, {known.equivalent:,} skipped as equivalent"
    tried = f"; nothing simpler was found ({count(cx.shrink_runs, 'run')})" if several else ""
    return f"no {what} breaks it{so}: {done}{tried}"


def _were(number: int) -> str:
    return f"{number:,} {'was' if number == 1 else 'were'}"


def _control(control: Control, effects: str) -> str:
    """What came of leaving a fault out; where the count is the same as with it, that the law
    held."""
    if control.broken:
        return f"Without {control.removed} the law is broken too: {control.effects} (checked)."
    held = " the law held" * (control.effects == effects)
    return f"Without {control.removed}{held}: {control.effects} (checked)."


def _effects(cx: Counterexample) -> str:
    """What was committed under the whole plan, counted as its controls count it."""
    names = Counter(commit.intent.effect for commit in cx.history.ledger)
    subject = cx.violation.subject
    if subject in {facts.effect for facts in cx.history.tools.values()}:
        return f"{names[subject]} {subject}"
    return effects_words(names)


def _enough(cx: Counterexample) -> list[str]:
    """Of everything being down, what it takes."""
    down = " and ".join(slot.name or slot.boundary for slot, _ in FaultPlan.parse(cx.enough))
    return [f"It takes no more than {down} being down: {cx.enough} (checked)."] * bool(down)


def _alike(cx: Counterexample) -> list[str]:
    """Other faults that showed the same: it is one bug, and told once."""
    if not cx.alike:
        return []
    here = next((part(slot, fault).removesuffix(fault.text) for slot, fault in cx.plan), "")
    named = [plan.removeprefix(here) for plan in cx.alike[:ALIKE]]
    more = len(cx.alike) - ALIKE
    return [f"Seen as well, not replayed: {', '.join(named)}{f', {more} more' * (more > 0)}."]


def _doubt(control: Control) -> str:
    return f"The fault {control.removed} is not the cause: without it the law is broken too."


def witness_calls(history: History, witness: tuple[int, ...]) -> list[Called]:
    """The calls on which the verdict rests, in order, each once."""
    by_id = {called.call: called for called in history.of(Called)}
    found: dict[str, Called] = {}
    for event in history.events:
        call = getattr(event, "call", None)
        if event.seq in witness and call in by_id:
            found.setdefault(call, by_id[call])
    return list(found.values())


def compared(history: History, witness: tuple[int, ...]) -> tuple[str, str]:
    """What the calls of one tool that a verdict rests on have in common, and where they differ."""
    calls = witness_calls(history, witness)
    if not calls or len({called.slot.name for called in calls}) > 1:
        return "", ""
    arguments = [_arguments(called) for called in calls]
    names = list(dict.fromkeys(name for args in arguments for name in args))
    equal = [n for n in names if all(n in a and a[n] == arguments[0].get(n) for a in arguments)]
    same = [f"{name}={_value(arguments[0][name])}" for name in equal]
    if len(calls) == 1:
        return " ".join([f"one call, {calls[0].slot}", *same]), ""
    differs = [
        f"{name} ({', '.join(_value(a[name]) if name in a else 'none' for a in arguments)})"
        for name in names
        if name not in equal
    ]
    asked = [called.asked or called.call for called in calls]
    if len(set(asked)) > 1:
        word = "tool call id" if any(called.asked for called in calls) else "call id"
        differs.append(f"{word} ({', '.join(asked)})")
    keys = [called.key for called in calls]
    if all(key is None for key in keys):
        word = "neither" if len(calls) == 2 else "none"
        differs.append(f"{word} sent an idempotency key")
    elif len(set(keys)) == 1:
        same.append(f"idempotency key {_value(keys[0])}")
    else:
        shown = ", ".join("none" if key is None else _value(key) for key in keys)
        differs.append(f"idempotency key ({shown})")
    if names and not any(name not in equal for name in names):
        same.insert(0, "arguments")
    return " ".join(same), "; ".join(differs)


def _arguments(called: Called) -> dict[str, Json]:
    """The arguments without the idempotency key, which is compared on its own."""
    return {name: value for name, value in called.args.items() if name != _KEY}


def _value(value: Json) -> str:
    return repr(value) if isinstance(value, str) and len(value) < 60 else short(value)
