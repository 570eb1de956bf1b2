"""Who acts: in tasks and threads, over legs, in the model's turns; and where nobody has a name."""

import asyncio
import threading

import pytest

import agentfuzz
from agentfuzz import ScenarioError, World, scenario
from agentfuzz.core.between import Acts, Between, Claimed
from agentfuzz.core.errors import Crash
from agentfuzz.core.events import Called, Done, ModelInput, ModelTurn
from agentfuzz.engine.simulation import Simulation
from agentfuzz.invariants.queries.teams import agent_of, owned_by, owners
from agentfuzz.search.memo.fitness import TEAM, unfit
from agentfuzz.world.injector import FromPlan
from world.team.support import history, told


@scenario(
    task="Refund A17.",
    script={
        "triage": ["Over to billing."],
        "billing": [("refund", {"order_id": "A17"}), "Refunded."],
    },
)
def cast(world: World) -> None:
    @world.tool(effect="refund", scope=("order_id",))
    def refund(order_id: str) -> str:
        return order_id


def asks(world, name):
    with world.acting(name):
        turn = world.model([{"role": "user", "content": world.task}])
    return [made["name"] for made in turn["tool_calls"]] or turn["content"]


def run(agent):
    with Simulation() as simulation:
        return simulation.execute(cast, agent, FromPlan())


def test_each_agent_has_a_script_of_its_own():
    """The model plans by who asks; a second child of a name as the first."""
    said = []

    def agent(world):
        said.extend(asks(world, name) for name in ("triage", "billing", "billing_2"))

    found = run(agent)
    assert said == ["Over to billing.", ["refund"], ["refund"]]
    by = [
        agent_of(found, event) for event in found.events if type(event) in (ModelInput, ModelTurn)
    ]
    assert by == ["triage"] * 2 + ["billing"] * 2 + ["billing_2"] * 2


def test_a_model_that_nobody_is_cast_for():
    """The error says whose scripts there are."""
    with pytest.raises(ScenarioError, match="one for triage, billing"):
        run(lambda world: world.model([]))


@pytest.mark.parametrize("script", [{}, {3: ["x"]}])
def test_a_cast_is_names_and_scripts(script):
    """Anything else is an error where it is written."""
    with pytest.raises(ScenarioError, match="names of agents"):
        scenario(script=script)


def test_where_nobody_has_a_name():
    """There is not one event between agents, and the calls go the quick way."""
    found = history(lambda world: world.tools.refund(order_id="A17"))
    assert not any(isinstance(event, Between) for event in found.events)
    assert agent_of(found, found.of(Called)[0]) == ""


def test_names_hold_in_tasks_and_end_with_their_block():
    """A task begun within keeps the name; what comes after the block is nobody's again."""
    seen = []

    async def later(world):
        await asyncio.sleep(1)
        await world.tools.aio.refund(order_id="A1")
        seen.append(world.agent)

    async def agent(world):
        with world.acting("lead"):
            task = asyncio.create_task(later(world))
        await world.tools.aio.refund(order_id="A2")
        await task

    found = history(agent)
    assert seen == ["lead"]
    assert [agent_of(found, call) for call in found.of(Called)] == ["", "lead"]
    assert told(found, Acts) == [("lead",)]


def test_who_acts_is_said_again_after_a_crash():
    """The last word of a process that died is gone with it."""

    def agent(world):
        with world.acting("billing"):
            world.tools.refund(order_id="A17")

    found = history(agent, "process:refund#1:crash/before")
    assert [agent_of(found, call) for call in found.of(Called)] == ["billing"] * 2
    assert told(found, Acts) == [("billing",)] * 2


def test_a_name_of_another_run_is_not_known():
    """Whoever set one around the campaign, or never left its block."""

    def never_leaves(world):
        world.acting("ghost").__enter__()
        world.tools.refund(order_id="A17")

    with Simulation() as simulation:
        simulation.execute(cast, never_leaves, FromPlan())
        found = simulation.execute(cast, lambda w: w.tools.refund(order_id="A17"), FromPlan())
    assert agent_of(found, found.of(Called)[0]) == ""


