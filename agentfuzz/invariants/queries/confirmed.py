"""When an agent knew that an effect had happened, and when it knew that it had been taken back.

Law: pure functions of a history. An agent knows of an effect by a whole reply to a call for it, or
by a whole answer of a reading tool that was asked about its scope when it had happened. Asked by
the laws about effects that rest on others.
"""

from collections.abc import Iterator

from agentfuzz.core.events import Called, Committed, Intent
from agentfuzz.core.history import History
from agentfuzz.invariants.queries.calls import clean, looks_up, struck_by


def alike(history: History, one: Intent, other: Intent) -> bool:
    """Whether two intents may be about the same thing: where their scopes share a name, they have
    the same value there; one of them, where nobody named the scope of both."""
    mine, its = dict(one.scope), dict(other.scope)
    shared = [mine[name] == its[name] for name in mine.keys() & its.keys()]
    derived = {facts.effect for facts in history.tools.values() if facts.derived}
    return not shared or (any if derived & {one.effect, other.effect} else all)(shared)


def confirmations(history: History, effect: str, about: Intent) -> Iterator[int]:
    """The events at which an agent was told that such an effect had happened."""
    happened: dict[Intent, int] = {}
    for commit in history.ledger:
        if commit.intent.effect == effect and alike(history, commit.intent, about):
            happened.setdefault(commit.intent, commit.seq)
    false = struck_by(history, "wrong")
    for call in history.of(Called):
        reply = history.replies.get(call.call)
        if reply is None or reply.raised is not None or not reply.complete:
            continue
        if reply.outcome not in ("applied", "replayed"):
            continue
        if call.intent is None:
            true = any(
                looks_up(history, call, one) and seq < reply.seq for one, seq in happened.items()
            )
            if true or call.slot in false:
                yield reply.seq
        elif call.intent.effect == effect and alike(history, call.intent, about):
            yield reply.seq


def all_confirmed(history: History, baseline: History | None) -> bool:
    """Whether the agent has a receipt of every effect of the fault-free run, of which there is one:
    it can claim success by them, whatever its model came to say."""
    wanted = set(baseline.effects) if baseline is not None else set()
    replies = history.replies
    have = {
        call.intent
        for call in history.of(Called)
        if call.intent in wanted and call.call in replies and clean(replies[call.call])
    }
    return bool(wanted) and have == wanted


def resting_on(history: History, commit: Committed, effect: str) -> list[Committed]:
    """The effects of this name, about the same thing, that had happened when a call was made."""
    made = history.calls[commit.call].seq
    return [
        one
        for one in history.ledger
        if one.seq < made
        and one.intent.effect == effect
        and alike(history, one.intent, commit.intent)
    ]
