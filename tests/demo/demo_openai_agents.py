"""The OpenAI Agents SDK with its default settings."""

from agents import Agent, Runner

from agentfuzz import adapters, fuzz
from agentfuzz.scenarios.charge_order import charge_order


@fuzz(charge_order)
async def test_openai_agents(world):
    tools = adapters.openai_agents.tools(world, key="call_id")
    agent = Agent(name="billing", model=adapters.openai_agents.model(world), tools=tools)
    return adapters.openai_agents.outcome(await Runner.run(agent, world.task))
