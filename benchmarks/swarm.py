"""A thousand agents: every single handoff fault of a ring and of a star, and a bug cut down to few.

    python benchmarks/swarm.py

The ring hands a task from each agent to the next; each checks what it got, and stops if it got
nothing, or not that. In the star a hub hands a part to each of 999 workers, and stops at the first
part that is not taken.
One process, one core, CPU seconds of the whole campaign: every plan with one fault that exists at
each handoff (lost, twice, late, misrouted, reordered, stale, stale the second time, three ways of
invalid, poisoned), to the last one. Nothing is left out by symmetry.

The seeded bug needs two faults at two of a thousand agents in a line, which are given as a plan
with two more that have nothing to do with it: found under that plan (a campaign would have to come
to some 60 million pairs), it is shrunk, sliced, shrunk again, replayed and controlled.
"""

import sys
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

from _measure import table

from agentfuzz import Completion, World, at_most_once, scenario
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign

AGENTS, GOAL = 1_000, 60
SEEDED = (
    "handoff:a250#1:once/poisoned + handoff:a400#1:late + handoff:a600#1:twice/stale"
    " + handoff:a701#1:twice"
)
BLOCKED = Completion.blocked(reason="other")


def names(agents: int) -> list[str]:
    return [f"a{n}" for n in range(agents)]


def swarm(agents: int) -> Scenario:
    everybody = names(agents)

    @scenario(at_most_once("charge"), task="Pass it on.", max_crossings=10 * AGENTS)
    def swarm(world: World) -> None:
        world.agents(*everybody)

        @world.tool(effect="charge", scope=("order",))
        def charge(order: str) -> str:
            return "ok"

    return swarm


def ring(agents: int) -> Callable[[World], Completion]:
    everybody = names(agents)

    def agent(world: World) -> Completion:
        team = world.agents(*everybody)
        for n, name in enumerate(team):
            with world.acting(name):
                if n:
                    handed = world.inbox_of(name).take()
                    if handed is None:
                        return BLOCKED
                    if handed.payload != {"task": "t", "version": n, "note": "fine"}:
                        handed.reject("not what was agreed")
                        return BLOCKED
                    handed.accept()
                to = team[(n + 1) % len(team)]
                world.handoff(to, {"task": "t", "version": n + 1, "note": "fine"})
        return Completion.success(handle="t")

    return agent


def star(agents: int) -> Callable[[World], Completion]:
    everybody = names(agents)

    def agent(world: World) -> Completion:
        hub, *workers = world.agents(*everybody)
        for worker in workers:
            with world.acting(hub):
                receipt = world.handoff(worker, {"task": worker, "version": 1, "note": "fine"})
            with world.acting(worker):
                handed = world.inbox_of(worker).take()
                if handed is None:
                    return BLOCKED
                if handed.payload != {"task": worker, "version": 1, "note": "fine"}:
                    handed.reject("not what was agreed")
                else:
                    handed.accept()
            if receipt.status != "accepted":
                return BLOCKED
        return Completion.success(handle="all")

    return agent


def seeded(agents: int) -> Callable[[World], Completion]:
    """a250 believes any note, which goes with the task; a701 charges for each arrival of one that
    is wrong."""
    everybody = names(agents)

    def agent(world: World) -> Completion:
        team: Sequence[str] = world.agents(*everybody)
        note = "fine"
        for n, name in enumerate(team):
            with world.acting(name):
                arrived = list(world.inbox_of(name))
                for handed in arrived[:1]:
                    handed.accept()
                    if name == "a250" and isinstance(handed.payload, dict):
                        note = handed.payload.get("note", note)
                if name == "a701" and note != "fine":
                    for _ in arrived:
                        world.tools.charge(order="A17")
                if n + 1 < len(team):
                    world.handoff(team[n + 1], {"task": "t", "version": n + 1, "note": note})
        return Completion.success(handle="t")

    return agent


def searched(agents: int, agent: Callable[[World], Any]) -> tuple[CampaignResult, float]:
    budget = Budget(max_runs=10**9, max_seconds=1e9, depth=1, deep_runs=0)
    begun = process_time()
    with Simulation() as simulation:
        campaign = Campaign(swarm(agents), agent, simulation, budget=budget)
        campaign.search()
        return campaign.result(), process_time() - begun


def single(name: str, agent: Callable[[World], Any], agents: int) -> None:
    result, seconds = searched(agents, agent)
    rows: list[tuple[Any, ...]] = [
        (level.name, f"{level.done:,} of {level.total:,}", "", "", "") for level in result.levels
    ]
    each = f"{seconds / result.runs * 1e3:.1f}"
    rows.append(("in all", "", f"{result.runs:,}", each, f"{seconds:.0f}"))
    header = ("", "plans", "runs", "ms a run", "CPU s")
    table(f"a {name} of {agents:,} agents, goal {GOAL} s for both", header, rows)


def sliced(agents: int) -> None:
    begun = process_time()
    with Simulation() as simulation:
        campaign = Campaign(swarm(agents), seeded(agents), simulation)
        campaign.regress(FaultPlan.parse(SEEDED), "AF101")
        (found,) = campaign.result().findings
    seconds, before = process_time() - begun, FaultPlan.parse(SEEDED)
    faults = f"{len(before)} to {len(found.plan)}"
    cut = f"{found.agents:,} to {len(found.plan.agents)}"
    row = (found.code, faults, cut, campaign.runs, f"{seconds:.1f}")
    header = ("", "faults", "agents", "runs", "CPU s")
    table("the seeded bug, goal 4 agents and 3 faults", header, [row])
    print(f"  {found.plan}")


def main(agents: int = AGENTS) -> None:
    sliced(AGENTS)
    single("ring", ring(agents), agents)
    single("star", star(agents), agents)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
