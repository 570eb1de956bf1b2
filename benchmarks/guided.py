"""The guided phase against Hypothesis, plain and with target(): planted bugs, 20 seeds.

    python benchmarks/guided.py

All three draw from the same space of faults, after all plans with two faults have been run (none
of which shows the bug, but for the two bugs in a value). Hypothesis maximises the number of
slots reached. A row says for how many seeds of 20 the bug was hit in the default 200 runs and in
1,000, at which run in the middle, and what a run cost (CPU).
"""

from collections.abc import Callable
from contextlib import suppress
from statistics import median
from time import process_time
from typing import Any, NamedTuple

import hypothesis
from _drawn import explore
from _measure import table

from agentfuzz import (
    Completion,
    History,
    RateLimited,
    Scenario,
    World,
    at_most_once,
    scenario,
    truthful,
)
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.phases.guided import Corpus
from agentfuzz.search.phases.systematic import Level
from agentfuzz.search.space import Space
from agentfuzz.world.injector import FromPlan, Injector

RUNS, DEFAULT, SEEDS, DEPTH = 1_000, 200, 20, 2
DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked()
LIES = truthful(postcondition=lambda history: False)


def story(law: Any, dedup: Any = "scope", **given: Any) -> Scenario:
    """Two ways to charge, and a look-up."""

    @scenario(law, **given)
    def billing(world: World) -> None:
        charged: list[str] = world.state.setdefault("charged", [])

        @world.tool(effect="charge", scope=("order",), dedup=dedup)
        def charge(order: str) -> dict:
            charged.append(order)
            return {"ok": True}

        @world.tool(effect="backup", scope=("order",), dedup=dedup)
        def backup(order: str) -> dict:
            return {"ok": True}

        @world.tool
        def find(order: str) -> dict:
            return {"charged": order in charged}

    return billing


def three_timeouts(world: World) -> Completion:
    """Success after three lost requests."""
    for _ in range(3):
        try:
            reply = world.tools.charge(order="A")
        except TimeoutError:
            continue
        except Exception:
            return BLOCKED
        return DONE if reply == {"ok": True} else BLOCKED
    return DONE


def fallback(world: World) -> Completion:
    """Lost, not to be looked up, and turned away by the other way: success."""
    try:
        world.tools.charge(order="A")
        return BLOCKED
    except TimeoutError:
        pass
    except Exception:
        return BLOCKED
    try:
        world.tools.find(order="A")
        return BLOCKED
    except ConnectionError:
        pass
    except Exception:
        return BLOCKED
    try:
        world.tools.backup(order="A")
    except RateLimited:
        return DONE
    except Exception:
        pass
    return BLOCKED


def lives(world: World) -> Completion:
    """Dies, is told again, and cannot look up in its third life: charges again."""
    life = world.store["lives"] = world.store.get("lives", 0) + 1
    try:
        if life > 1 and world.tools.find(order="A"):
            return BLOCKED
    except TimeoutError:
        if life < 3:
            return BLOCKED
    except Exception:
        return BLOCKED
    with suppress(Exception):
        world.tools.charge(order="A")
    return BLOCKED


def independent(world: World) -> Completion:
    """Three faults at three of five calls that do not depend on each other."""
    met = set()
    for number in range(1, 6):
        try:
            world.tools.charge(order=f"A{number}")
        except Exception as error:
            met.add((number, type(error).__name__))
    wanted = {(2, "TimeoutError"), (4, "ConnectionError"), (5, "RateLimited")}
    return DONE if wanted <= met else BLOCKED


def worded(world: World) -> Completion:
    """One wording of a hostile reply, after a timeout."""
    for attempt in range(2):
        try:
            reply = world.tools.charge(order="A")
        except TimeoutError:
            continue
        except Exception:
            return BLOCKED
        return DONE if attempt and "final" in str(reply) else BLOCKED
    return BLOCKED


def two_latencies(world: World) -> Completion:
    """Both requests are under way for a minute, and one arrives within ten seconds after it."""
    for _ in range(2):
        try:
            world.tools.charge(order="A")
            return BLOCKED
        except TimeoutError:
            continue
        except Exception:
            return BLOCKED
    before = len(world.state["charged"])
    world.clock.advance(10)
    return DONE if not before and world.state["charged"] else BLOCKED


