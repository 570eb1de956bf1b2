"""Patience: a loop that an outage keeps busy is given more time before it is said never to end.

Law: who gives up after a deadline, however late, is not accused; a run that is cut off in an
outage for its number of crossings is made once more with ten times as many, and where that is not
enough with a day between two of those that are struck. Called for what is kept, and for what was
saved.
"""

from agentfuzz.core.events import Called, Ended
from agentfuzz.core.faults import FOR_GOOD, Fault, Slot
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.runtime.clock import active_clock
from agentfuzz.search.runner import Runner
from agentfuzz.search.watched import unwatched
from agentfuzz.world.injector import Injector

TIMES = 10
DAY = 86_400.0
# A loop without an end, that ran out of something: the last are the numbers of a growing pause.
EXHAUSTED = ("RecursionError", "MemoryError", "OverflowError")


class Slow:
    """An injector under which a day goes by at each crossing that is struck, but the first ones."""

    def __init__(self, injector: Injector, first: int) -> None:
        self.crossings, self.process = injector.crossings, injector.process
        self._injector, self._first = injector, first

    def at(self, slot: Slot, seq: int, group: str) -> Fault | None:
        """What strikes, a day later."""
        fault = self._injector.at(slot, seq, group)
        clock = active_clock()
        if fault is not None and clock is not None and len(self.crossings) > self._first:
            clock.advance(DAY)
        return fault


def gives_up(runner: Runner, plan: FaultPlan, violation: Violation, history: History) -> str:
    """What is to be said of a run that ends by itself after all, or an empty string."""
    ended = history.ended
    if ended is None or (ended.how, ended.error) != ("cut_off", "budget"):
        return ""
    outage = any(fault.until == FOR_GOOD for _, fault in plan.lasting)
    if violation.signature != ("AF201", "run") or not outage:
        return ""
    most = runner.scenario.max_crossings
    with unwatched(runner):
        history = runner.patient(plan, TIMES)
        if (ended := _by_itself(history)) is not None:
            return (
                f"under {plan} the run ends by itself after {len(history.of(Called)):,} tool calls "
                f"and {ended.t:,.0f} virtual seconds; {_cut(most)}: "
                f"@scenario(max_crossings={TIMES * most})"
            )
        history = runner.patient(plan, 2, Slow(runner.under(plan), most))
    if _by_itself(history) is None:
        return ""
    return (
        f"under {plan} the run ends by itself once days have gone by, and not within "
        f"{TIMES * most:,} crossings; {_cut(most)}: give it a nearer deadline in this test, or "
        "@scenario(max_crossings=) more than that"
    )


def _by_itself(history: History) -> Ended | None:
    """How it ended, if nothing cut it off and it ran out of nothing."""
    ended = history.ended
    if ended is None or ended.how == "cut_off" or ended.error in EXHAUSTED:
        return None
    return ended


def _cut(most: int) -> str:
    return f"it was cut off after {most:,} crossings, and what comes behind them was not judged"
