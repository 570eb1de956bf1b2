"""The law that a repeat carries the key of the first attempt (AF106).

Law: one intent, one key, for as long as the task lives. Source: CATALOGUE law K1.
"""

from collections import defaultdict

from agentfuzz.core.events import Called, Intent
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import keyed_calls, refused
from agentfuzz.invariants.queries.undoing import taken_back


@law(codes={"AF106": "The key changed between attempts, or there is none"}, catalogue="K1")
def same_key_on_retry() -> Check:
    """Every call of one intent carries the same key. Two calls without a key break it too. What was
    taken back for good and is done anew is no repeat: its key would bring the old answer back; nor
    is what was begun anew after every attempt so far was refused (a 429).

    NOT_EXERCISED when no intent of a keyed tool was called twice.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        tried: dict[Intent, list[Called]] = {}
        found: list[Violation] = []
        exercised = False
        anew: defaultdict[Intent, list[int]] = defaultdict(list)
        for undo in taken_back(history):
            if undo.of is not None:
                anew[undo.of.intent].append(undo.commit.seq)
        for call in keyed_calls(history):
            assert call.intent is not None, "only effectful calls are keyed"
            attempts = tried.setdefault(call.intent, [])
            before = attempts[0] if attempts else call
            undone = any(before.seq < at < call.seq for at in anew[call.intent])
            attempts[:] = [] if undone else attempts
            if attempts:
                exercised = True
                same = call.key is not None and call.key == before.key
                if not same and not _all_refused(history, attempts):
                    found.append(_changed(before, call))
            attempts.append(call)
        return found if exercised else None

    return check


def _all_refused(history: History, attempts: list[Called]) -> bool:
    """Whether nothing came of any of these calls, as far as the agent was told."""
    replies = [history.replies.get(call.call) for call in attempts]
    return all(reply is not None and refused(reply) for reply in replies)


def _changed(before: Called, call: Called) -> Violation:
    tool = call.slot.name
    assert call.intent is not None, "only effectful calls are keyed"
    if before.key is None and call.key is None:
        what, title = "carries no idempotency key", f"{tool} repeated without a key"
    else:
        what, title = f"came with key {call.key!r} after {before.key!r}", f"{tool} changed its key"
    return Violation(
        code="AF106",
        subject=call.intent.effect,
        title=title,
        sentence=f"{call.intent} was called again and {what}: the backend cannot see the repeat.",
        says=f"{before.slot} key {before.key!r}",
        world=f"{call.slot} key {call.key!r}",
        witness=(before.seq, call.seq),
        hint="mint the key once per intent (run, step, tool, scope) and persist it before the call",
    )
