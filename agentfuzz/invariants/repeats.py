"""Laws about repeats: what may be called again, and what a repeat may leave behind (AF104, AF105).

Law: after an answer that leaves an effect in doubt, look before you leap; and whatever happens on
the way, the world ends up as it does without faults, or the answer says otherwise. Called by the
run through `Invariant`. Source: CATALOGUE laws E4 and E5.
"""

from agentfuzz.core.codec import scope_value
from agentfuzz.core.events import Called, Intent, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law
from agentfuzz.invariants.effects import by_intent


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
                before, reply = doubt[intent]
                if event.key is None or event.key != before.key:
                    found.append(_blind(event, before, reply))
                    del doubt[intent]  # said once
            elif type(event) is Replied:
                call = calls[event.call]
                intent, facts = call.intent, history.tools.get(call.slot.name)
                if intent is None:
                    if event.outcome == "applied" and event.complete and event.raised is None:
                        _reconcile(doubt, call)
                elif effect not in (None, intent.effect):
                    continue
                elif event.outcome in ("unknown", "in_flight") or not event.complete:
                    exercised = True
                    if facts is None or facts.dedup != "scope":
                        doubt[intent] = (call, event)
                elif event.outcome in ("applied", "replayed"):
                    doubt.pop(intent, None)
        return found if exercised else None

    return check


def _reconcile(doubt: dict[Intent, tuple[Called, Replied]], look_up: Called) -> None:
    """A full answer to a look-up, asked after the doubt arose, about the scope of the intent."""
    for intent, (_, reply) in list(doubt.items()):
        named = all(scope_value(look_up.args.get(name)) == value for name, value in intent.scope)
        if named and look_up.seq > reply.seq:
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


def _counts(history: History) -> dict[Intent, int]:
    return {intent: len(commits) for intent, commits in by_intent(history.ledger).items()}


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
        tools = {commit.intent: commit.tool for commit in (*baseline.ledger, *history.ledger)}
        for intent, tool in tools.items():
            have, want = now.get(intent, 0), then.get(intent, 0)
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
