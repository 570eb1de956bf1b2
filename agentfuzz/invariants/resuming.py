"""Laws about conversations that go on, after an ending or a decision (AF213, AF408).

Law: whatever a run ended with, the next leg of its conversation can begin; and where a person
decides, each decision moves the one call that it was made for. Called by the run through
`Invariant`. Source: CATALOGUE laws P7 and P9, and the bugs behind them.
"""

from collections.abc import Iterator

from agentfuzz.core.events import (
    Called,
    Decided,
    Interrupted,
    ModelInput,
    ModelTurn,
    Replied,
    Resumed,
    Struck,
)
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law
from agentfuzz.invariants._talk import bound, clean, replies


@law()
def continuable() -> Check:
    """P7: when a conversation is resumed after an ending of any kind, the first input of the new
    leg holds no call without a result, and the leg gets as far as a turn of the model. Legs that a
    fault struck may fail.

    NOT_EXERCISED when nothing was resumed.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        legs = history.of(Resumed)
        if not legs:
            return None
        found: list[Violation] = []
        for leg, following in zip(legs, [*legs[1:], None], strict=True):
            stop = len(history.events) if following is None else following.seq
            found += _leg(history, leg, stop, following is None)
        return found[:1]

    return check


def _leg(history: History, leg: Resumed, stop: int, is_last: bool) -> Iterator[Violation]:
    first = next((g for g in history.of(ModelInput) if leg.seq < g.seq < stop), None)
    if first is not None:
        items = list(bound(first))
        open_calls = [i for kind, i in items if kind == "call" and ("result", i) not in items]
        if open_calls:
            yield _stuck(leg, first.seq, f"the call {open_calls[0]} has no result")
            return
    said = [t for t in history.of(ModelTurn) if leg.seq < t.seq < stop and t.stop != "error"]
    struck = any(leg.seq < event.seq < stop for event in history.of(Struck))
    ended = history.ended
    if said or struck or not is_last or ended is None or ended.how == "returned":
        return
    yield _stuck(leg, ended.seq, f"it {_HOW[ended.how]} ({ended.error}) before any turn of a model")


_HOW = {
    "raised": "raised",
    "died": "died",
    "cancelled": "was cancelled",
    "crashed": "crashed",
    "cut_off": "was cut off",
}


def _stuck(leg: Resumed, seq: int, why: str) -> Violation:
    return Violation(
        "AF213",
        "conversation",
        "cannot be continued",
        f"The conversation was resumed ({leg.why}), and {why}.",
        f"resumed at {leg.t:g}s",
        why,
        (leg.seq, seq),
        "on every way out, give each open call a result before you keep the conversation",
    )


@law()
def one_decision_one_interrupt() -> Check:
    """P9: every interrupt has an id of its own; a decision reaches the call that raised its
    interrupt; and an interrupted call is executed only after a decision for it that does not
    refuse, once for each interrupt, however often it was decided. To try again what was answered
    with an error, or not clearly, is no second execution, until it is decided again.

    NOT_EXERCISED when nothing was interrupted and nothing decided.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        raised, decided = history.of(Interrupted), history.of(Decided)
        if not raised and not decided:
            return None
        found = list(_decisions(raised, decided))
        waits = {event.call for event in raised}
        used: set[str] = set()
        said, last = replies(history), dict[str, Called]()
        for call in history.of(Called):
            if call.asked is None or call.asked not in waits:
                continue
            before, last[call.asked] = last.get(call.asked), call
            if before is not None and _tried_again(before, call, said.get(before.call), decided):
                continue
            granted = [
                one
                for one in decided
                if one.call == call.asked and one.seq < call.seq and _grants(one)
            ]
            unused = [one for one in granted if one.interrupt not in used]
            interrupted = [one for one in raised if one.call == call.asked and one.seq < call.seq]
            if not interrupted or _asked_anew(history, interrupted[-1], call):
                continue
            if unused:
                used.add(unused[0].interrupt)
            else:
                found.append(_undecided(interrupted[-1], call, granted))
        return list({violation.signature: violation for violation in reversed(found)}.values())

    return check


def _tried_again(
    before: Called, call: Called, reply: Replied | None, decided: list[Decided]
) -> bool:
    """Whether a call is another attempt at one that came to nothing, or to nothing clear."""
    if reply is None or reply.seq > call.seq or clean(reply):
        return False
    return not any(d.call == call.asked and before.seq < d.seq < call.seq for d in decided)


def _grants(decision: Decided) -> bool:
    return decision.value is not None and decision.value is not False


def _asked_anew(history: History, interrupt: Interrupted, call: Called) -> bool:
    """Whether the model asked under this id again since: another call, another decision."""
    turns = history.of(ModelTurn)
    return any(
        interrupt.seq < turn.seq < call.seq and call.asked in [one[0] for one in turn.calls]
        for turn in turns
    )


def _decisions(raised: list[Interrupted], decided: list[Decided]) -> Iterator[Violation]:
    owner: dict[str, Interrupted] = {}
    for event in raised:
        first = owner.setdefault(event.interrupt, event)
        if first.call != event.call:
            yield _misdirected(
                event.interrupt,
                f"Two calls ({first.call} and {event.call}) wait under one interrupt.",
                f"{first.call} and {event.call}",
                (first.seq, event.seq),
            )
    for decision in decided:
        asked = owner.get(decision.interrupt)
        if asked is None or asked.seq > decision.seq:
            yield _misdirected(
                decision.interrupt,
                f"A decision reached {decision.call} for an interrupt that nobody had raised.",
                "no such interrupt",
                (decision.seq,),
            )
        elif decision.call not in [one.call for one in raised if one.interrupt == asked.interrupt]:
            yield _misdirected(
                decision.interrupt,
                f"The decision for {asked.call} was given to {decision.call}.",
                f"made for {asked.call}",
                (asked.seq, decision.seq),
            )


def _misdirected(interrupt: str, sentence: str, world: str, witness: tuple[int, ...]) -> Violation:
    return Violation(
        "AF408",
        "decision",
        "decision for another interrupt",
        f"{sentence} The interrupt is {interrupt}.",
        f"decision for {interrupt}",
        world,
        witness,
        "give each interrupt the id of its call, and match decisions by that id, never by order",
    )


def _undecided(interrupt: Interrupted, call: Called, granted: list[Decided]) -> Violation:
    tool = call.slot.name
    had = "the decision for it had been used up" if granted else "no decision allowed it"
    return Violation(
        "AF408",
        tool,
        f"{tool} ran undecided",
        f"{call.slot} was executed after it had been interrupted, and {had}.",
        f"waits for a decision ({interrupt.interrupt})",
        f"{call.slot} was executed",
        (interrupt.seq, *(one.seq for one in granted[-1:]), call.seq),
        "execute an interrupted call once, after the decision that names it",
    )
