"""What a call is about, and what came of it.

Law: pure functions of a history and its events; two calls are one logical call when their tool and
their arguments, apart from the key, are the same. Asked by the laws of every family.
"""

from collections.abc import Mapping

from agentfuzz.core.codec import dump, plain, scope_value
from agentfuzz.core.events import Called, Crashed, Intent, Json, Replied, Struck
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import History, query

KEY = "idempotency_key"  # the argument that is no part of what a call is about
Logical = tuple[str, str]  # the tool, and its arguments as canonical JSON
_DAMAGED = ("truncated", "ambiguous", "malformed", "wrong", "hostile")


def clean(reply: Replied) -> bool:
    """Whether a reply says, whole and without an error, that the call was carried out."""
    applied = reply.outcome in ("applied", "replayed")
    return applied and reply.complete and reply.raised is None


def doubtful(history: History, call: Called) -> bool:
    """Whether a call got a reply that a loop does well to distrust: one that is not the backend's
    own, that was cut off, or that does not say whether it was done. To repeat such a call, to tell
    the model of an error in its place, or to show less of it hides nothing.

    An exception leaves no such doubt: it is an error, and is told as one.
    """
    reply = history.replies.get(call.call)
    if reply is None or reply.raised is not None:
        return False
    return not reply.complete or reply.outcome == "in_flight" or call.slot in _damaged(history)


@query
def _damaged(history: History) -> set[Slot]:
    return struck_by(history, *_DAMAGED)


def died_between(history: History, start: int, end: int) -> bool:
    """Whether the agent's process died between two events: what it held in memory is gone."""
    return any(start < crash.seq < end for crash in history.of(Crashed))


def refused(reply: Replied) -> bool:
    """Whether a reply says that nothing was done: a refusal, or a 429. An agent may rely on that.
    If the plan had the request accepted all the same, the ledger knows and the agent does not: an
    effect that is there twice is there twice, and no other law holds it against anybody."""
    return reply.outcome == "failed"


def in_doubt(reply: Replied) -> bool:
    """Whether a reply leaves open what came of the call."""
    return reply.outcome in ("unknown", "in_flight") or not reply.complete


@query
def kept_quiet(history: History) -> set[str]:
    """The calls that were answered as refused: what came of them was kept from the agent."""
    return {reply.call for reply in history.of(Replied) if refused(reply)}


def struck_by(history: History, *words: str) -> set[Slot]:
    """The crossings that a fault struck with one of these values on its axes; any, without."""
    return {
        event.slot
        for event in history.of(Struck)
        if not words or set(event.fault.axes) & set(words)
    }


def looks_up(history: History, call: Called, intent: Intent) -> bool:
    """Whether a call reads, and names the whole scope of the intent."""
    return call.intent is None and names(history, call, intent)


def names(history: History, call: Called, intent: Intent) -> bool:
    """Whether the arguments of a call name the whole scope of an intent; where nobody named the
    scope, whether one of them does, or none of them could."""
    args = call.args
    if intent.effect in _derived(history):
        shared = [scope_value(args[name]) == value for name, value in intent.scope if name in args]
        return any(shared) or not shared
    return in_scope(args, intent)


def in_scope(arguments: Mapping[str, Json], intent: Intent) -> bool:
    """Whether arguments name the whole scope of an intent."""
    return all(scope_value(arguments.get(name)) == value for name, value in intent.scope)


@query
def _derived(history: History) -> set[str | None]:
    """The effects whose scope nobody named: every argument of the tool."""
    return {facts.effect for facts in history.tools.values() if facts.derived}


def logical_of(tool: str, arguments: Mapping[str, Json]) -> Logical:
    """One thing to do, however often it is tried: a tool, and its arguments apart from the key."""
    return tool, dump({name: plain(value) for name, value in arguments.items() if name != KEY})


def logical(call: Called) -> Logical:
    """What a call is an attempt at."""
    return logical_of(call.slot.name, call.args)


@query
def keyed_calls(history: History) -> list[Called]:
    """Calls of tools whose backend deduplicates by key."""
    keyed = {name for name, facts in history.tools.items() if facts.dedup == "key"}
    return [event for event in history.of(Called) if event.intent and event.slot.name in keyed]
