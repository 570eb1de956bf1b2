"""The reductions at the agent's process: pruned is brute force, with every law; what differs in a
way that the history does not show yet is not taken for the same; and nothing is permuted."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from agentfuzz import Completion, World, at_most_once, scenario
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.phases.systematic import Level, after_last_fault
from agentfuzz.search.space import Space
from agentfuzz.search.states import state_after_last_fault

from .lives import LIVES, every_law, life, space_of
from .support import hunt
from .test_systematic import Lab, brute_force, walked

BLOCKED = Completion.blocked()


@pytest.mark.slow
def test_a_pruned_search_of_processes_finds_the_failing_states_of_brute_force() -> None:
    """Depth 2: loops with a store, with approvals, with children that race, with a model; under
    crashes, stops, messages, triggers, jumps of the clock and late requests."""
    runs, there, failing = 0, 0, 0
    with Simulation() as simulation:
        for number in LIVES[::2]:  # of each kind
            scenario, agent = life(number)
            lab = Lab(scenario, agent, simulation, space_of(scenario))
            pruned, naive = walked(lab, 2, prune=True), brute_force(lab, 2)
            assert pruned.failing == naive.failing, f"loop {number}"
            counts = [count for count, _, _ in naive.levels]
            assert [total for _, total, _ in pruned.levels] == counts, f"loop {number}"
            assert all(done + skipped == total for done, total, skipped in pruned.levels)
            runs += sum(done for done, _, _ in pruned.levels)
            there += sum(counts)
            failing += len(naive.failing)
    assert len(every_law()) > 30
    assert failing > 150, "the generated loops have bugs to lose"
    assert runs < there


@scenario(at_most_once("act"), resume=True, faults=("cancel",), script=[("act", {"x": 1}), "Done."])
def acting(world: World) -> None:
    @world.tool(effect="act", scope=("x",))
    def act(x: int) -> dict:
        return {"ok": True}

    @world.tool(effect="write", scope=("x",))
    async def write(x: int) -> dict:
        await asyncio.sleep(5)
        return {"ok": True}

    @world.tool
    def find(x: int) -> dict:
        return {"ok": True}


def talks(world: World) -> Completion:
    said = [{"role": "user", "content": world.task}]
    for _ in range(5):
        turn = world.model(said, None)
        said.append(turn)
        for call in turn["tool_calls"]:
            reply = json.dumps(world.call(call["name"], call["arguments"], call["id"]))
            said.append({"role": "tool", "tool_call_id": call["id"], "content": reply})
        if not turn["tool_calls"]:
            break
    return BLOCKED


def approved(world: World) -> Completion:
    if world.decision is None:
        world.request_approval("act")
        world.tools.find(x=1)
    else:
        world.model([{"role": "user", "content": "go"}], None)
    return BLOCKED


async def races(world: World) -> Completion:
    first = world.tools.aio.write(x=1)
    await asyncio.gather(first, world.tools.aio.find(x=1), return_exceptions=True)
    return BLOCKED


# Two plans that look the same up to the answer that the last fault spoiled, and are not.
APART = {
    "a request that is still under way": (
        talks,
        "process:act#1:crash",
        "process:act#1:crash/in_flight",
    ),
    "a model that will not stop": (talks, "model#2:repeat", "model#2:loop"),
    "a decision that is to come": (approved, "approval:act#1:twice", "approval:act#1:double_click"),
    "an answer that is yet to be spoiled": (
        races,
        "write#1:once/timeout + find#1:once/wrong",
        "write#1:lost/timeout + find#1:once/wrong",
    ),
}


@pytest.mark.parametrize("name", APART)
def test_what_is_still_to_come_tells_two_states_apart(name: str) -> None:
    agent, one, other = APART[name]
    with Simulation() as simulation:
        lab = Lab(acting, agent, simulation, Space(faults=acting.faults))
        states = [state_after_last_fault(lab.run(FaultPlan.parse(p))[0]) for p in (one, other)]
    assert states[0] != states[1]


def test_a_repeat_that_the_backend_recognised_leads_to_the_same_state() -> None:
    @scenario(at_most_once("act"), resume=True)
    def keyed(world: World) -> None:
        @world.tool(effect="act", scope=("x",), dedup="scope")
        def act(x: int) -> dict:
            return {"ok": True}

    def agent(world: World) -> Completion:
        for _ in range(2):
            try:
                world.tools.act(x=1)
                break
            except TimeoutError:
                continue
        return BLOCKED

    with Simulation() as simulation:
        lab = Lab(keyed, agent, simulation, Space(faults=keyed.faults))
        plans = ("act#1:once/timeout", "act#1:twice/timeout")
        states = {state_after_last_fault(lab.run(FaultPlan.parse(plan))[0]) for plan in plans}
    assert len(states) == 1


def test_a_state_ends_with_the_answer_that_the_last_fault_spoiled() -> None:
    """What the loop does after it is no part of it."""

    def then(looks: bool) -> Callable[[World], Completion]:
        def agent(world: World) -> Completion:
            with suppress(TimeoutError):
                world.tools.act(x=1)
            if looks:
                world.tools.find(x=1)
            return BLOCKED

        return agent

    states = []
    with Simulation() as simulation:
        for looks in (False, True):
            lab = Lab(acting, then(looks), simulation, Space(faults=acting.faults))
            states.append(state_after_last_fault(lab.run(FaultPlan.parse("act#1:once/timeout"))[0]))
            states.append(state_after_last_fault(lab.run(FaultPlan.parse("act#1:lost/timeout"))[0]))
    assert states[:2] == states[2:]
    assert states[0] != states[1]


def test_no_set_of_faults_is_run_in_two_orders() -> None:
    with Simulation() as simulation:
        for number in (0, 2, 5):
            scenario, agent = life(number)
            lab = Lab(scenario, agent, simulation, space_of(scenario))
            level = Level({FaultPlan(): 1}, lab.space)
            for plan in level.plans(lab.run):
                history, crossings = lab.run(plan)
                if level.exists(plan, history):
                    level.grew(plan, history, crossings)
            pairs = list(Level(level.next, lab.space).plans(lab.run))
            assert len(pairs) == len(set(pairs)) > 100


def test_what_is_asked_for_early_and_decided_late_meets_what_comes_between() -> None:
    """The approval's fault strikes after the look-up; its crossing is before it."""
    with Simulation() as simulation:
        lab = Lab(acting, approved, simulation, Space(faults=acting.faults))
        history, crossings = lab.run(FaultPlan.parse("approval:act#1:late"))
        later = [str(crossing.slot) for crossing in after_last_fault(history, crossings)]
    assert later[:2] == ["find#1", "process:find#1"]


