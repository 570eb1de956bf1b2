"""LangGraph's prebuilt tool-calling agent with its default settings."""

from langchain.agents import create_agent

from agentfuzz import adapters, fuzz
from agentfuzz.scenarios.charge_order import charge_order


@fuzz(charge_order)
def test_langgraph(world):
    tools = adapters.langgraph.tools(world, key="call_id")
    graph = create_agent(adapters.langgraph.model(world), tools)
    return adapters.langgraph.outcome(graph.invoke({"messages": [("user", world.task)]}))
