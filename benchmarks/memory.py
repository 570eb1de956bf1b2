"""Memory of a campaign against its number of runs: it must not grow.

    python benchmarks/memory.py [runs]

One campaign of random plans (100,000 runs by default) over tool, process and schedule faults, sync
and async. Prints the process's resident memory, in MB, after each tenth of the runs.
"""

import sys
from pathlib import Path

from _measure import table
from modes import asynchronous, booking, sync

from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign


def resident() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    columns = {}
    with Simulation() as simulation:
        for agent in (sync, asynchronous):
            budget = Budget(max_runs=runs, max_seconds=1e9, depth=1, deep_runs=runs)
            one, seen = Campaign(booking, agent, simulation, budget=budget), []
            execute = simulation.execute

            def counted(*args, execute=execute, seen=seen, one=one, **named):
                if one.runs >= len(seen) * runs // 10:
                    seen.append(resident())
                return execute(*args, **named)

            simulation.execute = counted
            one.search()
            simulation.execute = execute
            columns[agent.__name__] = seen
    rows = [
        (f"{n * runs // 10:,}", *(f"{c[n]:.1f}" if n < len(c) else "" for c in columns.values()))
        for n in range(11)
    ]
    table("resident memory in MB after so many runs", ("runs", *columns), rows)


if __name__ == "__main__":
    main()
