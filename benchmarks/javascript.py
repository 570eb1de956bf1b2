"""What a turn over loopback costs, for each client of JavaScript.

    python benchmarks/javascript.py

One Node process (`tests/node/worker.mjs`) runs every mode of the matrix in turns: a task of ten
calls, each a request to the model and a request to a tool, and the same task of none. What a turn
costs is the difference. *here* is CPU time of this process, so the server's and the world's; *wall*
has the client's own time in it, too. Goal: 3 ms a turn here.

Needs node and npm; without them it says so.
"""

import sys
from pathlib import Path
from statistics import median

from _measure import cpu, interleaved, table

from agentfuzz import History, Scenario, World, scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Real
from agentfuzz.world.injector import FromPlan

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.node.installed import NotInstalled, installed
from tests.node.modes import MODES
from tests.node.worker import Mode, Worker

ROOT = Path(__file__).resolve().parents[1]
TURNS = 10
REPETITIONS = 5


def story(turns: int) -> Scenario:
    """A task of so many calls."""

    @scenario(
        task="Look them up.",
        script=[*(("look_up", {"order": number}) for number in range(turns)), "Done."],
        max_crossings=10**6,
    )
    def looks(world: World) -> None:
        @world.tool
        def look_up(order: int) -> dict[str, int]:
            """Look an order up."""
            return {"order": order}

    return looks


STORIES = {turns: story(turns) for turns in (0, TURNS)}


def measured(worker: Worker, simulation: Simulation, mode: Mode) -> tuple[float, float]:
    """Seconds a turn of a mode: CPU here, and by the wall."""
    walls: dict[int, list[float]] = {turns: [] for turns in STORIES}

    def agent(world: World) -> object:
        return worker.agent(world, mode)

    def run(turns: int) -> float:
        made: list[History] = []
        begun = Real.monotonic()
        spent = cpu(lambda: made.append(simulation.execute(STORIES[turns], agent, FromPlan())))
        walls[turns].append(Real.monotonic() - begun)
        assert made[0].claim == "success", made[0].ended
        return spent

    found = interleaved({str(one): lambda one=one: run(one) for one in STORIES}, REPETITIONS)
    here = median(found[str(TURNS)]) - median(found["0"])
    wall = median(walls[TURNS]) - median(walls[0])
    return here / TURNS, wall / TURNS


def main() -> None:
    """Every mode, and what it costs."""
    place = ROOT / ".pytest_cache/d/agentfuzz-npm-node"
    place.mkdir(parents=True, exist_ok=True)
    try:
        folder = installed(ROOT / "tests/node", place)
    except NotInstalled as missing:
        print(f"clients of JavaScript: not measured, {missing}")
        return
    rows = []
    with Simulation(run_timeout=60.0) as simulation, Worker(folder) as worker:
        for mode in MODES:
            here, wall = measured(worker, simulation, mode)
            rows.append((str(mode), f"{here * 1e3:.2f}", f"{wall * 1e3:.2f}"))
    header = ("", "ms a turn here, CPU", "wall, with the client's own")
    table("a turn over loopback, one model request and one tool call; goal 3 ms", header, rows)


if __name__ == "__main__":
    main()
