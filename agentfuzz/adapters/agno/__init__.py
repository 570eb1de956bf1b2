"""Agno: a world's tools and model as its own, and its agent's runs.

Law: the loop, its retries and its pauses are Agno's own; the model is its OpenAIChat over a client
of the world's wire. Called by agents under test:

    agent = Agent(
        model=adapters.agno.model(world),
        tools=adapters.agno.tools(world),
        telemetry=False,
    )
    return adapters.agno.outcome(agent.run(world.task))

What else the model is given is the client's (`max_retries=0`). `tool_call_limit` is no limit of the
run: calls beyond it are answered with an error, and the run goes on.

adapter     Agno: its agent, run and streamed, sync and async
agents      what a setup asks for, as an agent and the words of its run
model       its model for OpenAI, with the world's clients
tools       a world's tools
session     its database in memory, whose writes are saves of the world
"""

from agentfuzz.adapters.agno.adapter import Agno
from agentfuzz.adapters.agno.session import WorldDb

__all__ = ["ADAPTER", "Agno", "WorldDb", "model", "outcome", "tools"]

ADAPTER = Agno()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
