"""Of everything being down, what it takes: a few things that are down at once show the same.

Law: what is told was run, and showed the same violation; nothing was left in it that could be
taken out by itself. The finding stays the plan with one fault. Called for what is confirmed.
"""

from collections.abc import Callable

from agentfuzz.core.events import Struck
from agentfuzz.core.faults import FOR_GOOD, Fault, Slot, part
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.runner import Runner
from agentfuzz.world.lasting import DOWN, EVERYTHING

MOST = 12  # things: of more, everything is said


def enough(
    runner: Runner,
    plan: FaultPlan,
    history: History,
    signature: tuple[str, str],
    over: Callable[[], bool],
) -> str:
    """The plan under which only so much is down as it takes, as text; empty for any plan but that
    of one outage of everything, where no such plan shows the same, and where the time is `over`
    before all was tried."""
    ((slot, fault),) = plan.by_slot.items() if len(plan) == 1 else [(Slot("", "", 0), Fault(()))]
    if slot.boundary != EVERYTHING or fault.until != FOR_GOOD:
        return ""
    first: dict[tuple[str, str], Slot] = {}
    for event in history.of(Struck):
        if event.fault.of == part(slot, fault):
            first.setdefault(event.slot[:2], event.slot)
    down = FaultPlan(
        ((one, DOWN[one.boundary]._replace(until=FOR_GOOD)) for one in first.values()), plan.given
    )
    if over() or len(down) > MOST or runner.breaks(down, signature) is None:
        return ""
    left = None
    while left != down:  # what could not be spared may be, when another one was
        left = down
        for one, _ in left:
            less = down.without(one)
            if over():
                return ""
            if len(less) > 0 and runner.breaks(less, signature) is not None:
                down = less
    return str(down.over(""))
