"""What has been said in a session of ADK, as a transfer takes it along.

Law: only what the fault says is changed, in the session of this invocation: the next agent reads it
there, and what is stored is what was said. Called by `handoffs`.
"""

import json
from collections.abc import Callable
from typing import Any

from agentfuzz.adapters.contract.retold import changed
from agentfuzz.adapters.google_adk.requests import messages
from agentfuzz.core.events import Json


def said_before(session: Any, call: str) -> list[Any]:
    """The conversation up to the turn that asks for this call."""
    return messages([one.content for one in session.events[: _turn(session, call)]], None)


def retell(session: Any, call: str, sent: Json, arrived: Json) -> None:
    """Have the agents of this invocation read what arrived for what was sent."""
    one = changed(sent["conversation"], arrived["conversation"])
    keep = _untooled if one is None else _another(*one)
    turn = _turn(session, call)
    kept = [_event(event, keep) for event in session.events[:turn]]
    session.events[:turn] = [event for event in kept if event.content.parts]


def _turn(session: Any, call: str) -> int:
    asked = [n for n, one in enumerate(session.events) if _asks(one, call)]
    return asked[-1] if asked else len(session.events)


def _asks(event: Any, call: str) -> bool:
    return any(one.id == call for one in event.get_function_calls())


def _event(event: Any, keep: Callable[[Any], Any]) -> Any:
    parts = [kept for part in event.content.parts or () if (kept := keep(part)) is not None]
    return event.model_copy(update={"content": event.content.model_copy(update={"parts": parts})})


def _untooled(part: Any) -> Any:
    return None if part.function_call or part.function_response else part


def _another(old: Any, new: Any) -> Callable[[Any], Any]:
    def told(part: Any) -> Any:
        answer = part.function_response
        if answer is None or answer.id != old["tool_call_id"]:
            return part
        said = answer.model_copy(update={"response": json.loads(new["content"])})
        return part.model_copy(update={"function_response": said})

    return told
