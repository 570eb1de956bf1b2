"""Patience: a loop that an outage keeps busy is given more time before it is said never to end.

Law: who gives up after a deadline, however late, is not accused; a run that is cut off in an
outage for its number of crossings is made once more with ten times as many. Called for what is
kept, and for what was saved.
"""

from agentfuzz.core.events import Called
from agentfuzz.core.faults import FOR_GOOD
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.search.runner import Runner
from agentfuzz.search.watched import unwatched

TIMES = 10
EXHAUSTED = ("RecursionError", "MemoryError")  # a loop without an end, that ran out of something


def gives_up(runner: Runner, plan: FaultPlan, violation: Violation, history: History) -> str:
    """What is to be said of a run that ends by itself after all, or an empty string."""
    ended = history.ended
    if ended is None or (ended.how, ended.error) != ("cut_off", "budget"):
        return ""
    outage = any(fault.until == FOR_GOOD for _, fault in plan.lasting)
    if violation.signature != ("AF201", "run") or not outage:
        return ""
    with unwatched(runner):
        history = runner.patient(plan, TIMES)
    ended, calls = history.ended, len(history.of(Called))
    if ended is None or ended.how == "cut_off" or ended.error in EXHAUSTED:
        return ""
    most = runner.scenario.max_crossings
    return (
        f"under {plan} the run ends by itself after {calls:,} tool calls and {ended.t:,.0f} "
        f"virtual seconds; it was cut off after {most:,} crossings, and what comes behind them was "
        f"not judged: @scenario(max_crossings={TIMES * most})"
    )
