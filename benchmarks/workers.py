"""What several processes make of a campaign, by the clock on the wall.

    python benchmarks/workers.py

A LangGraph agent, an agent of the OpenAI Agents SDK and a plain loop, each searched to the same
number of runs by one process and by two, in turns. Seconds by the wall, medians; and whether the
reports are the same bytes. It says something on an idle machine with two processors or more.
"""

from collections.abc import Callable
from hashlib import sha256
from time import perf_counter
from typing import Any

from _agents import AGENTS, charge_order
from _measure import interleaved, ratio, table

from agentfuzz import World
from agentfuzz.engine.simulation import Simulation
from agentfuzz.report.formats import json as json_format
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign

RUNS, TURNS = 800, 1


def main() -> None:
    rows, reports = [], dict[tuple[str, int], str]()
    for agent in AGENTS:

        def campaign(workers: int, agent: Callable[[World], Any] = agent) -> float:
            begun = perf_counter()
            with Simulation() as simulation:
                budget = Budget(max_runs=RUNS, max_seconds=1e9, deep_runs=0, workers=workers)
                search = Campaign(charge_order, agent, simulation, budget=budget)
                search.search()
                result = search.result()
            took = perf_counter() - begun
            text = json_format.text(json_format.run([result]))
            reports[agent.__name__, workers] = sha256(text.encode()).hexdigest()
            return took

        found = interleaved({"1": lambda: campaign(1), "2": lambda: campaign(2)}, TURNS)
        name = agent.__name__
        same = "yes" if reports[name, 1] == reports[name, 2] else "NO"
        one, two = min(found["1"]), min(found["2"])
        times = f"{1 / ratio(found, '2', '1'):.2f}"
        rows.append((name, f"{one:.2f}", f"{two:.2f}", times, same))
    header = ("", "1 process, s", "2 processes, s", "faster", "same bytes")
    table(f"campaigns of {RUNS} runs", header, rows)


if __name__ == "__main__":
    main()
