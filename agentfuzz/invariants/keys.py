"""Laws about idempotency keys (AF106, AF107).

Law: one intent, one key, for as long as the task lives; two intents, two keys. Called by the run
through `Invariant`. Source: CATALOGUE laws K1 and K2.
"""

from agentfuzz.core.events import Called, Intent
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law


def keyed_calls(history: History) -> list[Called]:
    """Calls of tools whose backend deduplicates by key."""
    keyed = {name for name, facts in history.tools.items() if facts.dedup == "key"}
    return [event for event in history.of(Called) if event.intent and event.slot.name in keyed]


@law()
def same_key_on_retry() -> Check:
    """K1: every call of one intent carries the same key. Two calls without a key break it too.

    NOT_EXERCISED when no intent of a keyed tool was called twice.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        first: dict[Intent, Called] = {}
        found: list[Violation] = []
        exercised = False
        for call in keyed_calls(history):
            assert call.intent is not None, "only effectful calls are keyed"
            before = first.setdefault(call.intent, call)
            if before is call:
                continue
            exercised = True
            if call.key is None or call.key != before.key:
                found.append(_changed(before, call))
        return found if exercised else None

    return check


def _changed(before: Called, call: Called) -> Violation:
    tool = call.slot.name
    assert call.intent is not None, "only effectful calls are keyed"
    if before.key is None and call.key is None:
        what, title = "carries no idempotency key", f"{tool} repeated without a key"
    else:
        what, title = f"came with key {call.key!r} after {before.key!r}", f"{tool} changed its key"
    return Violation(
        "AF106",
        call.intent.effect,
        title,
        f"{call.intent} was called again and {what}: the backend cannot see the repeat.",
        f"{before.slot} key {before.key!r}",
        f"{call.slot} key {call.key!r}",
        (before.seq, call.seq),
        "mint the key once per intent (run, step, tool, scope) and persist it before the call",
    )


@law()
def one_intent_per_key() -> Check:
    """K2: two intents never share a key.

    NOT_EXERCISED when fewer than two intents carried a key.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        owner: dict[str, Called] = {}
        intents: set[Intent] = set()
        found: list[Violation] = []
        for call in keyed_calls(history):
            if call.key is None or call.intent is None:
                continue
            intents.add(call.intent)
            before = owner.setdefault(call.key, call)
            if before.intent != call.intent:
                found.append(_shared(before, call))
        return found if len(intents) > 1 else None

    return check


def _shared(before: Called, call: Called) -> Violation:
    tool = call.slot.name
    assert call.intent is not None, "only effectful calls are keyed"
    return Violation(
        "AF107",
        call.intent.effect,
        f"{tool}: one key, two intents",
        f"{before.intent} and {call.intent} were sent with the same key {call.key!r}: "
        "the backend takes the second for a repeat of the first.",
        f"{call.slot} is {call.intent}",
        f"key {call.key!r} belongs to {before.intent}",
        (before.seq, call.seq),
        "put the business scope into the key",
    )
