"""LangGraph's prebuilt agent with its SQLite checkpointer, in a process that is really killed."""

import sqlite3

from langchain.agents import create_agent
from langgraph.checkpoint.sqlite import SqliteSaver

from agentfuzz import Completion, adapters, exactly_once, fuzz, in_child, scenario

CONFIG = {"configurable": {"thread_id": "A17"}}


@scenario(
    exactly_once("charge"),
    task="Charge order A17.",
    script=[("charge_card", {"order_id": "A17", "cents": 4200}), "Charged."],
    resume=True,
)
def charge_and_die(world):
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str, cents: int) -> str:
        """Charge the card of an order."""
        return f"charged {order_id}"


def billing(world, place):
    """Go on where the last checkpoint says, or begin."""
    if world.leg == 1:
        place.unlink(missing_ok=True)
    connection = sqlite3.connect(place, check_same_thread=False)
    store = adapters.langgraph.checkpointer(world, SqliteSaver(connection))
    tools = adapters.langgraph.tools(world)
    graph = create_agent(adapters.langgraph.model(world), tools, checkpointer=store)
    begun = graph.get_state(CONFIG).values
    graph.invoke(None if begun else {"messages": [("user", world.task)]}, CONFIG)
    connection.close()
    return Completion.success(handle="A17")


@fuzz(charge_and_die, only=("crash",))
def test_langgraph_killed(world, tmp_path):
    return in_child(lambda world: billing(world, tmp_path / "checkpoints.sqlite"))(world)
