"""Fitness: which runs can be remembered, and in which words it is said of the others.

Law: a run is remembered only if all that its agent could tell apart is on its tapes, and nothing
but the agent's own actions came of it. Asked by the memo of each run, real or answered.
"""

from typing import get_args

from agentfuzz.core.between import Between
from agentfuzz.core.events import Asserted, Cancelled, Messaged, Unheard
from agentfuzz.core.history import History

# Of an action, or of what is no action.
OVERLAP = "its calls overlap"
DEADLINE = "it is cancelled, or stops waiting, in the middle of a call"
AFTERWARDS = "it goes on after its answer"
ANOTHER_WAY = "something acts on its world by another way (a process of its own, a server)"
THREADS = "a thread of its own acts on its world"
DRAWS = "a tool draws random numbers, or nanoseconds"
CHANGES = "a reply is changed after it was given"
UNCOPIED = "a value cannot be copied"
UNSENT = "what it did cannot be sent from process to process"
UNTOLD = "a value is an object that cannot be told from others like it, or too large to be told"
LEAVES = "a tool leaves work behind that goes on after its answer"
STATE = "what its tools share changes between its calls"
SAVES, INBOX = "it saves to a store of its own", "it reads its inbox"
DECISIONS = "it waits for decisions within a leg"
OWN_MODEL = "it brings a model of its own"
# Of a leg.
EARLY = "it acts before it is awaited"
LOOPS = "it acts within an event loop of its own"
NEVER_ENDED = "it is ended from outside"
# Of a run, or of a scenario.
UNHEARD = "something dies in it that nobody hears of"
STOPPED = "its task is cancelled"
TEAM = "several agents act in it"
ASSERTS = "an assertion of the test fails in it"
CUT_OFF = "it is cut off"
ANOTHER = "its process is started again by another function (resume=)"
_TEAM = frozenset(get_args(Between))


def unfit(history: History) -> str:
    """Why a run with this history is none to be remembered, or made without its agent; empty
    where it is."""
    if history.of(Unheard):
        return UNHEARD
    if history.of(Asserted):
        return ASSERTS
    if not _TEAM.isdisjoint(map(type, history.events)):
        return TEAM
    stopped = [event.how for event in history.of(Cancelled)]
    stopped += [event.how for event in history.of(Messaged)]
    if "task" in stopped:
        return STOPPED
    ended = history.ended
    assert ended is not None, "a run is over"
    return CUT_OFF if ended.how == "cut_off" and ended.error != "budget" else ""
