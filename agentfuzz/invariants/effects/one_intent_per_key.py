"""The law that a key belongs to one intent (AF107).

Law: two intents, two keys, or the backend takes the second for a repeat of the first. Source:
CATALOGUE law K2.
"""

from agentfuzz.core.events import Called, Intent
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import keyed_calls


@law(codes={"AF107": "One key, two intents"}, catalogue="K2")
def one_intent_per_key() -> Check:
    """Two intents never share a key.

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
        code="AF107",
        subject=call.intent.effect,
        title=f"{tool}: one key, two intents",
        sentence=f"{before.intent} and {call.intent} were sent with the same key {call.key!r}: "
        "the backend takes the second for a repeat of the first.",
        says=f"{call.slot} is {call.intent}",
        world=f"key {call.key!r} belongs to {before.intent}",
        witness=(before.seq, call.seq),
        hint="put the business scope into the key",
    )
