"""The agents of a loop, one or several, and the graph in which they hand over to each other.

Law: the graph of one agent is its own; several are the nodes of a graph, which goes on with whom it
was handed to. Called by the loops.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool
from langgraph.graph import START, MessagesState, StateGraph

from agentfuzz.adapters.contract import Setup
from agentfuzz.adapters.langgraph.tools import WorldTool
from agentfuzz.core.completion import Completion


class Member(NamedTuple):
    """One agent: its model, its tools, and what to enter to act as it."""

    model: Any
    tools: list[BaseTool]
    acting: Callable[[], AbstractContextManager[None]]


Cast = Mapping[str, Member]
Build = Callable[[Setup, Cast, Any, dict[str, Any]], Any]


class State(MessagesState, total=False):
    """The state of a graph by hand, and of several agents."""

    structured_response: Completion
    active: str


def whole(made: Callable[[Member, Any], Any]) -> Callable[[Setup, Cast, Any], Any]:
    """The graph of the only agent, or one whose nodes are the graphs of several."""

    def graph_of(setup: Setup, cast: Cast, saver: Any) -> Any:
        if not setup.agents:
            return made(cast[""], saver)
        graph = StateGraph(State)
        for name, one in cast.items():
            graph.add_node(name, _node(made(one, None), one))
        graph.add_conditional_edges(
            START, lambda state: state.get("active") or setup.agents[0], list(cast)
        )
        return graph.compile(checkpointer=saver)

    return graph_of


def _node(graph: Any, one: Member) -> Any:
    def node(state: State) -> dict[str, Any]:
        with one.acting():
            return {"messages": graph.invoke({"messages": state["messages"]})["messages"]}

    async def anode(state: State) -> dict[str, Any]:
        with one.acting():
            came = await graph.ainvoke({"messages": state["messages"]})
        return {"messages": came["messages"]}

    return RunnableLambda(node, afunc=anode)


def asking(setup: Setup, tools: list[BaseTool]) -> list[BaseTool]:
    """The tools, of which those that wait interrupt the graph to ask a person first."""
    for one in tools:
        if isinstance(one, WorldTool) and one.name in setup.approvals:
            one.asking()
    return tools
