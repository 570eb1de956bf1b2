"""The loop that LangGraph's documentation has its users write: a workflow of tasks.

Law: it is what the documentation shows, with the framework's defaults; options go to where the
framework takes them. Called by the langgraph adapter.
"""

from typing import Any

from langchain_core.messages import AIMessage, convert_to_messages
from langgraph.func import entrypoint, task
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

from agentfuzz.adapters.contract import Setup
from agentfuzz.adapters.langgraph.pauses import allowed
from agentfuzz.adapters.langgraph.team import Cast
from agentfuzz.core.completion import Completion


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
