"""LlamaIndex: a world's tools and model as its own, and its agents.

Law: the loop, its memory and its limits are LlamaIndex's own; the model is its OpenAILike over HTTP
clients of the world's wire. Called by agents under test:

    agent = FunctionAgent(
        llm=adapters.llama_index.model(world),
        tools=adapters.llama_index.tools(world),
    )
    return adapters.llama_index.outcome(await agent.run(user_msg=world.task))

What else the model is given is its own (`max_retries=0`). A ReActAgent, whose model writes its
actions into its text, is given `react_model(world)`. `workflow(world, agents)` is its
AgentWorkflow, whose handoffs cross the world.

adapter     LlamaIndex: its agents and workflows
agents      what a setup asks for, as agents, and their run
model       its model for what speaks as OpenAI does, with the world's clients
react       the same, whose turns are ReAct's texts;  text: those texts, read and written
tools       a world's tools;  handoffs: an AgentWorkflow whose handoffs cross the world
memory      its memory, whose writes are saves of the world
runs        what a process keeps of the runs of workflows
"""

from agentfuzz.adapters.llama_index.adapter import LlamaIndex
from agentfuzz.adapters.llama_index.handoffs import workflow
from agentfuzz.adapters.llama_index.memory import WorldMemory
from agentfuzz.adapters.llama_index.react import ReactLLM, react_model

__all__ = [
    "ADAPTER",
    "LlamaIndex",
    "ReactLLM",
    "WorldMemory",
    "model",
    "outcome",
    "react_model",
    "tools",
    "workflow",
]

ADAPTER = LlamaIndex()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
