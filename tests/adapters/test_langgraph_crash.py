"""LangGraph's checkpointers and durable tasks under crashes: what survives, and what happens twice.

The store is the framework's own, in a file or in an object that outlives the agent; the process
dies in place, and for real, by SIGKILL.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langgraph")
pytest.importorskip("langchain")
pytest.importorskip("langgraph.checkpoint.sqlite")

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from agentfuzz import Completion, World, adapters, exactly_once, in_child, scenario
from agentfuzz.core.events import Called, Committed, Crashed, Resumed, Saved
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import unique
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.report.formats import terminal
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space
from agentfuzz.world.injector import FromPlan
from tests.extent import upto

lg = adapters.langgraph
CONFIG: Any = {"configurable": {"thread_id": "thread-7"}}
killed = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@scenario(
    exactly_once("charge"),
    task="Charge order A17.",
    script=[("charge_card", {"order_id": "A17", "amount": 42}), "Charged."],
    resume=True,
)
def charge_order(world: World) -> None:
    world.state["saver"] = InMemorySaver()  # outlives the agent's process

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, amount: int, idempotency_key: str | None = None) -> str:
        """Charge the card of an order."""
        return f"charged {order_id}"


def by_thread(tool: str, arguments: Any, call_id: str) -> str:
    """The key of a survivor: what is the same before the crash and after it."""
    return f"{CONFIG['configurable']['thread_id']}:{tool}:{arguments['order_id']}"


def react(model: Any, tools: Any, checkpointer: Any) -> Any:
    return create_agent(model, tools, checkpointer=checkpointer)


def by_hand(model: Any, tools: Any, checkpointer: Any) -> Any:
    """The same as a graph of one's own, with a ToolNode."""
    graph, asking = StateGraph(MessagesState), model.bind_tools(tools)
    graph.add_node("model", lambda state: {"messages": [asking.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition, {"tools": "tools", END: END})
    graph.add_edge("tools", "model")
    return graph.compile(checkpointer=checkpointer)


def resumed(graph: Any, world: World) -> Completion:
    """Go on where a checkpoint says, or begin; success rests on the tool's message."""
    begun = graph.get_state(CONFIG).values
    state = graph.invoke(None if begun else {"messages": [("user", world.task)]}, CONFIG)
    found = [each.text for each in state["messages"] if each.type == "tool"]
    return Completion.success(handle="A17") if "charged A17" in found else Completion.failed()


def in_memory(make: Any, key: Any = None) -> Agent:
    """An agent with an InMemorySaver that the process's death does not touch."""

    def agent(world: World) -> Completion:
        saver = world.state["saver"]
        store = lg.checkpointer(world, saver)
        return resumed(make(lg.model(world), lg.tools(world, key=key), store), world)

    return agent


def in_memory_async(make: Any, key: Any = None) -> Agent:
    async def agent(world: World) -> Completion:
        saver = world.state["saver"]
        store = lg.checkpointer(world, saver)
        graph = make(lg.model(world), lg.tools(world, key=key), store)
        begun = (await graph.aget_state(CONFIG)).values
        messages = {"messages": [("user", world.task)]}
        state = await graph.ainvoke(None if begun else messages, CONFIG)
        found = [each.text for each in state["messages"] if each.type == "tool"]
        return Completion.success(handle="A17") if "charged A17" in found else Completion.failed()

    return agent


def in_sqlite(place: Path, make: Any, key: Any = None) -> Agent:
    """An agent with a SqliteSaver in a file of its run."""

    def agent(world: World) -> Completion:
        path = place / "checkpoints.sqlite"
        if world.leg == 1:
            path.unlink(missing_ok=True)
        connection = sqlite3.connect(path, check_same_thread=False)
        store = lg.checkpointer(world, SqliteSaver(connection))
        try:
            return resumed(make(lg.model(world), lg.tools(world, key=key), store), world)
        finally:
            connection.close()

    return agent


@pytest.fixture(scope="module")
def simulation() -> Any:
    with Simulation() as entered:
        yield entered


def campaign(
    agent: Agent,
    simulation: Simulation,
    story: Scenario = charge_order,
    depth: int = 1,
    max_runs: int = 100_000,
) -> CampaignResult:
    """Every plan with so many crashes."""
    found = Campaign(
        story,
        agent,
        simulation,
        nodeid="tests/test_billing.py::test_agent",
        space=Space(faults=story.faults, only=("crash",)),
        budget=Budget(depth=depth, deep_runs=0, max_seconds=600.0, max_runs=max_runs),
    )
    found.search()
    return found.result()


def shown(result: CampaignResult) -> list[str]:
    return [f"{one.code} {one.plan}" for one in result.findings]


def under(simulation: Simulation, agent: Agent, plan: str, story: Any = charge_order) -> History:
    return simulation.execute(story, agent, FromPlan(FaultPlan.parse(plan), process=True))


SAVES = ["checkpoint#1", "writes#1", "checkpoint#2", "writes#2", "checkpoint#3", "writes#3",
         "checkpoint#4", "writes#4", "checkpoint#5"]  # fmt: skip
# Where the process may die in the run without faults, and be found to have charged twice: between
# the charge and the write of its result.
TWICE = {"process:charge_card#1:crash/after", "store:writes#3:crash"}
PLACES = [
    *(f"store:{save}:crash{moment}" for save in SAVES for moment in ("", "/after")),
    "turn#1:crash", "turn#2:crash", "end#1:crash",
    *(f"process:charge_card#1:crash{moment}" for moment in ("", "/after", "/in_flight")),
]  # fmt: skip
MAKERS = [pytest.param(react, id="create_agent"), pytest.param(by_hand, id="StateGraph")]


@pytest.mark.parametrize("kind", [in_memory, in_memory_async])
@pytest.mark.parametrize("make", MAKERS)
def test_the_saves_of_a_run(simulation: Simulation, kind: Any, make: Any) -> None:
    """Two a step: what its task has come to, and the checkpoint of the whole."""
    history = under(simulation, kind(make), "")
    assert [save.slot.name for save in history.of(Saved)] == [
        name.partition("#")[0] for name in SAVES
    ]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("make", MAKERS)
def test_each_place_in_one_process(simulation: Simulation, make: Any, place: str) -> None:
    """The graph goes on from its last checkpoint; what was done since is done again."""
    history = under(simulation, in_memory(make), place)
    assert len(history.of(Crashed)) == 1
    assert [event.why for event in history.of(Resumed)] == ["restart"]
    late = place == "process:charge_card#1:crash/in_flight"  # the request arrives after all
    assert len(history.of(Committed)) == (2 if place in TWICE or late else 1)
    assert history.claim == "success"


@pytest.mark.parametrize("kind", [in_memory, in_memory_async])
@pytest.mark.parametrize("make", MAKERS)
def test_an_in_memory_campaign(simulation: Simulation, kind: Any, make: Any) -> None:
    found = campaign(kind(make), simulation)
    assert shown(found) == ["AF101 store:writes#3:crash"]
    assert found.kinds["crash"] >= len(SAVES) + 4
    assert shown(campaign(kind(make, "call_id"), simulation)) == []
    assert shown(campaign(kind(make, by_thread), simulation)) == []


@pytest.mark.slow
def test_a_survivor_of_two_crashes(simulation: Simulation) -> None:
    agent, runs = in_memory(react, by_thread), upto(150, 100_000)
    assert shown(campaign(agent, simulation, depth=2, max_runs=runs)) == []


@killed
@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_each_place_by_sigkill(simulation: Simulation, tmp_path: Path, place: str) -> None:
    """SQLite in a file, and a process that is really gone: the same as in one process."""
    agent = in_sqlite(tmp_path, react)
    history = under(simulation, in_child(agent), place)
    assert history.events == under(simulation, in_memory(react), place).events


@killed
@pytest.mark.slow
def test_the_report_of_a_sigkill_campaign(simulation: Simulation, tmp_path: Path) -> None:
    found = campaign(in_child(in_sqlite(tmp_path, by_hand)), simulation)
    assert shown(found) == ["AF101 store:writes#3:crash"]
    page = terminal.blocks(found.findings[:1])
    assert "AF101 charge_card ran 2x, expected 1" in page
    assert "store:writes#3:crash" in page
    assert shown(campaign(in_child(in_sqlite(tmp_path, by_hand, by_thread)), simulation)) == []


@killed
@pytest.mark.slow
@pytest.mark.parametrize("plan", ["process:charge_card#1:crash/after"])
def test_the_charge_that_happens_twice(simulation: Simulation, tmp_path: Path, plan: str) -> None:
    child = in_child(in_sqlite(tmp_path, react))
    story = charge_order
    baseline = under(simulation, child, "")
    history = under(simulation, child, plan)
    verdicts = story.judge(history, baseline)
    broken = unique(v for verdict in verdicts for v in verdict.violations)
    assert [(one.code, one.title) for one in broken] == [
        ("AF101", "charge_card ran 2x, expected 1")
    ]


@killed
def test_an_async_saver_with_a_thread_of_its_own(simulation: Simulation, tmp_path: Path) -> None:
    """AsyncSqliteSaver talks to SQLite on a thread, which only a real process takes along when it
    dies; in one process the dead one's thread would keep the database locked."""
    path = tmp_path / "async.sqlite"

    async def agent(world: World) -> Completion:
        if world.leg == 1:
            path.unlink(missing_ok=True)
        async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
            graph = react(lg.model(world), lg.tools(world), lg.checkpointer(world, saver))
            begun = (await graph.aget_state(CONFIG)).values
            messages = {"messages": [("user", world.task)]}
            await graph.ainvoke(None if begun else messages, CONFIG)
            return Completion.success(handle="A17")

    assert len(under(simulation, in_child(agent), "").ledger) == 1
    history = under(simulation, in_child(agent), "process:charge_card#1:crash/after")
    assert history.endings == ["crashed", "returned"]
    assert len(history.ledger) == 2


# Durable tasks ----------------------------------------------------------------------------


def durable(keyed: bool, saver_of: Callable[[World], Any]) -> Agent:
    """The functional API: a task whose result is kept, and a workflow that is begun again."""

    def agent(world: World) -> Completion:
        @task
        def charge(order_id: str) -> str:
            key = {"idempotency_key": f"thread-7:{order_id}"} if keyed else {}
            return str(world.tools.charge_card(order_id=order_id, amount=42, **key))

        @entrypoint(checkpointer=lg.checkpointer(world, saver_of(world)))
        def workflow(orders: list[str]) -> list[str]:
            return [charge(order).result() for order in orders]

        begun = workflow.get_state(CONFIG).config["configurable"].get("checkpoint_id")
        done = workflow.invoke(None if begun else ["A17", "B18"], CONFIG)
        return Completion.success(handle="A17") if len(done) == 2 else Completion.failed()

    return agent


@scenario(exactly_once("charge"), task="Charge A17 and B18.", resume=True)
def charge_two(world: World) -> None:
    world.state["saver"] = InMemorySaver()

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, amount: int, idempotency_key: str | None = None) -> str:
        return f"charged {order_id}"


def shared(world: World) -> Any:
    return world.state["saver"]


@pytest.mark.parametrize(
    ("place", "orders"),
    [
        ("process:charge_card#1:crash/after", ["A17", "A17", "B18"]),
        ("store:writes#1:crash", ["A17", "A17", "B18"]),
        ("store:writes#1:crash/after", ["A17", "B18"]),
        ("process:charge_card#2:crash", ["A17", "B18"]),
        ("process:charge_card#2:crash/after", ["A17", "B18", "B18"]),
        ("store:writes#2:crash/after", ["A17", "B18"]),
    ],
)
def test_a_durable_task_is_done_again_until_its_result_is_kept(
    simulation: Simulation, place: str, orders: list[str]
) -> None:
    history = under(simulation, durable(False, shared), place, charge_two)
    assert [commit.args["order_id"] for commit in history.of(Committed)] == orders
    keyed = under(simulation, durable(True, shared), place, charge_two)
    assert [commit.args["order_id"] for commit in keyed.of(Committed)] == ["A17", "B18"]
    assert len(keyed.of(Called)) == len(orders) + (place == "process:charge_card#2:crash")


def test_a_campaign_of_durable_tasks(simulation: Simulation) -> None:
    assert shown(campaign(durable(False, shared), simulation, charge_two)) == [
        "AF101 store:writes#1:crash"
    ]
    assert shown(campaign(durable(True, shared), simulation, charge_two)) == []


@killed
def test_a_durable_task_by_sigkill(simulation: Simulation, tmp_path: Path) -> None:
    def on_disk(world: World) -> Any:
        path = tmp_path / "tasks.sqlite"
        if world.leg == 1:
            path.unlink(missing_ok=True)
        return SqliteSaver(sqlite3.connect(path, check_same_thread=False))

    child = in_child(durable(False, on_disk))
    for place in ("store:writes#1:crash", "store:writes#1:crash/after"):
        plan = place
        here = under(simulation, durable(False, shared), plan, charge_two)
        assert under(simulation, child, plan, charge_two).events == here.events
