"""Laws about effects: how often something really happened (AF101 to AF105, AF108).

Law: the ledger decides, by intent (an effect and its business scope), never by what arguments or
ids a model sent. Called by the run through `Invariant`. Source: CATALOGUE laws E1, E2, E4, E5;
Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
"""

from collections.abc import Iterable, Mapping

from agentfuzz.history import (
    Called,
    Committed,
    Done,
    History,
    Intent,
    Json,
    Replayed,
    Replied,
)
from agentfuzz.invariants._law import Check, law
from agentfuzz.verdict import Violation

# Reasons of a success that do not claim that this run caused the effect.
NO_EFFECT_CLAIMED = ("already_done", "nothing_to_do")


def claimed_success(history: History) -> Done | None:
    """The last valid Done if it claims success and that this run's effects exist."""
    valid = [done for done in history.of(Done) if not done.problem]
    if valid and valid[-1].status == "success" and valid[-1].reason not in NO_EFFECT_CLAIMED:
        return valid[-1]
    return None


def by_intent(ledger: Iterable[Committed]) -> dict[Intent, list[Committed]]:
    """The committed effects of each intent, in order of first commit."""
    grouped: dict[Intent, list[Committed]] = {}
    for event in ledger:
        grouped.setdefault(event.intent, []).append(event)
    return grouped


def declared(effect: str, intents: Iterable[Mapping[str, Json]]) -> list[Intent]:
    """Intents written by hand as scopes: `[{"order_id": "A17"}]`."""
    return [Intent(effect, tuple(scope.items())) for scope in intents]


def _duplicates(history: History, effect: str | None) -> list[Violation]:
    ledger = history.ledger
    if len(ledger) < 2:
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
                f"{len(calls)} call{'s' * again} of {tool}",
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
        committed = any(commit.intent.effect == effect for commit in history.ledger)
        claim = claimed_success(history)
        if not committed and claim is None:
            return None
        return _duplicates(history, effect) + _missing(history, baseline, claim, effect, wanted)

    return check


def _missing(
    history: History,
    baseline: History | None,
    claim: Done | None,
    effect: str | None,
    wanted: list[Intent],
) -> list[Violation]:
    """Intents that the claim of success covers and the ledger lacks."""
    if claim is None:
        return []
    have = {commit.intent for commit in history.ledger}
    need: list[Intent] = wanted
    if not need and baseline is not None:
        need = list(by_intent(baseline.ledger))
        need = [intent for intent in need if effect in (None, intent.effect)]
    if not need and not any(effect in (None, intent.effect) for intent in have):
        effects = [effect] if effect else effects_of(history)
        need = [Intent(name, ()) for name in effects]
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
        for intent in need
        if intent not in have
    ]


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


@law()
def no_blind_repeat(effect: str | None = None) -> Check:
    """E5: after an effectful call whose reply leaves its effect unknown, in flight or cut off,
    the same intent is not called again unless it carries the same key, its backend deduplicates
    by scope, or a full answer of a reading tool about that scope came in between.

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
                before, reply = doubt.pop(intent)
                if event.key is not None and event.key == before.key:
                    continue
                found.append(_blind(event, before, reply))
            elif type(event) is Replied:
                call = calls[event.call]
                facts = history.tools.get(call.slot.name)
                if call.intent is None:
                    if event.complete and event.raised is None:
                        _reconcile(doubt, call.args)
                elif effect in (None, call.intent.effect) and (
                    event.outcome in ("unknown", "in_flight") or not event.complete
                ):
                    exercised = True
                    if facts is None or facts.dedup != "scope":
                        doubt[call.intent] = (call, event)
        return found if exercised else None

    return check


def _reconcile(doubt: dict[Intent, tuple[Called, Replied]], args: Mapping[str, Json]) -> None:
    for intent in list(doubt):
        if intent.scope and all(args.get(name) == value for name, value in intent.scope):
            del doubt[intent]


def _blind(again: Called, before: Called, reply: Replied) -> Violation:
    tool = again.slot.name
    state = "cut off" if not reply.complete and reply.raised is None else reply.outcome
    return Violation(
        "AF104",
        before.intent.effect if before.intent else tool,
        f"{tool} repeated blindly",
        f"The outcome of {before.slot} was {state}; the agent called {tool} again for the same "
        "intent, with another key or none, without looking up what had happened.",
        f"{again.slot} is a fresh start",
        f"{before.slot} may have taken effect",
        (before.seq, reply.seq, again.seq),
        "reconcile first (look up by scope), or repeat with the same idempotency key",
    )


def _counts(history: History) -> dict[tuple[str, Intent], int]:
    counts: dict[tuple[str, Intent], int] = {}
    for commit in history.ledger:
        counts[commit.tool, commit.intent] = counts.get((commit.tool, commit.intent), 0) + 1
    return counts


@law(needs_baseline=True)
def replay_transparency() -> Check:
    """E4, the oracle that needs no declaration: under faults the ledger holds what it holds in
    the fault-free run, nothing more; and nothing less unless the ending says otherwise (another
    status than success, an exception, or being cut off). Compares effects and scopes.

    NOT_EXERCISED when neither run committed anything, and in the fault-free run itself.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        if history is baseline or not (history.ledger or baseline.ledger):
            return None
        now, then = _counts(history), _counts(baseline)
        if now == then:
            return []
        ended = history.ended
        returned = ended is not None and ended.how == "returned"
        silent = returned and history.claim in ("success", None)
        found = []
        for tool, intent in {**then, **now}:
            have, want = now.get((tool, intent), 0), then.get((tool, intent), 0)
            if have > want or (have < want and silent):
                found.append(_differs(history, tool, intent, have, want))
        return found

    return check


def _differs(history: History, tool: str, intent: Intent, have: int, want: int) -> Violation:
    commits = [event.seq for event in history.ledger if event.intent == intent]
    silent = "" if have > want else " and the answer does not say so"
    return Violation(
        "AF105",
        intent.effect,
        f"{tool} ran {have}x, fault-free {want}x",
        f"{intent} happened {have} times, {want} times in the run without faults{silent}.",
        history.claim or "no structured answer",
        f"{intent} {have}x instead of {want}x",
        tuple(commits) or (history.events[-1].seq,),
        "make a repeat recognisable (one key per intent), or end with an honest status",
    )
