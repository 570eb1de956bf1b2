"""What only the model did: it asked again under a fresh id, or left a step out.

Law: pure functions of a history. A loop cannot see that a second call is a repeat unless a key says
so, or that a closing comes too early unless a done event does; what would mend it is said with the
finding. Asked by the laws of effects that happened too often or not at all.
"""

from collections.abc import Callable

from agentfuzz.core.events import Called, Committed, Intent, Struck
from agentfuzz.core.history import History
from agentfuzz.invariants.queries.calls import clean, in_scope
from agentfuzz.invariants.queries.conversations import asked_for

_AGAIN = ("repeat", "drift", "loop", "fan_out", "mixed_done")
_LEFT_OUT = ("skip", "mixed_done")
Told = tuple[str, str]  # the end of a sentence, and the hint


def asked_again(history: History, commits: list[Committed]) -> Told | None:
    """How to tell of a repeat that nobody but the model is behind: nothing else was struck, the
    model asked for each of the calls, and the ones before were answered well."""
    intent, tool = commits[0].intent, commits[-1].tool
    calls = list(dict.fromkeys(commit.call for commit in commits))
    ids = [
        asked.id
        for asked in asked_for(history)
        if asked.tool == tool and not isinstance(asked.arguments, str)
        if in_scope(asked.arguments, intent)
    ]
    before = [history.replies.get(call) for call in calls[:-1]]
    well = bool(before) and all(reply is not None and clean(reply) for reply in before)
    if not _only(history, _AGAIN) or not well or len(set(ids)) < len(calls):
        return None
    return (
        f": the model asked for it {len(ids)} times, under fresh ids ({', '.join(ids[:3])}"
        f"{', ...' if len(ids) > 3 else ''}), and the loop carried out {len(calls)}.",
        f"no loop can tell a repeat by its id: give {tool} one key for each intent, made of the "
        "run and its scope (dedup='key'), or end the task at a done event, before the model can "
        "ask again",
    )


def left_out(history: History, is_it: Callable[[Intent], bool]) -> Told | None:
    """How to tell of an effect that the model never asked for: nothing else was struck."""
    called = (call.intent for call in history.of(Called) if call.intent is not None)
    if not _only(history, _LEFT_OUT) or any(map(is_it, called)):
        return None
    return (
        ": the model closed without asking for it, and the answer does not say so.",
        "no loop can tell by its words that a model has left a step out: take a done event "
        "(`world.tools.done`) for the end, no closing, and let success rest on the receipts of "
        "what was to be done",
    )


def _only(history: History, kinds: tuple[str, ...]) -> bool:
    """Whether nothing but the model was struck, by one of these faults."""
    struck = history.of(Struck)
    return bool(struck) and all(
        one.slot.boundary == "model" and one.fault.axes[0] in kinds for one in struck
    )
