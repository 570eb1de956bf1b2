"""The law about what an approval allows: one call, once, and only in time (AF409).

Law: a person who says yes says it to one call. Which call a decision moves is
`one_decision_one_interrupt`'s to judge; how often effects may follow, and until when, is judged
here. Source: CATALOGUE law A1.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agentfuzz.core.codec import scope_value
from agentfuzz.core.events import (
    Called,
    Cancelled,
    Committed,
    Decided,
    Done,
    Intent,
    Interrupted,
    Json,
)
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import KEY
from agentfuzz.invariants.queries.conversations import last_asked

_OVER = ("success", "failed", "cancelled")


class _Wait(NamedTuple):
    """What is known of a call that waits: the tool and its arguments, if a model asked for it."""

    interrupt: str
    call: str
    seq: int
    tool: str | None
    args: Mapping[str, Json] | None


class _Grant(NamedTuple):
    """The first yes to an interrupt; `void` says why it allows nothing, or is empty."""

    wait: _Wait
    seq: int
    void: str


@law(codes={"AF409": "An approval was used twice, too late, or not at all"}, catalogue="A1")
def approval_single_use(*tools: str) -> Check:
    """Each effect of these tools has a grant of its own, given before the call was made.

    A grant (the first yes to an interrupt, however often it is delivered) is for one call: the one
    with the id that it names, or the same tool with the same arguments under another id. It is good
    for one effect, and for none once its time was over, or it was refused, or the task was
    cancelled, or the leg that asked for it had ended in success, failed or cancelled.

    Without names: the calls that waited for a decision, in this run or in the one without faults,
    and others of the same intent. A call
    that bears no id may use any unused grant that does not name another tool or intent. One
    request that was delivered twice is `at_most_once`'s to judge. Subjects: the tool (no grant),
    `tool again` (a grant used twice), `tool late` (one that was void).

    NOT_EXERCISED when no such tool took effect and nothing was decided.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        waits, usual = _waits(history), _usual(baseline)
        grants = _grants(history, waits)
        governed = [
            (call, commit)
            for call, commit in _effects(history)
            if (
                call.slot.name in tools
                if tools
                else call.intent in usual or _waited(history, call, waits)
            )
        ]
        if not governed and not history.of(Decided):
            return None
        found: list[Violation] = []
        used: dict[str, Committed] = {}
        for call, commit in governed:
            fitting = [g for g in grants if g.seq < call.seq and _fits(history, g.wait, call)]
            good = [grant for grant in fitting if not grant.void]
            unused = [grant for grant in good if grant.wait.interrupt not in used]
            if unused:
                own = next((one for one in unused if one.wait.call == call.asked), unused[0])
                used[own.wait.interrupt] = commit
                continue
            if good:
                found.append(_again(good[-1], used[good[-1].wait.interrupt], commit))
            elif fitting:
                found.append(_too_late(fitting[-1], commit))
            else:
                found.append(_without(commit))
        return found

    return check


def _waits(history: History) -> list[_Wait]:
    found = []
    for event in history.of(Interrupted):
        ask = last_asked(history, event.call, event.seq)
        tool, args = (ask.tool, ask.arguments) if ask is not None else (None, None)
        made = next((call for call in history.of(Called) if call.asked == event.call), None)
        if tool is None and made is not None:
            tool = made.slot.name
        elif tool is None:  # the id that a call gets which has none of its own: tool_1
            tool = event.call.rpartition("_")[0]
            tool = tool if tool in history.tools else None
        known = args if isinstance(args, Mapping) else None
        found.append(_Wait(event.interrupt, event.call, event.seq, tool, known))
    return found


def _grants(history: History, waits: list[_Wait]) -> list[_Grant]:
    found: dict[str, _Grant] = {}
    said: dict[str, Decided] = {}
    for event in history.of(Decided):
        before = said.setdefault(event.interrupt, event)
        if event.value is None or event.value is False or event.interrupt in found:
            continue
        mine = [one for one in waits if one.interrupt == event.interrupt and one.seq < event.seq]
        wait = _Wait(event.interrupt, event.call, event.seq, None, None)
        wait = mine[-1]._replace(call=event.call) if mine else wait
        why = _void(history, wait, event)
        if before is not event:
            why = "the time for it was over" if before.value is None else "it had been refused"
        found[event.interrupt] = _Grant(wait, event.seq, why)
    return list(found.values())


