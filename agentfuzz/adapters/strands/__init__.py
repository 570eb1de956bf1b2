"""Strands Agents: a world's tools and model as its own.

Law: the event loop, its retries and its error handling are the framework's, and so is the client
of a provider, behind which the world answers (`agentfuzz.wire`). Called by agents under test:

    agent = Agent(
        model=adapters.strands.model(world),
        tools=adapters.strands.tools(world),
        callback_handler=None,
    )
    return adapters.strands.outcome(await agent.invoke_async(world.task))

`model` is the framework's OpenAIModel, since 1.24; `anthropic_model(world)` is its AnthropicModel.
`swarm(world, agents)` is its Swarm, whose handoffs cross the world.

adapter     Strands: an agent, or a swarm of them, awaited, called, streamed
agents      what a setup asks for, as agents;  endings: why a run ended
model       the models of the framework, asked by an agent of a world
tools       a world's tools
hooks       approvals, and an audit of each turn's tools
session     a repository of sessions, whose writes are saves of the world
swarm       a Swarm whose handoffs are those of the world
"""

from agentfuzz.adapters.strands.adapter import Strands
from agentfuzz.adapters.strands.hooks import Approvals, Audit
from agentfuzz.adapters.strands.model import ChatModel, MessagesModel, anthropic_model
from agentfuzz.adapters.strands.session import Repository
from agentfuzz.adapters.strands.swarm import swarm

__all__ = [
    "ADAPTER",
    "Approvals",
    "Audit",
    "ChatModel",
    "MessagesModel",
    "Repository",
    "Strands",
    "anthropic_model",
    "model",
    "outcome",
    "swarm",
    "tools",
]

ADAPTER = Strands()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
