"""What a run costs in each mode, against the same loop without a world.

    python benchmarks/modes.py

The agent books three seats one after the other, and notes each in its store. *bare* runs it on
plain functions, sync, async and on a pool of threads. The others run it in a world:

- `sync`, `async`, `threads`: one simulated run without faults,
- `crash`: a run whose process dies after the second call and is started again (two legs),
- `campaign`: a whole campaign with every pair of tool, process and schedule faults, judged.

CPU time a run (in real time for threads: their waiting counts), in turns, medians.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from time import perf_counter

from _measure import interleaved, ratio, table

from agentfuzz import Completion, World, at_most_once, scenario, structured_termination
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Real
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.world.injector import FromPlan

RUNS = 200
TURNS = 9
SEATS = ("12A", "12B", "12C")
DONE = Completion.success(handle="12")


@scenario(
    at_most_once(),
    structured_termination(),
    task="Book three seats.",
    resume=True,
    faults=("duplicate_trigger",),
)
def booking(world: World) -> None:
    @world.tool(effect="seat", scope=("seat",), dedup="scope")
    def book(seat: str) -> dict:
        return {"seat": seat}


def sync(world: World) -> Completion:
    for seat in SEATS[world.store.get("next", 0) :]:
        world.tools.book(seat=seat)
        world.store["next"] = SEATS.index(seat) + 1
    return DONE


async def asynchronous(world: World) -> Completion:
    await asyncio.gather(*(world.tools.aio.book(seat=seat) for seat in SEATS))
    return DONE


def threads(world: World) -> Completion:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda seat: world.tools.book(seat=seat), SEATS))
    return DONE


def book(seat: str) -> dict:
    return {"seat": seat}


def bare_sync() -> None:
    store = {}
    for seat in SEATS:
        book(seat)
        store["next"] = seat


def bare_async() -> None:
    async def one(seat: str) -> dict:
        return book(seat)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(seat) for seat in SEATS))

    asyncio.run(all_of_them())


def bare_threads() -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(book, SEATS))


def timed(work, runs: int = RUNS) -> float:
    clock = getattr(Real, "monotonic", perf_counter)
    begun = clock()
    for _ in range(runs):
        work()
    return (clock() - begun) / runs


def main() -> None:
    bare = {
        "bare sync": lambda: timed(bare_sync),
        "bare async": lambda: timed(bare_async),
        "bare threads": lambda: timed(bare_threads),
    }
    found = interleaved(bare, TURNS)
    crash = FaultPlan.parse("process:book#2:crash/after")
    with Simulation() as simulation:

        def run(agent, plan=None):
            return lambda: timed(lambda: simulation.execute(booking, agent, FromPlan(plan)))

        def campaign(agent):
            def measure() -> float:
                budget = Budget(max_runs=10**6, max_seconds=600.0, depth=2, deep_runs=0)
                one = Campaign(booking, agent, simulation, budget=budget)
                begun = Real.monotonic()
                one.search()
                return (Real.monotonic() - begun) / one.runs

            return measure

        cases = {
            "sync": run(sync),
            "async": run(asynchronous),
            "threads": run(threads),
            "crash": run(sync, crash),
            "campaign sync": campaign(sync),
            "campaign async": campaign(asynchronous),
            "campaign threads": campaign(threads),
        }
        found |= interleaved(cases, TURNS)
    base = {name: f"bare {name.split()[-1]}" for name in found if not name.startswith("bare")}
    base["crash"] = "bare sync"
    rows = [
        (
            name,
            f"{median(times) * 1e6:.1f}",
            f"{1 / median(times):,.0f}",
            f"{ratio(found, name, base[name]):.1f}" if name in base else "1.0",
        )
        for name, times in found.items()
    ]
    table("three calls, by mode", ("", "us a run", "runs/s", "x bare"), rows)


if __name__ == "__main__":
    main()
