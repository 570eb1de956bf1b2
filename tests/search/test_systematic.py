"""The systematic phase against brute force: what pruning leaves out is never a failing state, and
what is claimed to be there is there."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from agentfuzz import History, Scenario, World
from agentfuzz.core.events import Struck
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.phases.systematic import Level
from agentfuzz.search.space import Space
from agentfuzz.world.injector import Crossing, FromPlan

from .programs import program
from .support import hunt

# Eleven kinds of fault at a write and three at a read: all that a loop can tell apart.
SPACE = Space(exclude=("error", "rate_limited", "truncated", "malformed", "hostile"))
LOOPS = range(20)
Failing = set[tuple[str, str, tuple[str, ...]]]


class Lab:
    """One agent in one scenario, run and judged under any plan: once, whoever asks for it again."""

    def __init__(
        self,
        scenario: Scenario,
        agent: Callable[[World], Any],
        simulation: Simulation,
        space: Space = SPACE,
    ) -> None:
        self.scenario, self.agent, self.simulation = scenario, agent, simulation
        self.space = space
        self.failing: Failing = set()
        self.made: dict[FaultPlan, tuple[History, list[Crossing]]] = {}
        self.judged: dict[int, Failing] = {}  # by the history's identity, which `made` keeps
        self.baseline: History | None = None
        self.baseline = scenario.oracle(self.run(FaultPlan())[0])

    def run(self, plan: FaultPlan) -> tuple[History, list[Crossing]]:
        if plan not in self.made:
            injector = FromPlan(plan, process=self.space.process)
            history = self.simulation.execute(self.scenario, self.agent, injector)
            self.made[plan] = history, injector.crossings
        return self.made[plan]

    def judge(self, history: History) -> None:
        if id(history) not in self.judged:
            ledger = tuple(f"{commit.effect_id} {commit.intent}" for commit in history.ledger)
            self.judged[id(history)] = {
                (*violation.signature, ledger)
                for verdict in self.scenario.judge(history, self.baseline)
                for violation in verdict.violations
            }
        self.failing |= self.judged[id(history)]


class Walked(NamedTuple):
    """What a search saw: the failing states, and (runs, claimed plans, skipped plans) by depth."""

    failing: Failing
    levels: list[tuple[int, int, int]]


def walked(lab: Lab, depth: int, *, prune: bool) -> Walked:
    """As the campaign walks."""
    lab.failing = set()
    parents, levels = {FaultPlan(): 1}, []
    total, skipped = Level(parents, lab.space, wordings=True).count(*lab.run(FaultPlan())), 0
    for one in (True, *[False] * (depth - 1)):
        level, done = Level(parents, lab.space, prune=prune, wordings=one), 0
        for plan in level.plans(lab.run):
            history, crossings = lab.run(plan)
            if level.exists(plan, history):
                lab.judge(history)
                level.grew(plan, history, crossings)
                done += 1
        levels.append((done, total - level.absent, skipped - level.absent_skipped))
        parents, total, skipped = level.next, level.next_total, level.next_skipped
    return Walked(lab.failing, levels)


def brute_force(lab: Lab, depth: int) -> Walked:
    """Every set of faults that can all strike: any fault at any crossing of a smaller plan's
    run, in any order, each set once, and alone every wording of it. Knows no order of slots, no
    states and no levels."""
    lab.failing = set()
    reached, levels = {FaultPlan()}, []
    for number in range(depth):
        plans = {
            plan.with_(crossing.slot, fault)
            for plan in reached
            for crossing in lab.run(plan)[1]
            if plan.get(crossing.slot) is None
            for fault in (
                *lab.space.at(crossing.group),
                *(lab.space.wordings_at(crossing.group) if number == 0 else ()),
            )
        }
        reached, there = set(), 0
        for plan in plans:
            history, _ = lab.run(plan)
            if len(history.of(Struck)) == len(plan):
                lab.judge(history)
                there += 1
                if lab.space.wordings.isdisjoint(plan.by_slot.values()):
                    reached.add(plan)
        levels.append((there, there, 0))
    return Walked(lab.failing, levels)


@pytest.mark.slow
def test_a_pruned_search_finds_the_failing_states_of_brute_force() -> None:
    """Depth 2 on twenty generated loops; and pruning saves something, or it would not be worth
    its code."""
    runs, all_plans, failing = 0, 0, 0
    with Simulation() as simulation:
        for seed in LOOPS:
            lab = Lab(*program(seed), simulation)
            pruned, whole = walked(lab, 2, prune=True), walked(lab, 2, prune=False)
            naive = brute_force(lab, 2)
            assert pruned.failing == naive.failing, f"loop {seed}"
            assert whole.failing == naive.failing, f"loop {seed}"
            there = [count for count, _, _ in naive.levels]
            assert [total for _, total, _ in pruned.levels] == there, f"loop {seed}"
            assert [done for done, _, _ in whole.levels] == there, f"loop {seed}"
            assert all(done + skipped == total for done, total, skipped in pruned.levels)
            assert all(skipped == 0 for _, _, skipped in whole.levels)
            runs += sum(done for done, _, _ in pruned.levels)
            all_plans += sum(there)
            failing += len(naive.failing)
    assert failing > 100, "the generated loops have bugs to lose"
    assert runs < all_plans, "what cannot be told apart is run once"


@pytest.mark.slow
def test_plans_with_three_faults_are_counted_as_they_are() -> None:
    """A pruned plan's own children are pruned with it, and still counted."""
    with Simulation() as simulation:
        for seed in (16, 19):
            lab = Lab(*program(seed), simulation)
            pruned, naive = walked(lab, 3, prune=True), brute_force(lab, 3)
            assert pruned.failing == naive.failing, f"loop {seed}"
            assert [total for _, total, _ in pruned.levels] == [n for n, _, _ in naive.levels]
            assert all(done + skipped == total for done, total, skipped in pruned.levels)


def test_a_campaign_claims_the_levels_that_were_really_there() -> None:
    with Simulation() as simulation:
        for seed in (1, 3, 5):
            scenario, agent = program(seed)
            lab = Lab(scenario, agent, simulation)
            naive = brute_force(lab, 2)
            result = hunt(scenario, agent, simulation, space=SPACE, deep_runs=0, max_runs=100_000)
            levels = [level for level in result.levels if level.name.startswith("plans")]
            assert [level.total for level in levels] == [count for count, _, _ in naive.levels]
            assert [level.done + level.skipped for level in levels] == [
                level.total for level in levels
            ]
            (one, two), lasting = levels, result.levels[1]
            skipped = f", {two.skipped:,} skipped as equivalent" if two.skipped else ""
            every = f"{two.total:,} of {two.total:,}" if two.skipped else f"all {two.total:,}"
            assert (
                result.covered()
                == f"all {one.total:,} plans with one fault, all {lasting.total} bursts and "
                f"outages, {every} plans with two faults "
                f"(first wording of each reply){skipped}"
            )
            signatures = {(code, subject) for code, subject, _ in naive.failing}
            told = {cx.violation.signature for cx in result.findings}
            assert told <= signatures
            assert {code for code, _ in signatures - told} <= {"AF105"}, "told by another law"


def test_slots_that_a_fault_opens_are_searched_too() -> None:
    scenario, agent = program(0)
    with Simulation() as simulation:
        lab = Lab(scenario, agent, simulation)
        clean = {crossing.slot for crossing in lab.run(FaultPlan())[1]}
        campaign = Campaign(
            scenario, agent, simulation, space=SPACE, budget=Budget(max_seconds=600.0)
        )
        campaign.search()
    assert set(campaign._coverage.groups) > clean
