"""The law about what may be called again (AF104).

Law: after an answer that leaves an effect in doubt, look before you leap. Source: CATALOGUE law
E5.
"""

from agentfuzz.core.events import Called, Intent, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean, in_doubt, names
from agentfuzz.invariants.queries.under_way import looked_up, under_way
from agentfuzz.invariants.queries.undoing import taken_back


@law(codes={"AF104": "Blind repeat: called again while the outcome was in doubt"}, catalogue="E5")
def no_blind_repeat(effect: str | None = None) -> Check:
    """A write whose outcome is in doubt is not called again blindly.

    After an effectful call whose reply leaves its effect unknown, in flight or cut off, the same
    intent is not called again unless it carries the same key, its backend deduplicates by scope, or
    a full answer of a reading tool about that scope, or a confirmed undo of it, came in between. An
    answer that comes while a request is still under way, and arrives later, says nothing of it.

    NOT_EXERCISED when no effectful call was left in doubt. A 429 is no doubt: it says failed.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        doubt: dict[Intent, tuple[Called, Replied]] = {}
        calls: dict[str, Called] = {}
        exercised = False
        found: list[Violation] = []
        for event in history.events:
            if type(event) is Called:
                calls[event.call] = event
                intent = event.intent
                if intent is None or intent not in doubt:
                    continue
                before, reply = doubt[intent]
                if event.key is None or event.key != before.key:
                    found.append(_blind(history, event, before, reply))
                    del doubt[intent]  # said once
            elif type(event) is Replied:
                call = calls[event.call]
                if doubt and clean(event):
                    _undone(doubt, history, call)
                intent, facts = call.intent, history.tools.get(call.slot.name)
                if intent is None:
                    if clean(event):
                        _reconcile(history, doubt, call)
                elif effect not in (None, intent.effect):
                    continue
                elif in_doubt(event):
                    exercised = True
                    if facts is None or facts.dedup != "scope":
                        doubt[intent] = (call, event)
                elif event.outcome in ("applied", "replayed"):
                    doubt.pop(intent, None)
        return found if exercised else None

    return check


def _reconcile(
    history: History, doubt: dict[Intent, tuple[Called, Replied]], look_up: Called
) -> None:
    """A full answer to a look-up, asked after the doubt arose, about the scope of the intent."""
    for intent, (_, reply) in list(doubt.items()):
        asked_about = names(history, look_up, intent) and look_up.seq > reply.seq
        if asked_about and not under_way(history, intent, look_up.seq):
            del doubt[intent]


def _undone(doubt: dict[Intent, tuple[Called, Replied]], history: History, call: Called) -> None:
    """A confirmed undo: what may have been done is there no more."""
    for undo in taken_back(history):
        if undo.of is not None and undo.call.call == call.call:
            doubt.pop(undo.of.intent, None)


def _blind(history: History, again: Called, before: Called, reply: Replied) -> Violation:
    tool, intent = again.slot.name, again.intent
    assert intent is not None, "only effects are repeated blindly"
    early = looked_up(history, intent, reply.seq, again.seq)
    how = "and a look-up came too early" if early else "without looking up what had happened"
    state = "cut off" if not reply.complete and reply.raised is None else reply.outcome
    return Violation(
        code="AF104",
        subject=intent.effect,
        title=f"{tool} repeated blindly",
        sentence=(
            f"The outcome of {before.slot} was {state}; the agent called {tool} again for the same "
            f"intent, with another key or none, {how}."
        ),
        says=f"{again.slot} is a fresh start",
        world=f"{before.slot} may have taken effect",
        witness=(before.seq, reply.seq, again.seq),
        hint="reconcile first (look up by scope, once nothing can arrive any more), or repeat with "
        "the same idempotency key",
    )