def test_a_thread_has_the_name_that_it_takes():
    """A thread of its own begins without one."""

    def work(world, name):
        with world.acting(name):
            world.tools.refund(order_id=name)

    def agent(world):
        threads = [threading.Thread(target=work, args=(world, n)) for n in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    found = history(agent)
    assert {agent_of(found, call): call.args["order_id"] for call in found.of(Called)} == {
        "a": "a",
        "b": "b",
    }


def test_the_completion_is_somebodys():
    """The done tool and what a run returns are told with who acted last."""

    def agent(world):
        with world.acting("billing"):
            world.tools.done(status="success")

    found = history(agent)
    assert agent_of(found, found.of(Done)[0]) == "billing"


def test_a_claim():
    """What was found, and what it rests on."""

    def agent(world):
        with world.acting("scout"):
            world.claim("total", {"sum": 4200}, ["call_1"])

    assert told(history(agent), Claimed) == [("scout", "total", {"sum": 4200}, ("call_1",))]


def test_owners():
    """First whoever sends without having accepted, then whoever accepts."""

    def agent(world):
        with world.acting("triage"):
            world.handoff("billing", {"task": "A17"})
        with world.acting("billing"):
            world.inbox_of("billing").take().accept()
            world.tools.refund(order_id="A17")

    found = history(agent)
    assert [(one.agent, one.task) for one in owners(found)] == [
        ("triage", "A17"),
        ("billing", "A17"),
    ]
    end = len(found.events) - 1
    assert owned_by(found, "triage", 1) == {"A17"}
    assert owned_by(found, "triage", end) == set()
    assert owned_by(found, "billing", end) == {"A17"}


def test_no_memo_of_a_team():
    """What passes between agents is on no tape."""
    found = history(lambda world: world.handoff("billing", {"task": "A17"}))
    assert unfit(found) == TEAM


def test_a_process_of_its_own_has_no_team():
    """The error names the place, not a handoff that nobody gets."""

    def agent(world):
        world.handoff("billing", {"task": "A17"})

    with pytest.raises(ScenarioError, match="live in the process of the run"):
        agentfuzz.run(cast, agentfuzz.in_child(agent), "")


ASKS = [
    lambda world: world.acting("triage"),
    lambda world: world.handoff("billing", {"task": "A17"}),
    lambda world: world.inbox_of("billing"),
]


@pytest.mark.parametrize("asks", ASKS)
def test_a_team_that_the_scenario_named_does_not_move_either(asks):
    """It was found before the process was forked."""

    @scenario(task="Refund A17.")
    def desk(world: World) -> None:
        world.agents("triage", "billing")

    with pytest.raises(ScenarioError, match="live in the process of the run"):
        agentfuzz.run(desk, agentfuzz.in_child(asks), "")


@pytest.mark.parametrize("asks", ASKS)
def test_a_dead_process_has_no_team(asks):
    """Its world was asked before it died; the one that is started again asks its own."""

    @scenario(task="Refund A17.", resume=True)
    def desk(world: World) -> None:
        worlds.clear()

        @world.tool(effect="refund", scope=("order_id",))
        def refund(order_id: str) -> str:
            return order_id

    def agent(world):
        worlds.append(world)
        asks(world)
        if len(worlds) == 2:
            with pytest.raises(Crash):
                asks(worlds[0])
            asks(world)
        world.tools.refund(order_id="A17")

    worlds: list[World] = []
    found = agentfuzz.run(desk, agent, "process:refund#1:crash")
    assert len(worlds) == 2
    assert found.history.ended.how == "returned"


@pytest.mark.parametrize("name", ["", None, 3])
def test_an_agent_has_a_name(name):
    """Anything else is an error where it is said."""
    with pytest.raises(ScenarioError, match="no name of an agent"):
        history(lambda world: world.agents(name))
