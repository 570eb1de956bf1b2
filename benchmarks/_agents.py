"""The agents of several benchmarks: of LangGraph, of the OpenAI Agents SDK, and a plain loop.

Law: they read the same in every version of agentfuzz. Imported by `workers`, `memo` and `against`.
"""

from typing import Any

from agentfuzz import Completion, World, adapters, exactly_once, scenario

lg, oa = adapters.langgraph, adapters.openai_agents


@scenario(
    exactly_once("charge"),
    task="Charge order A17.",
    script=[("charge_card", {"order_id": "A17"}), "Order A17 is charged."],
)
def charge_order(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge_card(order_id: str) -> dict:
        """Charge the card of an order."""
        return {"charge_id": "ch_1"}


@scenario(
    exactly_once("charge"),
    task="Charge order A17.",
    script=[("charge_card", {"order_id": "A17"}), "Order A17 is charged."],
)
def charge_twice(world: World) -> None:
    """The same, whose backend recognises no repeat."""

    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str) -> dict:
        """Charge the card of an order."""
        return {"charge_id": "ch_1"}


def langgraph(world: World) -> Any:
    from langchain.agents import create_agent

    state = create_agent(lg.model(world), lg.tools(world)).invoke(
        {"messages": [("user", world.task)]}
    )
    return lg.outcome(state) or state["messages"][-1].text


async def openai_agents(world: World) -> Any:
    from agents import Agent, Runner

    agent = Agent(name="billing", model=oa.model(world), tools=oa.tools(world))
    result = await Runner.run(agent, world.task)
    return oa.outcome(result) or result.final_output


def plain(world: World) -> Any:
    try:
        world.tools.charge_card(order_id="A17")
    except Exception:
        return Completion.blocked()
    return Completion.success(handle="ch_1")


AGENTS = (langgraph, openai_agents, plain)
