"""smolagents: a world's tools and model as its own.

Law: the steps, the memory and the error handling are the framework's; the rest of this room only
puts messages into other words. A closing in words is a call of `final_answer`, as the framework
ends by one. Called by agents under test:

    agent = ToolCallingAgent(
        tools=adapters.smolagents.tools(world),
        model=adapters.smolagents.model(world),
        return_full_result=True,
        verbosity_level=LogLevel.OFF,
    )
    return adapters.smolagents.outcome(agent.run(world.task))

A CodeAgent is given `code_model(world)`, whose turns are blocks of Python. A managed agent is a
tool of the agent that has it in `managed_agents`, with a conversation of its own: give it
`model(world, agent="name")`. The framework is sync; the calls of one turn run in a pool of threads,
which is ordered as all are.

adapter     Smolagents: its agents, run plain, streamed, and by code
model       the model of a ToolCallingAgent;  words, turns: what it is shown, what it says
code        the model of a CodeAgent;  blocks: a turn as a block of Python, and back
tools       a world's tools, and the one that ends a task with a Completion
memory      the memory of an agent, whose steps are saves of the world
"""

from agentfuzz.adapters.smolagents.adapter import Smolagents
from agentfuzz.adapters.smolagents.code import CodeModel
from agentfuzz.adapters.smolagents.memory import Memory
from agentfuzz.adapters.smolagents.model import SimulatedModel
from agentfuzz.adapters.smolagents.tools import TypedAnswer, WorldTool

__all__ = [
    "ADAPTER",
    "CodeModel",
    "Memory",
    "SimulatedModel",
    "Smolagents",
    "TypedAnswer",
    "WorldTool",
    "code_model",
    "model",
    "outcome",
    "tools",
]

ADAPTER = Smolagents()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
code_model = CodeModel
