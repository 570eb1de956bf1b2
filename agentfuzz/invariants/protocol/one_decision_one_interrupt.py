"""The law that a decision moves the one call that it was made for (AF408).

Law: where a person decides, calls and decisions meet by id, never by order. Source: CATALOGUE law
P9, and the bugs behind it.
"""

from collections.abc import Iterator

from agentfuzz.core.events import Called, Decided, Interrupted, ModelTurn, Resumed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean, died_between, doubtful


@law(codes={"AF408": "A decision answered another interrupt"}, catalogue="P9")
def one_decision_one_interrupt() -> Check:
    """A decision moves the one call that it was made for, once.

    Every interrupt has an id of its own; a decision reaches the call that raised its interrupt; and
    an interrupted call is executed only after a decision for it that does not refuse, once for each
    interrupt, however often it was decided. To repeat it with the same key is no second execution;
    nor is it to try again what was answered with an error, or so that it leaves doubt, or what died
    with the process before it was answered, until it is decided again. A decision that a restarted
    process is told again is no new one.

    NOT_EXERCISED when nothing was interrupted and nothing decided.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        raised, decided = history.of(Interrupted), history.of(Decided)
        if not raised and not decided:
            return None
        found = list(_decisions(raised, decided))
        waits = {event.call for event in raised}
        used: set[str] = set()
        last = dict[str, Called]()
        for call in history.of(Called):
            if call.asked is None or call.asked not in waits:
                continue
            before, last[call.asked] = last.get(call.asked), call
            if before is not None and _tried_again(history, before, call):
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
        return found

    return check


def _tried_again(history: History, before: Called, call: Called) -> bool:
    """Whether a call is another attempt at one that came to nothing, or to nothing clear; or one
    that the backend recognises."""
    if call.key is not None and call.key == before.key:
        return True
    for one in history.of(Decided):
        since = one.call == call.asked and before.seq < one.seq < call.seq
        if since and not _told_again(history, one):
            return False
    reply = history.replies.get(before.call)
    if reply is None or reply.seq > call.seq:
        return died_between(history, before.seq, call.seq)
    return not clean(reply) or doubtful(history, before)


def _told_again(history: History, decision: Decided) -> bool:
    """Whether it is the decision with which a process that died is started again."""
    before = history.events[decision.seq - 1]
    return isinstance(before, Resumed) and before.why == "restart"


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
        code="AF408",
        subject="decision",
        title="decision for another interrupt",
        sentence=f"{sentence} The interrupt is {interrupt}.",
        says=f"decision for {interrupt}",
        world=world,
        witness=witness,
        hint=(
            "give each interrupt the id of its call, and match decisions by that id, never by order"
        ),
    )


def _undecided(interrupt: Interrupted, call: Called, granted: list[Decided]) -> Violation:
    tool = call.slot.name
    had = "the decision for it had been used up" if granted else "no decision allowed it"
    return Violation(
        code="AF408",
        subject=tool,
        title=f"{tool} ran undecided",
        sentence=f"{call.slot} was executed after it had been interrupted, and {had}.",
        says=f"waits for a decision ({interrupt.interrupt})",
        world=f"{call.slot} was executed",
        witness=(interrupt.seq, *(one.seq for one in granted[-1:]), call.seq),
        hint="execute an interrupted call once, after the decision that names it",
    )
