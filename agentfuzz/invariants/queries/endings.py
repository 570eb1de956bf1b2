"""What the ending of a run is worth: who said the last word, and what it passes for.

Law: pure functions of a history; a run that returned passes for a success unless it says that it
is none. Asked by the laws of claims, protocol and termination.
"""

from collections.abc import Mapping

from agentfuzz.core.events import Done, Ended, Json
from agentfuzz.core.history import History


def closed_by_tool(history: History) -> Done | None:
    """The first valid completion by the done tool."""
    return next((done for done in history.completions if done.via == "tool"), None)


def passes_for_success(history: History) -> Ended | None:
    """The ending of a run that returned and does not say that the task is not done."""
    ended = history.ended
    if ended is None or ended.how != "returned" or history.claim not in ("success", None):
        return None
    return ended


def own_completion(ended: Ended) -> Mapping[str, Json] | None:
    """The Completion that the agent itself returned (not one mapped from its answer)."""
    value = ended.value
    fields = {"status", "reason", "handle", "detail"}
    return value if isinstance(value, Mapping) and fields == set(value) else None


def over_and_undone(history: History) -> int | None:
    """The event at which a run was over, if it said, or raised, that nothing came of it: then no
    effect may stand that can be undone."""
    ended = history.ended
    if ended is None or ended.how in ("cut_off", "crashed"):
        return None
    last = [done for done in history.final_leg if type(done) is Done and not done.problem]
    said = last or history.completions
    if ended.how != "returned" and not last:
        return ended.seq
    return said[-1].seq if said and said[-1].status in ("failed", "cancelled") else None
