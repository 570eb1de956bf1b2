"""A fresh world for a run, built by the user's own function.

Law: a scenario that spins, exits or interrupts is an error that names it; a real Ctrl-C stays one.
Called by the simulation at the beginning of each run.
"""

from agentfuzz.core.errors import CutOff, ScenarioError
from agentfuzz.engine.scenario import Scenario
from agentfuzz.runtime.clock import Clock
from agentfuzz.runtime.watchdog import Watchdog
from agentfuzz.world.injector import Injector
from agentfuzz.world.world import World


def built(
    watchdog: Watchdog, scenario: Scenario, injector: Injector, clock: Clock, *, trace: bool
) -> World:
    """The world. Raises ScenarioError, and whatever else the function raises."""
    try:
        return watchdog.watched(lambda: scenario.world(injector, clock, trace=trace))
    except CutOff as cut:
        how = f"never ends: it was cut off in {cut.detail}"
    except Exception:
        raise
    except BaseException as error:
        if watchdog.interrupted:
            raise
        how = f"raised {type(error).__name__}"
    raise ScenarioError(f"the scenario {scenario.name} {how}. It declares tools, and returns.")
