"""Handoffs of LangGraph, as handoffs of a world: what a Command or a Send takes to a node.

Law: the graph goes where it is told; what of a state a fault did not touch is the very object that
was there. Called by the langgraph adapter.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.constants import END

from agentfuzz.core.codec import plain as as_json
from agentfuzz.core.events import Json
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.team.transfers import arrives, is_lost, leaves
from agentfuzz.world.world import World


class _Untyped:
    """The type of a state: it is merged into another one, so none is broken."""

    @staticmethod
    def model_validate(value: Json) -> Json:
        """Whatever it is."""
        return value


def passed(
    world: World, to: str, state: Any, carry: Iterable[str], among: Iterable[str]
) -> tuple[str, Any]:
    """The node that gets control, and with what. Raises TimeoutError where it is lost."""
    if to == END:
        return to, state
    given = {name: _json(value) for name, value in state.items()} if _named(state) else {}
    facts = {name: given[name] for name in carry if name in given}
    sent = Sent(given, facts)
    sent.given, sent.kind = state, _Untyped
    crossed = leaves(team_of(world, crossing=True), to, sent, "state", tuple(among))
    is_lost(crossed)
    if crossed.earlier is not None and crossed.arrives is crossed.earlier.json:
        state = crossed.earlier.given
    elif crossed.arrives is not sent.json:
        changed = crossed.arrives.items()
        state = {name: state[name] if given.get(name) == now else now for name, now in changed}
    return arrives(crossed), state


def _named(state: Any) -> bool:
    return isinstance(state, Mapping) and all(isinstance(name, str) for name in state)


def _json(value: Any) -> Json:
    if isinstance(value, BaseMessage):
        return as_json(plain([value])[0])
    if isinstance(value, (list, tuple)):
        return [_json(one) for one in value]
    return as_json(value)


def plain(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """LangChain's messages in the words of `world.model`."""
    found: list[dict[str, Any]] = []
    for message in messages:
        plain: dict[str, Any] = {"role": message.type, "content": str(message.text)}
        if isinstance(message, ToolMessage):
            plain["tool_call_id"] = message.tool_call_id
            plain["is_error"] = message.status == "error"
        elif isinstance(message, AIMessage):
            plain["role"] = "assistant"
            plain["tool_calls"] = [
                {"id": call["id"], "name": call["name"], "arguments": call["args"]}
                for call in (*message.tool_calls, *message.invalid_tool_calls)
            ]
        elif isinstance(message, HumanMessage):
            plain["role"] = "user"
        found.append(plain)
    return found
