"""Named sets of LangGraph's and LangChain's own options.

Law: each is what their documentation offers: middleware, limits, keys; nothing is set for one
finding. Read by the tests here, by the gauntlet and by the report.
"""

from collections.abc import Callable
from typing import Any

WHOLE = ("stop", "tool_calls", "end_turn", "tool_use", "completed")  # how a whole reply stops


def tool_retries() -> dict[str, Any]:
    """LangChain's middleware that tries failing tools again, with its defaults."""
    from langchain.agents.middleware import ToolRetryMiddleware

    return {"middleware": [ToolRetryMiddleware()]}


def told() -> dict[str, Any]:
    """LangChain's middleware that tells the model of errors, and a key for each intent."""
    from langchain.agents.middleware import ToolErrorMiddleware

    def on_error(error: Exception, request: Any) -> str:
        return f"{type(error).__name__}: {error}"

    return {"middleware": [ToolErrorMiddleware(on_error)], "key": by_intent}


def by_intent(tool: str, arguments: Any, call_id: str) -> str:
    """The key of a call: the same for each attempt at one order."""
    return f"{tool}:{arguments.get('order_id')}"


def node_retries() -> dict[str, Any]:
    """The tool node with LangGraph's retry policy, with its defaults, and a timeout."""
    from langgraph.types import RetryPolicy

    return {"retry_policy": RetryPolicy(), "timeout": 10}


def invalid_told() -> dict[str, Any]:
    """A hook after the model that answers calls which cannot be read, and lets the model ask
    again."""
    from langchain.agents.middleware import after_model
    from langchain_core.messages import ToolMessage

    @after_model(can_jump_to=["model"])
    def answer_invalid(state: Any, runtime: Any) -> dict[str, Any] | None:
        last = state["messages"][-1]
        if last.tool_calls or not last.invalid_tool_calls:
            return None
        told = [
            ToolMessage(f"Error: {call['error']}", tool_call_id=call["id"], status="error")
            for call in last.invalid_tool_calls
        ]
        return {"messages": told, "jump_to": "model"}

    return {"middleware": [answer_invalid]}


def only_whole() -> dict[str, Any]:
    """A hook after the model that lets through whole replies alone."""
    from langchain.agents.middleware import after_model

    @after_model
    def check(state: Any, runtime: Any) -> None:
        said = state["messages"][-1].response_metadata
        stop = said.get("finish_reason") or said.get("stop_reason") or said.get("status")
        if stop not in WHOLE:
            raise RuntimeError(f"the model's reply is not whole: {stop}")

    return {"middleware": [check]}


def once_each() -> dict[str, Any]:
    """A hook after the model that leaves out calls with an id that is there already."""
    from langchain.agents.middleware import after_model

    @after_model
    def once(state: Any, runtime: Any) -> dict[str, Any]:
        last = state["messages"][-1]
        calls = {call["id"]: call for call in last.tool_calls}
        return {"messages": [last.model_copy(update={"tool_calls": list(calls.values())})]}

    return {"middleware": [once]}


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "tool_retries": tool_retries,
    "node_retries": node_retries,
    "told": told,
    "invalid_told": invalid_told,
    "only_whole": only_whole,
    "once_each": once_each,
    "few_steps": lambda: {"recursion_limit": 6},
    "one_node": lambda: {"version": "v1"},
    "no_client_retries": lambda: {"max_retries": 0},
}
