"""What follows a leg: the process is started again, a decision arrives, the user goes on.

Law: a process that died begins again before anything else happens, and what is decided comes before
what is asked for next. Asked by the simulation after each leg.
"""

from agentfuzz.engine.ending import Ending, Next
from agentfuzz.engine.scenario import Scenario
from agentfuzz.runtime.eventloop import bury
from agentfuzz.runtime.watchdog import Watchdog
from agentfuzz.world.process import MAX_RESTARTS, Process
from agentfuzz.world.process_faults.striking import at_the_end


def following(
    scenario: Scenario, process: Process, ending: Ending, coming: list[Next], watchdog: Watchdog
) -> Next | None:
    """What the next leg begins with; None where nothing more happens to this task. `coming` is what
    the scenario has in store, and is taken from."""
    again = Next("restart", decision=process.brought)
    if ending.how == "crashed":
        watchdog.clear_up(bury)
        return again if scenario.resume and process.restarts < MAX_RESTARTS else None
    if process.messages:
        return Next("interrupt", process.messages.pop(0))
    if not any(one.decision for one in coming):
        coming[:0] = [Next("decision", decision=one) for one in process.decisions()]
    if process.asks and not process.waiting and not coming:
        fault = at_the_end(process, restarts=bool(scenario.resume))
        if fault is not None:
            return again if fault == "crash" else Next("duplicate")
    return coming.pop(0) if coming else None
