"""AutoGen: agents and teams of AgentChat over a world's model and tools.

Law: agents, teams, their workbench and their client are AutoGen's; the model answers by the wire.
Works from autogen-agentchat 0.4.2 on. Called by agents under test:

    agent = AssistantAgent(
        "billing",
        model_client=adapters.autogen.model(world),
        tools=adapters.autogen.tools(world),
        max_tool_iterations=12,
    )
    return adapters.autogen.outcome(await agent.run(task=world.task))

The default loop, `contract.agent(adapters.autogen.ADAPTER)`, takes the words of `AssistantAgent`,
of its client (`max_retries`) and of a team (`max_turns`). It allows twelve rounds of tools, for
AutoGen's own default is one, whose raw result is the answer. `swarm(world, agents)` is its Swarm,
whose handoffs cross the world.

adapter     AutoGen: an agent, or a team, run and streamed
agents      what a setup asks for, as agents and teams
model       its client for what speaks as OpenAI does, with the world's hands
tools       a world's tools
swarm       a Swarm whose handoffs are those of the world;  handed: what they carry
session     the state of an agent or a team, from leg to leg
"""

from agentfuzz.adapters.autogen.adapter import AutoGen
from agentfuzz.adapters.autogen.agents import ROUNDS, SaysText
from agentfuzz.adapters.autogen.session import Session
from agentfuzz.adapters.autogen.swarm import swarm
from agentfuzz.adapters.autogen.tools import WorldTool

__all__ = [
    "ADAPTER",
    "ROUNDS",
    "AutoGen",
    "SaysText",
    "Session",
    "WorldTool",
    "model",
    "outcome",
    "swarm",
    "tools",
]

ADAPTER = AutoGen()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
