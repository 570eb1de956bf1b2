"""The OpenAI Agents SDK: a world's tools, model and runs as its own.

Law: the runner and its error handling are the SDK's; this room only puts items into other words.
Called by agents under test:

    agent = Agent(
        name="billing",
        model=adapters.openai_agents.model(world),
        tools=adapters.openai_agents.tools(world),
    )
    return adapters.openai_agents.outcome(await Runner.run(agent, world.task))

`model(world, api="chat")` and `api="responses"` are the SDK's own models over a client of the wire,
with the client's own retries; what else they are given is the client's (`max_retries=0`). Tools may
wait for a person, or fail for good: `tools(world, needs_approval=("refund",),
failure_error_function=None)`; a session's writes are places to die at: `session(world,
SQLiteSession("s"))`. Of several agents each says who it is, and hands over with `handoff`:

    billing = Agent(name="billing", model=model(world, agent="billing"), ...)
    triage = Agent(name="triage", model=model(world, agent="triage"), handoffs=[
        handoff(world, billing)])

Naming the model switches the SDK's tracing off, in this process: its exporter wants the network.

adapter     OpenAIAgents: its entrypoints, its limits, its endings
loops       agents and runs;  session: a store of the conversation
model       the models;  native: without a protocol, of items and offers
tools       a world's tools as function tools
handoffs    handoffs of a world;  typed, conversation: what is handed over
"""

from agentfuzz.adapters.openai_agents.adapter import OpenAIAgents
from agentfuzz.adapters.openai_agents.handoffs import handoff
from agentfuzz.adapters.openai_agents.session import session

__all__ = ["ADAPTER", "OpenAIAgents", "handoff", "model", "outcome", "session", "tools"]

ADAPTER = OpenAIAgents()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
