"""The dedup of tools whose scenario leaves it to be found out (`dedup="probe"`).

Law: a scenario is asked once in a simulation, in a run without faults of its own in which the first
call of each such tool is carried out again; nothing of that run is kept but the answers, which hold
in every run after it. Called by the simulation, which asks, and by the campaign, which tells.
"""

from collections.abc import Callable

from agentfuzz.engine.scenario import Scenario
from agentfuzz.world.probe import Answer, Probe
from agentfuzz.world.world import World, inside


class Probing:
    """The answers of one simulation."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Scenario, dict[str, Answer]]] = {}  # by its function's id
        self._asking: dict[str, Probe] | None = None

    def settled(self, scenario: Scenario, world: World) -> bool:
        """Whether this world may be run: its tools are declared as they were found to be, or this
        is the run in which that is found out."""
        gateway = inside(world)
        known = self._known.get(id(scenario.build))
        if known is not None:
            for name, answer in known[1].items():
                gateway.redeclare(name, answer.dedup)
            return True
        if self._asking is None:
            return False
        for name in gateway.probes:
            functions, hooks = gateway.calls.functions, gateway.hooks.get(name)
            state = None if hooks is None else hooks.state
            probe = Probe(gateway.specs[name], functions[name], world, state)
            self._asking[name] = probe
            functions[name] = probe.body
        return True

    def ask(self, scenario: Scenario, run: Callable[[], object]) -> None:
        """Find out, by one run without faults."""
        self._asking = {}
        try:
            run()
            for probe in self._asking.values():
                if probe.trouble is not None:
                    raise probe.trouble
            answers = {name: probe.answer for name, probe in self._asking.items()}
            self._known[id(scenario.build)] = (scenario, answers)
        finally:
            self._asking = None

    def told(self, scenario: Scenario) -> tuple[list[str], list[str]]:
        """What was found, a line a tool; and what could not be found out."""
        _, answers = self._known.get(id(scenario.build), (None, {}))
        found = [
            f"{name}: dedup probed: {one.dedup} ({one.why})"
            for name, one in answers.items()
            if one.certain
        ]
        return found, [
            f"{name}: dedup cannot be probed: {one.why}. Give state=lambda: ..., or say dedup=."
            for name, one in answers.items()
            if not one.certain
        ]
