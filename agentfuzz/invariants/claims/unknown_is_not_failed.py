"""The law about the third answer: applied, not applied, or not known (AF307).

Law: a deadline that has expired is no failure, and what is not known is said to be not known.
Source: CATALOGUE law E6; Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool
Property" (2026).
"""

from collections.abc import Iterator

from agentfuzz.core.events import OUTCOMES, Called, Committed, Done, Intent, Replayed, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean, in_doubt, looks_up, struck_by
from agentfuzz.invariants.queries.conversations import asked_by_model
from agentfuzz.invariants.queries.texts import words_of
from agentfuzz.invariants.queries.undoing import named, undoing, undone


@law(codes={"AF307": "An unknown outcome was told as failed"}, catalogue="E6")
def unknown_is_not_failed() -> Check:
    """What is not known is not told as failed.

    Every reply of a write has an outcome of the closed set, and one that says applied or replayed
    has an effect behind it; and where the last word on an intent was unknown or in flight, and the
    effect is in the ledger after all, the completion does not say `failed`. `blocked` and `partial`
    are honest. The last word is the last reply of a write of the intent, unless a full answer of a
    reading tool about that scope came after it. An effect that had been taken back (`undoes`) by
    then is no longer there, and an undo in doubt may be told as failed by an answer that names what
    it was to take back.

    Departs from the catalogue: a reply that a fault forged (a lying tool, a hostile text) is not
    held against the loop, and a completion is judged by the ledger, not by what the backend could
    have proved: saying `failed` of what did not happen was a guess, and right. A call of the done
    tool in the model's own words is the model's guess, not the loop's.

    NOT_EXERCISED when no write was left unknown or in flight.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        found = list(_vocabulary(history))
        found += _taken_for_failures(history)
        exercised = any(
            in_doubt(reply) and history.calls[reply.call].intent is not None
            for reply in history.of(Replied)
        )
        return found if exercised or found else None

    return check


def _vocabulary(history: History) -> Iterator[Violation]:
    behind: dict[str, int] = {}
    for event in history.events:
        if isinstance(event, (Committed, Replayed)):
            behind.setdefault(event.call, event.seq)
    forged = struck_by(history)
    for reply in history.of(Replied):
        call = history.calls[reply.call]
        if call.intent is None:
            continue
        if reply.outcome not in OUTCOMES:
            yield _no_word(call, reply, f"{reply.outcome!r} is none of {', '.join(OUTCOMES)}")
            continue
        grounded = behind.get(call.call, reply.seq) < reply.seq or call.slot in forged
        if reply.outcome in ("applied", "replayed") and not grounded:
            yield _no_word(call, reply, "no effect stands behind it")


def _no_word(call: Called, reply: Replied, why: str) -> Violation:
    tool = call.slot.name
    return Violation(
        code="AF307",
        subject=tool,
        title=f"{tool}: outcome without ground",
        sentence=f"{call.slot} was answered {reply.outcome!r}, and {why}.",
        says=f"answered {reply.outcome!r}",
        world=why,
        witness=(call.seq, reply.seq),
        hint="answer every write with applied, replayed, in_flight, unknown or failed, as it is",
    )


def _taken_for_failures(history: History) -> Iterator[Violation]:
    doubts: dict[Intent, list[tuple[Called, Replied]]] = {}
    commits = {commit.call: commit for commit in reversed(history.ledger)}
    hostile = struck_by(history, "hostile")
    for event in history.events:
        if type(event) is Replied:
            call = history.calls[event.call]
            if call.intent is None:
                if clean(event):
                    _settle(history, doubts, call)
            elif event.outcome in ("applied", "replayed"):
                doubts.pop(call.intent, None)
            elif in_doubt(event) and call.slot not in hostile:
                doubts.setdefault(call.intent, []).append((call, event))
        elif type(event) is Done and not event.problem:
            if event.status == "failed" and doubts and not asked_by_model(history, event):
                said = [*words_of(event.handle), *words_of(event.detail)]
                gone = undone(history, event.seq)
                there = {call: commit for call, commit in commits.items() if commit.seq not in gone}
                for open_ones in doubts.values():
                    yield from _happened(history, open_ones, there, event, said)
            doubts.clear()  # said once, whatever was said


def _settle(
    history: History, doubts: dict[Intent, list[tuple[Called, Replied]]], look_up: Called
) -> None:
    for intent, open_ones in list(doubts.items()):
        if looks_up(history, look_up, intent) and look_up.seq > open_ones[-1][1].seq:
            del doubts[intent]


def _happened(
    history: History,
    doubts: list[tuple[Called, Replied]],
    commits: dict[str, Committed],
    done: Done,
    said: list[str],
) -> Iterator[Violation]:
    """The first call of an intent that was left in doubt and took effect."""
    for call, reply in doubts:
        commit = commits.get(call.call)
        if commit is None or (undoing(history, commit.tool) and named(history, commit, said)):
            continue
        yield Violation(
            code="AF307",
            subject=commit.intent.effect,
            title=f"{commit.intent.effect} happened, told failed",
            sentence=(
                f"The outcome of {call.slot} was {reply.outcome}, and nobody looked it up; the "
                f"agent said failed, and {commit.intent} took effect."
            ),
            says=f"{done.status} ({done.reason})",
            world=f"{commit.intent} is in the ledger",
            witness=tuple(sorted((commit.seq, reply.seq, done.seq))),
            hint="look it up before you answer, or end with blocked, reason outcome_unknown",
        )
        return
