"""Laws about effects: how often something really happened (AF101 to AF105, AF108).

Law: the ledger decides, by intent (an effect and its business scope), never by what arguments or
ids a model sent. Called by the run through `Invariant`. Source: CATALOGUE laws E1, E2, E4, E5;
Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from agentfuzz.core.codec import scope_value
from agentfuzz.core.events import Called, Committed, Done, Intent, Json, Replayed, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law

# Reasons of a success that claim no more than what the fault-free run does.
NO_EFFECT_CLAIMED = ("already_done", "nothing_to_do")


def claimed_success(history: History) -> Done | None:
    """The last valid Done if it claims success."""
    for done in reversed(history.of(Done)):
        if not done.problem:
            return done if done.status == "success" else None
    return None


def expected_something(history: History, baseline: History | None) -> bool:
    """Whether success without any effect refutes itself, where no intent is named: an effect was
    called for, or there is no fault-free run to say that none is needed."""
    claim = claimed_success(history)
    if claim is not None and claim.reason in NO_EFFECT_CLAIMED:
        return False
    if baseline is None:
        return bool(effects_of(history))
    return any(call.intent for call in history.of(Called))


def by_intent(ledger: Iterable[Committed]) -> dict[Intent, list[Committed]]:
    """The committed effects of each intent, in order of first commit."""
    grouped: dict[Intent, list[Committed]] = {}
    for event in ledger:
        grouped.setdefault(event.intent, []).append(event)
    return grouped


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


def _duplicates(history: History, effect: str | None) -> list[Violation]:
    ledger = history.ledger
    if len(ledger) < 2 or len({commit.intent for commit in ledger}) == len(ledger):
        return []
    found = []
    for intent, commits in by_intent(ledger).items():
        if len(commits) < 2 or effect not in (None, intent.effect):
            continue
        tool, times = commits[-1].tool, len(commits)
        calls = list(dict.fromkeys(commit.call for commit in commits))
        again = len(calls) > 1
        if again:
            sentence = f"{intent} took effect {times} times: the agent called {tool} again."
            hint = _key_hint(history, calls, tool)
        else:
            sentence = (
                f"{intent} took effect {times} times: one request was delivered {times} times "
                f"and the backend of {tool} did not recognise it."
            )
            hint = (
                f"give {tool} an idempotency key, or let its backend deduplicate by scope "
                "(dedup='key' or dedup='scope')"
            )
        found.append(
            Violation(
                "AF101" if again else "AF102",
                intent.effect,
                f"{tool} ran {times}x, expected 1",
                sentence,
                f"{history.claim or 'no completion'} after {len(calls)} call{'s' * again}",
                f"{intent} happened {times} times",
                tuple(commit.seq for commit in commits),
                hint,
            )
        )
    return found


def _key_hint(history: History, calls: list[str], tool: str) -> str:
    facts = history.tools.get(tool)
    keys = [history.call(call).key for call in calls]
    if facts and facts.dedup == "none":
        return f"look up before calling again, or give {tool} an idempotency key"
    if any(key is None for key in keys):
        return "send one idempotency key per intent, minted before the first attempt"
    if len(set(keys)) > 1:
        return "mint the key once per intent, before the first attempt, and keep it for retries"
    return "the key outlived its dedup window; look up before calling again"


@law()
def at_most_once(effect: str | None = None) -> Check:
    """E1: no intent takes effect more than once. `effect` None means every effect.

    NOT_EXERCISED when nothing was committed.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not any(effect in (None, commit.intent.effect) for commit in history.ledger):
            return None
        return _duplicates(history, effect)

    return check


@law()
def exactly_once(effect: str, *, intents: Iterable[Mapping[str, Json]] = ()) -> Check:
    """E1 and E2 relative to the claim: never more than once, and at least once if the answer
    claims success. A loop that honestly ends `blocked` after a lost reply has kept the law.

    `intents` names the scopes that must happen (`[{"order_id": "A17"}]`); left out, those of the
    fault-free run, and without one, at least one commit of the effect.
    """
    wanted = declared(effect, intents)

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        have = [commit.intent for commit in history.ledger if commit.intent[0] == effect]
        claim = claimed_success(history)
        if not have and claim is None:
            return None
        if claim is None and len(have) == 1:
            return []
        return _duplicates(history, effect) + _missing(history, baseline, claim, effect, wanted)

    return check


def _missing(
    history: History,
    baseline: History | None,
    claim: Done | None,
    effect: str | None,
    wanted: list[Wanted],
) -> list[Violation]:
    """Intents that the claim of success covers and the ledger lacks."""
    if claim is None:
        return []
    have = {commit.intent for commit in history.ledger}
    told = claim.reason in NO_EFFECT_CLAIMED
    if baseline is not None and not (wanted and not told):
        wanted = _of_the_clean_run(baseline, effect)
    elif told:
        wanted = []
    if not wanted and not any(effect in (None, intent.effect) for intent in have):
        if effect is not None and not told:
            wanted = [Wanted(effect, {})]  # the author names it: success includes it
        elif effect is None and expected_something(history, baseline):
            wanted = [Wanted(name, {}) for name in effects_of(history)]
    return [
        Violation(
            "AF103",
            intent.effect,
            f"{intent.effect} 0x, claimed success",
            f"The agent claims success and {intent} never happened.",
            f"{claim.status} ({claim.reason})",
            f"{intent} did not happen",
            (claim.seq,),
            "claim success only after the effect's own receipt has been seen",
        )
        for intent in wanted
        if not intent.met_by(have)
    ]


_clean: dict[str | None, list[Wanted]] = {}
_clean_of: list[History] = []  # whose they are


def _of_the_clean_run(baseline: History, effect: str | None) -> list[Wanted]:
    """What the fault-free run did, read once in a campaign."""
    if not _clean_of or _clean_of[0] is not baseline:
        _clean.clear()
        _clean_of[:] = [baseline]
    found = _clean.get(effect)
    if found is None:
        known = by_intent(baseline.ledger)
        found = [Wanted(i.effect, dict(i.scope)) for i in known if effect in (None, i.effect)]
        _clean[effect] = found
    return found


def effects_of(history: History) -> list[str]:
    """The effects that the scenario's tools declare."""
    return [facts.effect for facts in history.tools.values() if facts.effect]


@law()
def no_lost_intent(
    effect: str | None = None, *, intents: Iterable[Mapping[str, Json]] = ()
) -> Check:
    """E2: what success claims has happened (AF103), and a call answered as applied or replayed
    has an effect of its own intent behind it (AF108: phantom success, swallowed second intent).

    `intents` needs `effect`. NOT_EXERCISED when no effectful call was answered and none claimed.
    """
    wanted = declared(effect, intents) if effect else []

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        claim = claimed_success(history)
        called = {
            event.call: event
            for event in history.of(Called)
            if event.intent and effect in (None, event.intent.effect)
        }
        if not called and claim is None:
            return None
        found = _missing(history, baseline, claim, effect, wanted)
        first: dict[Intent, int] = {}
        for commit in history.ledger:
            first.setdefault(commit.intent, commit.seq)
        for reply in history.of(Replied):
            call = called.get(reply.call)
            if call is None or reply.outcome not in ("applied", "replayed"):
                continue
            if first.get(call.intent, reply.seq) >= reply.seq:  # type: ignore[arg-type]
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
        "AF108",
        intent.effect,
        f"{tool} {reply.outcome}, 0 effects",
        sentence,
        f"{tool} answered {reply.outcome}",
        f"{intent} did not happen",
        (call.seq, reply.seq),
        "put the business scope into the idempotency key, one key per intent",
    )
