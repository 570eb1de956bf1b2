"""Laws about agents that die (AF900, AF901).

Law: an agent runs where nothing is broken, and even under faults it ends by returning or by
raising an ordinary exception. Called by the run through `Invariant`; part of every scenario.
"""

from collections.abc import Iterable

from agentfuzz.core.events import Ended, Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law


@law()
def survives() -> Check:
    """An ordinary exception under a fault is an honest ending. Without any fault it is AF900;
    SystemExit, GeneratorExit, a stray CancelledError and the like are AF901 at any time."""

    def check(history: History, baseline: History | None) -> Iterable[Violation] | None:
        ended = history.ended
        if ended is None:
            return None
        if ended.how == "died":
            return [_died(ended)]
        if not history.of(Struck) and "raised" in history.endings:
            return [_failed(ended)]
        return []

    return check


def _died(ended: Ended) -> Violation:
    return Violation(
        "AF901",
        "agent",
        f"agent raised {ended.error}"[:36],
        f"The agent ended with {ended.error}, which `except Exception` does not catch"
        f"{': ' + ended.detail if ended.detail else ''}.",
        "no answer",
        ended.error,
        (ended.seq,),
        "let tools and loops raise ordinary exceptions; never exit or cancel from inside",
    )


def _failed(ended: Ended) -> Violation:
    return Violation(
        "AF900",
        "agent",
        "agent fails without any fault",
        f"Without any fault the agent raised {ended.error or 'in a leg before the last'}"
        f"{': ' + ended.detail if ended.detail else ''}.",
        "no answer",
        ended.error or "raised",
        (ended.seq,),
        "run the agent by hand in this scenario first; a search says nothing until it works",
    )
