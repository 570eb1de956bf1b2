"""Whole campaigns of two frameworks' agents, against an older checkout of agentfuzz.

    python benchmarks/against.py CHECKOUT [FAULTS]

A LangGraph agent and an agent of the OpenAI Agents SDK, each searched to depth two and to its end,
without random plans and without the FAULTS that are named (`loop,fan_out`: those of a hundred
turns or calls a run): by the other checkout as it comes, in one process; and by this one in one
process and in two, with its memo. Each campaign has an interpreter of its own; they run in turns.
Seconds by the wall, for the campaign and (`a run`) for each of its runs, of which a checkout that
knows fewer faults makes fewer; and of CPU, those of other processes counted; `idle` is by how much
the wall would be shorter on two idle processors, if neither ever waited: half of the CPU, or that
of the campaign's own process if it is more; and whether all that the other one finds is found.
"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import perf_counter, process_time
from typing import Any

HERE = Path(__file__).resolve().parent
TURNS = 3
AGENTS = ("langgraph", "openai_agents")


def main(checkout: str, faults: str = "loop,fan_out") -> None:
    sides = {
        "then": (checkout, 1, "off"),
        "now, 1 process": (str(HERE.parent), 1, "on"),
        "now, 2 processes": (str(HERE.parent), 2, "on"),
    }
    from _measure import table

    rows = []
    for agent in AGENTS:
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
        for turn in range(TURNS):
            for name in list(sides)[:: 1 if turn % 2 == 0 else -1]:
                found[name].append(_asked(*sides[name], agent, faults))
        then = found["then"]
        for name, told in found.items():
            wall, cpu = (median(one[key] for one in told) for key in ("wall", "cpu"))
            by_wall, by_cpu = (median(one[key] for one in then) for key in ("wall", "cpu"))
            best = max(cpu / 2, median(one["own"] for one in told)) if sides[name][1] > 1 else cpu
            same = {*map(tuple, then[0]["found"])} <= {*map(tuple, told[0]["found"])}
            told_of = (told[0]["runs"], len(told[0]["found"]), "yes" if same else "NO")
            a_run = by_wall / then[0]["runs"] / (wall / told[0]["runs"])
            figures = (wall, by_wall / wall, a_run, cpu, by_cpu / cpu, by_cpu / best)
            rows.append((agent, name, *told_of, *(f"{figure:.2f}" for figure in figures)))
    header = (
        "",
        "",
        "runs",
        "findings",
        "same",
        "wall, s",
        "x",
        "a run, x",
        "CPU, s",
        "x",
        "idle, x",
    )
    table("campaigns to depth two", header, rows)


def _asked(checkout: str, workers: int, memo: str, agent: str, faults: str) -> dict[str, Any]:
    """One campaign, in an interpreter whose agentfuzz is that of a checkout."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([checkout, str(HERE)])}
    words = ["--one", agent, faults, str(workers), memo]
    command = [sys.executable, __file__, *words]
    done = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["from"].startswith(checkout), f"{found['from']} is not of {checkout}"
    return found


def one(name: str, faults: str, workers: int, memo: str) -> None:
    """In such an interpreter: a campaign, told as JSON."""
    import _agents

    import agentfuzz
    from agentfuzz.search.campaign import Budget, Campaign
    from agentfuzz.search.space import Space

    try:
        home = importlib.import_module("agentfuzz.engine.simulation")
    except ImportError:  # 0.1.0
        home = importlib.import_module("agentfuzz._simulation")

    def campaign(**budget: Any) -> Any:
        given = {"max_seconds": 1e9, "deep_runs": 0, **budget}
        known = {key: value for key, value in given.items() if key in Budget.__dataclass_fields__}
        with home.Simulation() as simulation:
            space = Space(exclude=[fault for fault in faults.split(",") if fault])
            agent = getattr(_agents, name)
            search = Campaign(
                _agents.charge_twice, agent, simulation, space=space, budget=Budget(**known)
            )
            search.search()
            return search.result()

    campaign(max_runs=5)  # what is imported and compiled once
    begun, own = perf_counter(), process_time()
    result = campaign(max_runs=1_000_000, workers=workers, memo=memo)
    wall, own = perf_counter() - begun, process_time() - own
    others = getrusage(RUSAGE_CHILDREN)
    told = {
        "from": agentfuzz.__file__,
        "runs": result.runs,
        "wall": wall,
        "own": own,
        "cpu": own + others.ru_utime + others.ru_stime,
        "found": sorted((cx.violation.code, str(cx.plan)) for cx in result.findings),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        name, faults, workers, memo = sys.argv[2:]
        one(name, faults, int(workers), memo)
    else:
        main(*sys.argv[1:])
