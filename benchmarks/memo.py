"""What the memo saves: real runs, and CPU seconds of a campaign with it and without.

    python benchmarks/memo.py

A LangGraph agent, an agent of the OpenAI Agents SDK and a plain loop, each searched to the same
number of runs, in turns; `audits` are runs of the agent that no campaign without a memo makes; and
whether coverage and findings are the same.
"""

from collections.abc import Callable
from time import process_time

from _agents import AGENTS, charge_order
from _measure import interleaved, ratio, table

from agentfuzz import World
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign

RUNS, TURNS = 400, 1


def main() -> None:
    rows, told = [], dict[tuple[str, str], tuple[object, ...]]()
    for agent in AGENTS:
        name = agent.__name__

        def campaign(memo: str, agent: Callable[[World], object] = agent) -> float:
            begun = process_time()
            with Simulation() as simulation:
                budget = Budget(max_runs=RUNS, max_seconds=1e9, deep_runs=0, memo=memo)
                search = Campaign(charge_order, agent, simulation, budget=budget)
                search.search()
                result = search.result()
            took = process_time() - begun
            same = result.covered(), [cx.id for cx in result.findings]
            kept = search.runner.memo
            answers = (0, 0) if kept is None else (kept.answered, kept.audited)
            told[agent.__name__, memo] = (result.runs, *answers, same)
            return took

        campaign("off")  # what is imported and compiled once
        found = interleaved({"off": lambda: campaign("off"), "on": lambda: campaign("on")}, TURNS)
        runs, answered, audits, same = told[name, "on"]
        assert isinstance(runs, int)
        assert isinstance(answered, int)
        without, with_it = min(found["off"]), min(found["on"])
        less = f"{1 / ratio(found, 'on', 'off'):.2f}"
        alike = "yes" if same == told[name, "off"][3] else "NO"
        rows.append(
            (name, runs, runs - answered, audits, f"{without:.2f}", f"{with_it:.2f}", less, alike)
        )
    header = ("", "runs", "real", "audits", "without, s", "with, s", "less CPU", "the same")
    table(f"campaigns of {RUNS} runs", header, rows)


if __name__ == "__main__":
    main()
