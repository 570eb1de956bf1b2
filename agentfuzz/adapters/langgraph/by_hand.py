"""The loop that LangGraph's documentation has its users write: a graph by hand.

Law: it is what the documentation shows, with the framework's defaults; options go to where the
framework takes them. Called by the langgraph adapter.
"""

from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Send

from agentfuzz.adapters.contract import Setup, taken
from agentfuzz.adapters.langgraph.team import Cast, Member, State, asking, whole
from agentfuzz.core.completion import Completion

NODE = ("retry_policy", "timeout", "cache_policy", "error_handler")  # what is said to a node


def by_hand(setup: Setup, cast: Cast, saver: Any, more: dict[str, Any]) -> Any:
    """A graph of a model and a ToolNode; with approvals each call is a step of its own, and the
    interrupts lie in the tools."""
    node, handled = taken(more, NODE), taken(more, ("handle_tool_errors",))

    def made(one: Member, saver: Any) -> Any:
        tools = asking(setup, one.tools)
        bound, last = one.model.bind_tools(tools), "answer" if setup.typed else END

        async def model(state: State) -> dict[str, Any]:
            return {"messages": [await bound.ainvoke(state["messages"])]}

        async def answer(state: State) -> dict[str, Any]:
            typed = one.model.with_structured_output(Completion)
            return {"structured_response": await typed.ainvoke(state["messages"])}

        def goes_on(state: State) -> Any:
            messages: list[Any] = state["messages"]
            if setup.approvals and messages[-1].tool_calls:
                return [Send("tools", [call]) for call in messages[-1].tool_calls]
            return tools_condition({"messages": messages})

        graph = StateGraph(State)
        graph.add_node("model", model)
        graph.add_node("tools", ToolNode(tools, **handled), **node)
        graph.add_node("answer", answer)
        graph.add_edge(START, "model")
        graph.add_conditional_edges("model", goes_on, {"tools": "tools", END: last})
        graph.add_edge("tools", "model")
        return graph.compile(checkpointer=saver, **more)

    return whole(made)(setup, cast, saver)
