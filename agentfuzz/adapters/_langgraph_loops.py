"""The loops that LangGraph's users have: prebuilt ones, and those that its documentation has them
write: a graph by hand, a workflow of tasks, agents that hand over by Commands.

Law: each is what the documentation shows, with the framework's defaults; options go to where the
framework takes them. Called by the langgraph adapter.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Any, NamedTuple

from langchain_core.messages import AIMessage, ToolMessage, convert_to_messages
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, create_react_agent, tools_condition
from langgraph.types import Command, Send

from agentfuzz.adapters._langchain_tools import WorldTool
from agentfuzz.adapters._langgraph_handoffs import passed
from agentfuzz.adapters._langgraph_pauses import allowed
from agentfuzz.adapters.contract import Setup
from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.core.completion import Completion
from agentfuzz.world.world import World

NODE = ("retry_policy", "timeout", "cache_policy", "error_handler")  # what is said to a node


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


# Prebuilt ----------------------------------------------------------------------------------


def parts() -> tuple[Any, Any]:
    """`create_agent`, and the middleware that waits for a person."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware

    return create_agent, HumanInTheLoopMiddleware


def prebuilt(setup: Setup, cast: Cast, saver: Any, more: dict[str, Any]) -> Any:
    """`langchain.agents.create_agent`; approvals by the middleware that is made for them."""
    create_agent, waits = parts()
    more["middleware"] = list(more.pop("middleware", ()))
    if setup.approvals:
        asked: dict[str, Any] = dict.fromkeys(setup.approvals, True)
        more["middleware"].append(waits(interrupt_on=asked))
    if setup.typed:
        more.setdefault("response_format", Completion)
    return _whole(
        lambda one, saver: create_agent(one.model, one.tools, checkpointer=saver, **more)
    )(setup, cast, saver)


def react(setup: Setup, cast: Cast, saver: Any, more: dict[str, Any]) -> Any:
    """`langgraph.prebuilt.create_react_agent`; approvals by interrupts in the tools."""
    if setup.typed:
        more.setdefault("response_format", Completion)

    def made(one: Member, saver: Any) -> Any:
        tools = _asking(setup, one.tools)
        return create_react_agent(one.model, tools, checkpointer=saver, **more)

    return _whole(made)(setup, cast, saver)


# By hand -----------------------------------------------------------------------------------


def by_hand(setup: Setup, cast: Cast, saver: Any, more: dict[str, Any]) -> Any:
    """A graph of a model and a ToolNode; with approvals each call is a step of its own, and the
    interrupts lie in the tools."""
    node = {name: more.pop(name) for name in NODE if name in more}
    handled = {name: more.pop(name) for name in ("handle_tool_errors",) if name in more}

    def made(one: Member, saver: Any) -> Any:
        tools = _asking(setup, one.tools)
        asking, last = one.model.bind_tools(tools), "answer" if setup.typed else END

        async def model(state: State) -> dict[str, Any]:
            return {"messages": [await asking.ainvoke(state["messages"])]}

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

    return _whole(made)(setup, cast, saver)


def functional(setup: Setup, cast: Cast, saver: Any, more: dict[str, Any]) -> Any:
    """A workflow of tasks: one asks the model, one makes a call, one asks a person."""
    asking = {name: one.model.bind_tools(one.tools) for name, one in cast.items()}
    making = {name: ToolNode(one.tools) for name, one in cast.items()}

    @task
    async def ask(name: str, messages: list[Any]) -> Any:
        with cast[name].acting():
            return await asking[name].ainvoke(messages)

    @task
    async def review(call: Any) -> Any:
        return allowed(call["name"], call["id"], call["args"])

    async def perform(name: str, messages: list[Any], call: Any) -> Any:
        message = AIMessage("", tool_calls=[call])
        with cast[name].acting():
            made = await making[name].ainvoke({"messages": [*messages, message]})
        gone: list[Any] = [one for one in made if isinstance(one, Command)]
        return (gone[0].update["messages"][-1:], gone[0].goto) if gone else (made["messages"], name)

    make: Any = task(**more)(perform)

    @entrypoint(checkpointer=saver)
    async def workflow(given: Any, *, previous: Any = None) -> Any:
        state = previous or {"messages": [], "active": next(iter(cast))}
        messages, name = (
            [*state["messages"], *convert_to_messages(given["messages"])],
            state["active"],
        )
        while True:
            messages.append(reply := await ask(name, messages))
            if not reply.tool_calls:
                break
            granted: list[Any] = []
            for call in reply.tool_calls:
                refused = await review(call) if call["name"] in setup.approvals else None
                (messages if refused else granted).append(refused or call)
            for one in [make(name, messages[:-1], call) for call in granted]:
                results, name = await one
                messages += results
        state = {"messages": messages, "active": name}
        if setup.typed:
            typed = cast[name].model.with_structured_output(Completion)
            return {**state, "structured_response": await typed.ainvoke(messages)}
        return state

    return workflow


def _asking(setup: Setup, tools: list[BaseTool]) -> list[BaseTool]:
    for one in tools:
        if isinstance(one, WorldTool) and one.name in setup.approvals:
            one.asking()
    return tools


# Several agents ----------------------------------------------------------------------------


def _whole(made: Callable[[Member, Any], Any]) -> Callable[[Setup, Cast, Any], Any]:
    """The graph of the only agent, or one whose nodes are the graphs of several."""

    def whole(setup: Setup, cast: Cast, saver: Any) -> Any:
        if not setup.agents:
            return made(cast[""], saver)
        graph = StateGraph(State)
        for name, one in cast.items():
            graph.add_node(name, _node(made(one, None), one))
        graph.add_conditional_edges(
            START, lambda state: state.get("active") or setup.agents[0], list(cast)
        )
        return graph.compile(checkpointer=saver)

    return whole


def _node(graph: Any, one: Member) -> Any:
    def node(state: State) -> dict[str, Any]:
        with one.acting():
            return {"messages": graph.invoke({"messages": state["messages"]})["messages"]}

    async def anode(state: State) -> dict[str, Any]:
        with one.acting():
            came = await graph.ainvoke({"messages": state["messages"]})
        return {"messages": came["messages"]}

    return RunnableLambda(node, afunc=anode)


def handoff(world: World, agent: str, to: str, others: tuple[str, ...]) -> Any:
    """The tool by which an agent hands the conversation over to another."""

    @tool(f"transfer_to_{to}", description=f"Hand the task over to {to}.")
    def transfer(
        state: Annotated[dict[str, Any], InjectedState],
        tool_call_id: Annotated[str, InjectedToolCallId],
    ) -> Any:
        told = ToolMessage(f"Handed over to {to}.", tool_call_id=tool_call_id)
        update = {"messages": [*state["messages"], told]}
        with performing(world, agent)():
            node, passed_on = passed(world, to, update, (), others)
        return Command(goto=node, update={**passed_on, "active": node}, graph=Command.PARENT)

    return transfer
