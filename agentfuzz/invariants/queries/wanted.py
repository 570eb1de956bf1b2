"""What had to happen, and what of it is missing although success is claimed (AF103).

Law: an author names an effect with some or all of its scope; where nobody names anything, the
fault-free run says what had to happen. Asked by the laws of lost effects and true claims.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from agentfuzz.core.codec import scope_value
from agentfuzz.core.events import Called, Done, Intent, Json
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.queries.ledgers import unmet
from agentfuzz.invariants.queries.model_alone import left_out
from agentfuzz.invariants.queries.requests import requests

# Reasons of a success that claim no more than what the fault-free run does.
NO_EFFECT_CLAIMED = ("already_done", "nothing_to_do")


def expected_something(history: History, baseline: History | None) -> bool:
    """Whether success without any effect refutes itself, where no intent is named: an effect was
    called for, or there is no fault-free run to say that none is needed."""
    claim = history.success
    if claim is not None and claim.reason in NO_EFFECT_CLAIMED:
        return False
    if baseline is None:
        return bool(effects_of(history))
    return any(call.intent for call in history.of(Called))


class Wanted(NamedTuple):
    """An intent that must happen, as an author writes it: some or all of the scope."""

    effect: str
    scope: Mapping[str, Json]

    def met_by(self, intents: Iterable[Intent]) -> bool:
        """Whether one of the intents is of this effect and has these scope values."""
        return any(
            self.effect == intent.effect and self.scope.items() <= dict(intent.scope).items()
            for intent in intents
        )

    def __str__(self) -> str:
        return str(Intent(self.effect, tuple(self.scope.items())))


def declared(effect: str, intents: Iterable[Mapping[str, Json]]) -> list[Wanted]:
    """Intents written by hand as scopes: `[{"order_id": "A17"}]`."""
    return [Wanted(effect, {n: scope_value(v) for n, v in scope.items()}) for scope in intents]


def missing(
    history: History, baseline: History | None, effect: str | None, wanted: list[Wanted]
) -> list[Violation]:
    """The intents that a claim of success covers and the ledger lacks: those that the author
    `wanted`, or those of the fault-free run; of this effect, or (None) of any."""
    claim = history.success
    if claim is None:
        return []
    told = claim.reason in NO_EFFECT_CLAIMED
    if baseline is not None and (told or not wanted):
        planned = [intent for intent in baseline.effects if effect in (None, intent.effect)]
        lacking = [one for one in unmet(history, baseline) if one in planned]
        wanted = [Wanted(one.effect, dict(one.scope)) for one in lacking]
        if planned and not wanted:
            return []  # all of it has happened
    elif told:
        wanted = []
    have = set(history.intents)
    if not wanted and not any(effect in (None, intent.effect) for intent in have):
        if effect is not None and not told:
            wanted = [Wanted(effect, {})]  # the author names it: success includes it
        elif effect is None and expected_something(history, baseline):
            wanted = [Wanted(name, {}) for name in effects_of(history)]
    absent = [intent for intent in wanted if not intent.met_by(have)]
    if len(requests(history)) > 1:
        absent = [intent for intent in absent if _claimed(intent, history, baseline)]
    return [_missed(history, claim, intent) for intent in absent]


def _claimed(intent: Wanted, history: History, baseline: History | None) -> bool:
    """Whether success is claimed for the request that an intent is part of without faults; where
    none is known, for every request."""
    asked = requests(history)
    if baseline is not None:
        made = {one.call for one in baseline.ledger if intent.met_by([one.intent])}
        for request, planned in zip(asked, requests(baseline), strict=False):
            if made & planned.calls.keys():
                return request.answer.claim == "success"
    return all(request.answer.claim == "success" for request in asked)


def _missed(history: History, claim: Done, intent: Wanted) -> Violation:
    told = left_out(history, lambda one: intent.met_by([one]))
    why, hint = told or (".", "claim success only after the effect's own receipt has been seen")
    return Violation(
        code="AF103",
        subject=intent.effect,
        title=f"{intent.effect} 0x, claimed success",
        sentence=f"The agent claims success and {intent} never happened{why}",
        says=f"{claim.status} ({claim.reason})",
        world=f"{intent} did not happen",
        witness=(claim.seq,),
        hint=hint,
    )


def effects_of(history: History) -> list[str]:
    """The effects that the scenario's tools declare."""
    return [facts.effect for facts in history.tools.values() if facts.effect]