def _void(history: History, wait: _Wait, decision: Decided) -> str:
    if any(wait.seq < stop.seq < decision.seq for stop in history.of(Cancelled)):
        return "the task had been cancelled"
    for event in history.leg_at(wait.seq):
        ended = type(event) is Done and not event.problem and event.status in _OVER
        if ended and wait.seq < event.seq < decision.seq:
            return "the task was over"
    return ""


def _effects(history: History) -> Iterator[tuple[Called, Committed]]:
    """The calls that took effect, each with its first commit."""
    first = {commit.call: commit for commit in reversed(history.ledger)}
    for commit in history.ledger:
        if commit is first[commit.call] and commit.call in history.calls:
            yield history.calls[commit.call], commit


def _waited(history: History, call: Called, waits: list[_Wait]) -> bool:
    """Whether a call, or its intent, waited for a decision before it was made."""
    for wait in waits:
        if wait.seq < call.seq and (
            wait.call == call.asked or call.intent in _intents(history, wait)
        ):
            return True
    return False


def _usual(baseline: History | None) -> set[Intent | None]:
    """The intents that waited for a decision in the run without faults."""
    if baseline is None:
        return set()
    waits = _waits(baseline)
    return {call.intent for call, _ in _effects(baseline) if _waited(baseline, call, waits)}


def _intents(history: History, wait: _Wait) -> list[Intent | None]:
    """What a waiting call is meant to cause: by its arguments, and by the calls made under its
    id."""
    found = [call.intent for call in history.of(Called) if call.asked == wait.call and call.intent]
    args = wait.args
    if args is not None:
        found += [
            call.intent
            for call in history.of(Called)
            if call.intent is not None
            and call.slot.name == wait.tool
            and all(scope_value(args[n]) == value for n, value in call.intent.scope if n in args)
        ]
    return [*found]


def _fits(history: History, wait: _Wait, call: Called) -> bool:
    """Whether a grant for this wait is one for this call."""
    if call.asked is not None and call.asked == wait.call:
        return True
    if wait.tool is not None and wait.tool != call.slot.name:
        return False
    if wait.args is not None:
        same_words = _plain(wait.args) == _plain(call.args)
        return same_words or (call.asked is None and call.intent in _intents(history, wait))
    return call.asked is None


def _plain(args: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in args.items() if name != KEY}


def _again(grant: _Grant, first: Committed, commit: Committed) -> Violation:
    tool = commit.tool
    return Violation(
        code="AF409",
        subject=f"{tool} again",
        title=f"{tool} ran 2x, approved once",
        sentence=(
            f"{grant.wait.interrupt} was granted once, {first.intent} took effect on it, and then "
            f"{commit.intent} took effect on the same grant."
        ),
        says=f"approved once ({grant.wait.interrupt})",
        world=f"{tool} took effect twice",
        witness=(grant.seq, first.seq, commit.seq),
        hint="use a grant up in the same step that reads it, and key the call by the approval's id",
    )


def _too_late(grant: _Grant, commit: Committed) -> Violation:
    tool = commit.tool
    return Violation(
        code="AF409",
        subject=f"{tool} late",
        title=f"{tool} ran on a void approval",
        sentence=(
            f"{commit.intent} took effect on a grant ({grant.wait.interrupt}) that allows nothing: "
            f"when it came, {grant.void}."
        ),
        says=f"granted ({grant.wait.interrupt})",
        world=grant.void,
        witness=(grant.wait.seq, grant.seq, commit.seq),
        hint=(
            "close an approval when it expires, is refused, or its task ends, and look before "
            "acting"
        ),
    )


def _without(commit: Committed) -> Violation:
    tool = commit.tool
    return Violation(
        code="AF409",
        subject=tool,
        title=f"{tool} ran without approval",
        sentence=(
            f"{commit.intent} took effect, and nobody had granted this call before it was made."
        ),
        says=f"{tool} took effect",
        world="no grant for this call",
        witness=(commit.seq,),
        hint="ask with the id of the call, execute the call under that id, and only after a yes",
    )
