"""The law that what is claimed has happened, and only once (AF101 to AF103).

Law: the ledger decides, by intent, and only a claim of success can be refuted by what is missing.
Source: CATALOGUE laws E1 and E2; Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a
Tool Property" (2026).
"""

from collections.abc import Iterable, Mapping

from agentfuzz.core.events import Json
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.duplicates import duplicates
from agentfuzz.invariants.queries.outline import LEDGER, Resting
from agentfuzz.invariants.queries.wanted import declared, missing


@law(
    codes={
        "AF101": "The effect happened again: the agent called again",
        "AF102": "One request was delivered more than once and not recognised",
        "AF103": "Success is claimed and the effect is missing",
    },
    catalogue="E1 E2",
)
def exactly_once(effect: str, *, intents: Iterable[Mapping[str, Json]] = ()) -> Check:
    """Every intent of the effect takes effect once if the answer claims success, and never more
    than once. A loop that honestly ends `blocked` after a lost reply has kept the law.

    `intents` names the scopes that must happen (`[{"order_id": "A17"}]`); left out, those of the
    fault-free run, and without one, at least one commit of the effect.
    """
    wanted = declared(effect, intents)

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        made = history.intents
        have = [intent for intent in made if intent[0] == effect]
        alike = baseline is not None and made == baseline.intents
        if have and alike and not (wanted or history.repeats):
            return []  # once each, as without faults
        claim = history.success
        if not have and claim is None:
            return None
        if claim is None and len(have) == 1:
            return []
        return duplicates(history, effect) + missing(history, baseline, effect, wanted)

    return Resting(check, LEDGER)
