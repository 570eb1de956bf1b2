"""The law that a claim which is acted on rests on a source (AF604).

Law: a source is an id or a text that stands in the run before the handoff was sent; what an agent
reads itself before it acts needs none. Source: CATALOGUE law H4.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agentfuzz.core.between import HandoffAccepted, SharedRead
from agentfuzz.core.events import Committed, Json, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.arguing import argued, handed
from agentfuzz.invariants.queries.entitled import Held
from agentfuzz.invariants.queries.sources import knows, said_of_item
from agentfuzz.invariants.queries.teams import callers, handoffs, owned_by, task_of
from agentfuzz.invariants.queries.undoing import undoing


class Bad(NamedTuple):
    """A claim that does not stand: what it says, what is wrong with it, what shows that."""

    item: str
    value: Json
    wrong: str
    witness: tuple[int, ...]


@law(codes={"AF604": "A claim without evidence was acted on"}, catalogue="H4")
def evidence_resolves() -> Check:
    """No effect rests on a claim of a handoff whose source is missing or says otherwise.

    Of every claim in an accepted payload (an item of its field `claims`) the source is the id of a
    call, of an effect or of a handoff, or stands in an answer, a shared value, a message or the
    data of the run, before it was sent; the answer that it names has no other value in a field of
    the item's name; and the value is the one that was sent. Or the receiver causes no effect for
    the task, as long as this handoff is what it accepted last, before it has read for itself: with
    a tool that has no effect, or anything that names the item.

    NOT_EXERCISED when no payload with claims was accepted.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        with_claims = [
            Held(passed, arrival)
            for passed in handoffs(history)
            for arrival in passed.arrivals
            if arrival.accepted and not arrival.received.problem
            if any(_claims(arrival.received.payload))
        ]
        if not with_claims:
            return None
        return [
            _violation(held, bad, commit)
            for held in with_claims
            for bad in _bad(history, held)
            for commit in _acted(history, held, bad)
        ]

    return check


def _claims(payload: Json) -> Iterator[Mapping[str, Json]]:
    found = payload.get("claims") if isinstance(payload, Mapping) else None
    for one in found if isinstance(found, list) else ():
        if isinstance(one, Mapping) and isinstance(one.get("item"), str):
            yield one


def _bad(history: History, held: Held) -> Iterator[Bad]:
    sent = held.passed.sent
    meant = [(one["item"], one.get("value")) for one in _claims(sent.payload)]
    for claim in _claims(held.arrival.received.payload):
        item, value, source = claim["item"], claim.get("value"), claim.get("source")
        values = [was for name, was in meant if name == item]
        if not source:
            yield Bad(item, value, "it names no source", ())
        elif not knows(history, str(source), sent.seq):
            yield Bad(item, value, f"its source {source} is nowhere in the run", ())
        elif values and value not in values:
            yield Bad(item, value, f"{sent.sender or 'its sender'} had said {values[0]!r}", ())
        else:
            other = said_of_item(history, str(source), item, value, sent.seq)
            if other is not None:
                reply, told = other
                yield Bad(item, value, f"{source} says {told!r}", (reply.seq,))


def _acted(history: History, held: Held, bad: Bad) -> Iterator[Committed]:
    """The first effect that rests on it."""
    yes, by = held.arrival.accepted, callers(history)
    assert yes is not None, "only what was accepted is asked about"
    task = task_of(held.passed.sent)
    for commit in history.ledger:
        call = history.calls[commit.call]
        if by[call.call] != yes.agent or call.seq < yes.seq or undoing(history, commit.tool):
            continue
        last = [one for one in history.of(HandoffAccepted) if one.agent == yes.agent]
        if [one for one in last if one.seq < call.seq][-1] is not yes:
            return
        if task in owned_by(history, yes.agent, call.seq) and not _read(
            history, yes.agent, bad.item, held.arrival.received.seq, call.seq
        ):
            yield commit
        return


def _read(history: History, agent: str, item: str, after: int, before: int) -> bool:
    """Whether an agent has read for itself between two events."""
    for reply in history.of(Replied):
        call = history.calls.get(reply.call)
        if call is None or callers(history)[reply.call] != agent or reply.raised:
            continue
        looks = call.intent is None or item in str(reply.body)
        if looks and after < call.seq and reply.seq < before:
            return True
    return any(
        one.agent == agent and after < one.seq < before and item in f"{one.key} {one.value}"
        for one in history.of(SharedRead)
    )


def _violation(held: Held, bad: Bad, commit: Committed) -> Violation:
    sent, got, yes = held.passed.sent, held.arrival.received, held.arrival.accepted
    assert yes is not None, "only what was accepted is asked about"
    fact = f"{handed(sent)}, and {got.agent} accepted it with {bad.item} = {bad.value!r}"
    return Violation(
        code="AF604",
        subject=got.agent,
        title=titled(f"{got.agent}: acted on {bad.item} unproved"),
        sentence=argued(
            fact, f"{got.agent} did {commit.intent} without reading it again", bad.wrong
        ),
        says=f"{bad.item} = {bad.value!r}",
        world=bad.wrong,
        witness=tuple(sorted({*bad.witness, sent.seq, got.seq, yes.seq, commit.seq})),
        hint="hand over with each claim the id of the result that it rests on, and read again what "
        "an effect rests on before causing it",
    )