def test_what_is_impossible_is_no_plan() -> None:
    """Nobody can cancel a sync loop that never looks: the campaign counts no plan for it."""

    def never_looks(world: World) -> Completion:
        world.tools.find(x=1)
        return BLOCKED

    with Simulation() as simulation:
        space = Space(faults=acting.faults, only=("cancel", "crash", "once/timeout"))
        result = hunt(acting, never_looks, simulation, space=space, depth=1, deep_runs=0)
    assert result.covered() == "all 3 plans with one fault"
    assert result.kinds == {"cancel": 0, "crash": 2, "once/timeout": 1}


def test_coverage_is_said_exactly_for_every_boundary() -> None:
    scenario, agent = life(5)
    with Simulation() as simulation:
        space = space_of(scenario)
        result = hunt(scenario, agent, simulation, space=space, deep_runs=8)
        lab = Lab(scenario, agent, simulation, space)
        (one, _, _), (two, _, _) = brute_force(lab, 2).levels
    skipped = result.levels[1].skipped
    assert skipped > 0
    assert result.covered() == (
        f"all {one} plans with one fault, {two:,} of {two:,} plans with two faults "
        "(first wording of each reply), "
        f"{skipped} skipped as equivalent, {8 // 4} random plans and values"
    )
    struck = {kind for kind, count in result.kinds.items() if count}
    assert {"crash", "duplicate_trigger", "twice", "refused", "double_click"} <= struck
