"""LangGraph and LangChain: a world's tools and model as LangChain's own.

Law: the graph, its executor and its error handling are the framework's; this room only puts
messages into other words. Works with `langchain.agents.create_agent`, with
`langgraph.prebuilt.create_react_agent`, with a plain `ToolNode` and with tasks, by `invoke` and
`ainvoke`, from LangGraph 0.6 on. Called by agents under test:

    agent = create_agent(adapters.langgraph.model(world), adapters.langgraph.tools(world))
    return adapters.langgraph.outcome(agent.invoke({"messages": [("user", world.task)]}))

The thread pools of a sync graph are ordered as all pools are (see `runtime.thread_pools`).
LangSmith's tracing, where it was on, is switched off in this process: it wants the network.

adapter     LangGraph: its entrypoints, its limits, its endings
loops       how a graph is run;  prebuilt, by_hand, functional, team: how it is built
model       the chat model, of messages and offers;  clients: LangChain's own models
tools       a world's tools;  pauses: calls that wait;  handoffs: Commands and Sends
checkpoints a checkpointer in a world;  tracing: what wants the network
"""

from agentfuzz.adapters.langgraph.adapter import LangGraph
from agentfuzz.adapters.langgraph.checkpoints import checkpointer
from agentfuzz.adapters.langgraph.handoffs import command, send

__all__ = ["ADAPTER", "LangGraph", "checkpointer", "command", "model", "outcome", "send", "tools"]

ADAPTER = LangGraph()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
