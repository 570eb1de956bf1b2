"""The law that a handoff is accepted at its place and in its time (AF603).

Law: that a payload is stale is held against its receiver only where something newer had reached it
in the same leg: what it knew before it was called again is no matter of handoffs. A version of 0 is
none, and is not judged; nor is what arrives invalid. Part of every scenario. Source: CATALOGUE law
H3.
"""

from collections.abc import Iterator

from agentfuzz.core.between import HandoffAccepted, HandoffReceived, HandoffSent
from agentfuzz.core.history import History
from agentfuzz.core.lanes.layout import cut
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.arguing import argued, came, handed, what
from agentfuzz.invariants.queries.entitled import Held, begun_anew, reached
from agentfuzz.invariants.queries.teams import handoffs, task_of


@law(codes={"AF603": "A stale or misrouted handoff was accepted"}, catalogue="H3")
def latest_version() -> Check:
    """A handoff is accepted by whom it was sent to, in the latest version that reached it.

    Broken by an acceptance of what was sent to somebody else; of a version after a newer one of the
    same task, sent after it, had reached the same agent, which has not rejected that; and of an
    older version than was sent, by an agent that has accepted this one or a newer one before.

    NOT_EXERCISED when nothing was accepted.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not history.of(HandoffAccepted):
            return None
        return [
            violation
            for passed in handoffs(history)
            for arrival in passed.arrivals
            if arrival.accepted is not None and not arrival.received.problem
            for violation in _wrong(history, Held(passed, arrival))
        ]

    return check


def _wrong(history: History, held: Held) -> Iterator[Violation]:
    sent, got, yes = held.passed.sent, held.arrival.received, held.arrival.accepted
    assert yes is not None, "only what was accepted is asked about"
    if got.agent != sent.to:
        yield _violation(held, _astray(sent, got), f"it was meant for {sent.to}", ())
        return
    deed = f"{got.agent} accepted {what(sent, got.version)}{came(sent, got)}"
    newer = _newer(history, held, yes.seq)
    if newer is not None:
        other, accepted = newer.passed.sent, newer.arrival.accepted
        done = accepted is not None and accepted.seq < yes.seq
        how = f"{got.agent} had {'accepted' if done else 'got'}"
        witness = (newer.arrival.received.seq, accepted.seq if done and accepted else other.seq)
        again = " already" if newer.arrival.received.version == got.version else ""
        told = f"{how} version {newer.arrival.received.version} of it{again}"
        yield _violation(held, argued(handed(sent), deed, told), told, witness)


def _astray(sent: HandoffSent, got: HandoffReceived) -> str:
    return (
        f"{got.agent} accepted what was meant for {sent.to}: {handed(sent)}, and it arrived at "
        f"{got.agent} at {got.t:.1f} s."
    )


def _newer(history: History, held: Held, seq: int) -> Held | None:
    """What had reached the same agent of the same task, and makes this one stale."""
    sent, got = held.passed.sent, held.arrival.received
    stale = 0 < got.version < sent.version
    for one in reversed(reached(history)[got.agent]):
        other, yes = one.arrival.received, one.arrival.accepted
        if other.seq >= seq or one == held or other.problem or not got.version:
            continue
        if begun_anew(history, other.seq, seq):
            continue
        if task_of(one.passed.sent) != task_of(sent) or one.rejected_before(seq):
            continue
        later = one.passed.sent.seq > sent.seq  # else its sender counts anew
        if other.version > got.version and (later or stale):
            return one
        taken = yes is not None and yes.seq < seq
        if stale and taken and other.version == got.version:
            return one
    return None


def _violation(held: Held, sentence: str, objection: str, witness: tuple[int, ...]) -> Violation:
    sent, got, yes = held.passed.sent, held.arrival.received, held.arrival.accepted
    assert yes is not None, "only what was accepted is asked about"
    astray = got.agent != sent.to
    return Violation(
        code="AF603",
        subject=got.agent,
        title=cut(
            f"{got.agent} took {f'a handoff for {sent.to}' if astray else 'what was stale'}", 36
        ),
        sentence=sentence,
        says=f"{got.agent} accepted {what(sent, got.version)}",
        world=objection,
        witness=tuple(sorted({sent.seq, got.seq, *witness, yes.seq})),
        hint="check of every handoff whom it is for and which version it is, and reject what is "
        "for somebody else or not newer than what you have",
    )
