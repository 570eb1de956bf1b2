"""What it costs to watch the error paths of an agent, against a campaign that nobody watches.

    python benchmarks/paths.py

Whole campaigns, their results included: of the plain loop of `systematic`, to depth one and two;
and of the agents of `workers`, to depth one. *watched* is put in and taken out around each, in a
process that has read the sources before, as in the second test of a session; *first* reads them,
as in the first. Where coverage.py is installed, *coverage.py* is the same campaign measured by it,
for the file of the agent alone: what finding the lines by its tracer would cost.

CPU time a run; turns interleaved in one process; medians, and of the ratios within each turn.
Goal: 1.5 times a campaign without it.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import _agents
import systematic
from _measure import cpu, interleaved, ratio, table

from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.paths.watch import Watch, watching
from agentfuzz.search.campaign import Budget, Campaign

TURNS = 9
CASES: tuple[tuple[str, Scenario, Callable[..., Any], int], ...] = (
    ("plain loop, depth 2", systematic.billing, systematic.agent, 2),
    ("plain loop, depth 1", systematic.billing, systematic.agent, 1),
    ("LangGraph", _agents.charge_order, _agents.langgraph, 1),
    ("OpenAI Agents", _agents.charge_order, _agents.openai_agents, 1),
)


def watch() -> Watch:
    return Watch(Path(__file__).parents[1], lambda *given: False, lambda path: set())


@contextmanager
def measured(file: str) -> Any:
    from coverage import Coverage

    coverage = Coverage(data_file=None, include=[file], config_file=False)
    coverage.start()
    try:
        yield
    finally:
        coverage.stop()


def ways(file: str) -> dict[str, Callable[[], AbstractContextManager[Any]]]:
    known = watch()
    found: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "bare": nullcontext,
        "watched": lambda: watching(known),
        "first": lambda: watching(watch()),
    }
    try:
        import coverage  # noqa: F401
    except ImportError:
        return found
    return {**found, "coverage.py": lambda: measured(file)}


def main() -> None:
    rows = []
    for name, scenario, agent, depth in CASES:
        with Simulation() as simulation:

            def campaign(
                way: Callable[[], AbstractContextManager[Any]],
                given: tuple[Scenario, Callable[..., Any], int] = (scenario, agent, depth),
                simulation: Simulation = simulation,
            ) -> float:
                story, one, depth = given
                budget = Budget(10**6, 600.0, depth=depth, deep_runs=0, memo="auto")
                runs = 0

                def work() -> None:
                    nonlocal runs
                    with way():
                        made = Campaign(story, one, simulation, budget=budget)
                        made.search()
                        runs = made.result().runs

                return cpu(work) / runs

            file = sys.modules[agent.__module__].__file__ or ""
            cases = {way: lambda one=one: campaign(one) for way, one in ways(file).items()}
            found = interleaved(cases, TURNS)  # type: ignore[arg-type]
        rows += [
            (f"{name}: {way}", f"{median(took) * 1e6:,.0f}", f"{ratio(found, way, 'bare'):.2f}")
            for way, took in found.items()
        ]
    table("watching error paths, goal 1.5 x", ("", "us a run", "x bare"), rows)


if __name__ == "__main__":
    main()