class Bug(NamedTuple):
    """A scenario, the loop, the code of its law, and how many faults it needs."""

    scenario: Scenario
    agent: Callable[[World], Any]
    code: str
    faults: int


BUGS = {
    "three timeouts": Bug(story(truthful()), three_timeouts, "AF301", 3),
    "three tools": Bug(story(truthful()), fallback, "AF301", 3),
    "crash, trigger, timeout": Bug(
        story(at_most_once("charge"), "none", resume=True, faults=("duplicate_trigger",)),
        lives,
        "AF101",
        3,
    ),
    "three independent": Bug(story(LIES), independent, "AF301", 3),
    "a wording": Bug(story(LIES), worded, "AF301", 2),
    "two latencies": Bug(story(LIES, "none"), two_latencies, "AF301", 2),
}


class Hit(NamedTuple):
    """The run that hit the bug, or None; the runs made; CPU seconds."""

    at: int | None
    runs: int
    seconds: float


def guided(bug: Bug, simulation: Simulation) -> Callable[[Callable, int, Callable], None]:
    """What the exhaustive phase has seen, and then the corpus of each seed."""
    space = Space(faults=bug.scenario.faults)
    seen: list[tuple[History, list]] = []

    def execute(plan: FaultPlan) -> tuple[History, list]:
        injector = FromPlan(plan, process=space.process)
        return simulation.execute(bug.scenario, bug.agent, injector), injector.crossings

    parents = {FaultPlan(): 1}
    seen.append(execute(FaultPlan()))
    for _ in range(DEPTH):
        level = Level(parents, space)
        for plan in level.plans(execute):
            seen.append(execute(plan))
            if level.exists(plan, seen[-1][0]):
                level.grew(plan, *seen[-1])
        parents = level.next

    def search(run: Callable, seed: int, stop: Callable[[], bool]) -> None:
        corpus = Corpus(space, seed, depth=DEPTH)
        for history, crossings in seen:
            corpus.glance(history, crossings)
        corpus.explore(run, runs=RUNS, stop=stop, missed=lambda *_: None)

    return search


def drawn(bug: Bug, target: bool) -> Callable[[Callable, int, Callable], None]:
    space = Space(faults=bug.scenario.faults)

    def search(run: Callable, seed: int, stop: Callable[[], bool]) -> None:
        explore(run, space, runs=RUNS, seed=seed, stop=stop, target=target)

    return search


def first_hit(bug: Bug, simulation: Simulation, search: Callable, seed: int, target: bool) -> Hit:
    baseline = simulation.execute(bug.scenario, bug.agent, FromPlan())
    runs, hit = 0, None

    def run(injector: Injector) -> History:
        nonlocal runs, hit
        runs += 1
        history = simulation.execute(bug.scenario, bug.agent, injector)
        found = [v for law in bug.scenario.judge(history, baseline) for v in law.violations]
        if hit is None and any(violation.code == bug.code for violation in found):
            hit = runs
        if target:
            slots = {crossing.slot for crossing in injector.crossings}
            hypothesis.target(float(len(slots)), label="slots")
        return history

    begun = process_time()
    search(run, seed, lambda: hit is not None)
    return Hit(hit, runs, process_time() - begun)


def main() -> None:
    rows = []
    with Simulation() as simulation:
        for name, bug in BUGS.items():
            ways = {
                "guided": (guided(bug, simulation), False),
                "Hypothesis": (drawn(bug, False), False),
                "and target": (drawn(bug, True), True),
            }
            for way, (search, target) in ways.items():
                hits = [first_hit(bug, simulation, search, seed, target) for seed in range(SEEDS)]
                at = [hit.at or RUNS + 1 for hit in hits]
                middle = median(at)
                rows.append(
                    (
                        name,
                        way,
                        sum(one <= DEFAULT for one in at),
                        sum(one <= RUNS for one in at),
                        f"{middle:.0f}" if middle <= RUNS else f"> {RUNS:,}",
                        f"{sum(h.seconds for h in hits) / sum(h.runs for h in hits) * 1e6:.0f}",
                    )
                )
                name = ""
    title = f"seeds of {SEEDS} that hit a planted bug, all plans with {DEPTH} faults being run"
    table(title, ("", "", f"in {DEFAULT}", f"in {RUNS:,}", "median", "us a run"), rows)


if __name__ == "__main__":
    main()
