"""The law that no intent gets lost behind a success (AF103, AF108).

Law: what is answered or claimed as done stands in the ledger, under its own intent. Source:
CATALOGUE law E2; Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property"
(2026).
"""

from collections.abc import Iterable, Mapping

from agentfuzz.core.events import Called, Json, Replayed, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.wanted import declared, missing


@law(
    codes={
        "AF103": "Success is claimed and the effect is missing",
        "AF108": "Phantom success, or a swallowed second intent",
    },
    catalogue="E2",
)
def no_lost_intent(
    effect: str | None = None, *, intents: Iterable[Mapping[str, Json]] = ()
) -> Check:
    """What success claims has happened, and what was answered as applied has an effect behind it.

    AF103: an intent that a claim of success covers never happened. AF108: a call answered as
    applied or replayed has no effect of its own intent behind it (phantom success, swallowed second
    intent).

    `intents` needs `effect`. NOT_EXERCISED when no effectful call was answered and none claimed.
    """
    wanted = declared(effect, intents) if effect else []

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        called = {
            event.call: event
            for event in history.of(Called)
            if event.intent and effect in (None, event.intent.effect)
        }
        if not called and history.success is None:
            return None
        found = missing(history, baseline, effect, wanted)
        for reply in history.of(Replied):
            call = called.get(reply.call)
            if call is None or call.intent is None or reply.outcome not in ("applied", "replayed"):
                continue
            commits = history.effects.get(call.intent)
            if commits is None or commits[0].seq >= reply.seq:
                found.append(_swallowed(history, call, reply))
        return found

    return check


def _swallowed(history: History, call: Called, reply: Replied) -> Violation:
    tool, intent = call.slot.name, call.intent
    assert intent is not None, "only effectful calls are asked"
    replays = [event for event in history.of(Replayed) if event.call == call.call]
    sentence = f"{tool} answered {reply.outcome}, and {intent} had not happened."
    if replays:
        sentence = (
            f"{tool} answered {intent} with the reply of another effect "
            f"({replays[-1].effect_id}): two intents, one key."
        )
    return Violation(
        code="AF108",
        subject=intent.effect,
        title=f"{tool} {reply.outcome}, 0 effects",
        sentence=sentence,
        says=f"{tool} answered {reply.outcome}",
        world=f"{intent} did not happen",
        witness=(call.seq, reply.seq),
        hint="put the business scope into the idempotency key, one key per intent",
    )
