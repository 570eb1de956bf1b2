"""The law that nothing takes effect twice (AF101, AF102).

Law: the ledger decides, by intent (an effect and its business scope), never by what arguments or
ids a model sent. Source: CATALOGUE law E1; Tian Pan, "Agent Idempotency Is an Orchestration
Contract, Not a Tool Property" (2026).
"""

from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.duplicates import duplicates
from agentfuzz.invariants.queries.outline import LEDGER, Resting


@law(
    codes={
        "AF101": "The effect happened again: the agent called again",
        "AF102": "One request was delivered more than once and not recognised",
    },
    catalogue="E1",
)
def at_most_once(effect: str | None = None) -> Check:
    """No intent takes effect more than once. `effect` None means every effect.

    NOT_EXERCISED when nothing was committed.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not (history.ledger if effect is None else _committed(history, effect)):
            return None
        return duplicates(history, effect)

    return Resting(check, LEDGER)


def _committed(history: History, effect: str) -> bool:
    return any(intent.effect == effect for intent in history.intents)
