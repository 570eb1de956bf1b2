"""Calls that wait for a person, in LangGraph's words: interrupts, and the commands that resume.

Law: an interrupt lies where the framework's users lay it, in the middleware that is made for it or
in the tool; one that waits alone is resumed with its answer, several with an answer for each.
Called by the langgraph adapter.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.types import Command, interrupt

from agentfuzz.adapters.contract import Pause, Setup

REFUSED = "The user refused this call. It was not made; do not ask for it again."


def allowed(tool: str, call: str | None, arguments: Mapping[str, Any]) -> ToolMessage | None:
    """Ask a person, and pause. What the model is told instead of a result, if they refuse."""
    if interrupt({"tool": tool, "call": call, "arguments": dict(arguments)}):
        return None
    return ToolMessage(REFUSED, name=tool, tool_call_id=call or "", status="error")


def pauses(result: Any) -> tuple[Pause, ...]:
    """The calls of a graph's state that wait."""
    return tuple(pause for one in _interrupts(result) for pause in _waiting(one, result))


def resumed(setup: Setup) -> Command[Any]:
    """What LangGraph wants back when the decisions have come."""
    answers = {
        one.id: _answer(one.value, _waiting(one, setup.paused), setup.decisions)
        for one in _interrupts(setup.paused)
    }
    return Command(resume=next(iter(answers.values())) if len(answers) == 1 else answers)


def _interrupts(result: Any) -> Any:
    return result.get("__interrupt__", ()) if isinstance(result, Mapping) else ()


def _waiting(one: Any, result: Mapping[str, Any]) -> list[Pause]:
    """The calls that one interrupt is about. The middleware names them without their ids: they are
    those of the last message, in its order."""
    value = one.value
    if "action_requests" not in value:
        return [Pause(value["call"], value["tool"], one)]
    calls = iter(result["messages"][-1].tool_calls)
    return [
        Pause(next(_of(calls, asked["name"])), asked["name"], one)
        for asked in value["action_requests"]
    ]


def _of(calls: Iterator[Any], tool: str) -> Iterator[str]:
    return (call["id"] for call in calls if call["name"] == tool)


def _answer(value: Mapping[str, Any], waiting: list[Pause], decisions: Mapping[str, bool]) -> Any:
    granted = [decisions.get(pause.call, False) for pause in waiting]
    if "action_requests" not in value:
        return granted[0]
    return {"decisions": [{"type": "approve" if one else "reject"} for one in granted]}
