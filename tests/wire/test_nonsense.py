"""Whatever a client sends, it gets an answer: nothing in a request makes a face break."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentfuzz.wire.router import face_of

from .parts import CHAT, MESSAGES, PAY, RESPONSES, FakeWorld, check, says

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
CALL = {"name": "charge", "arguments": json.dumps(PAY)}
RICH: dict[str, Any] = {
    CHAT: {
        "model": "m",
        "stream_options": {"include_usage": True},
        "tools": [{"type": "function", "function": {"name": "charge", "parameters": {}}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Pay."}]},
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "function", "function": CALL}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "ok"},
        ],
    },
    RESPONSES: {
        "model": "m",
        "instructions": "Be brief.",
        "tools": [{"type": "function", "name": "charge", "parameters": {}}],
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Pay."}]},
            {"type": "function_call", "call_id": "c", **CALL},
            {"type": "function_call_output", "call_id": "c", "output": "ok"},
        ],
    },
    MESSAGES: {
        "model": "m",
        "max_tokens": 9,
        "thread": {"type": "create"},
        "system": [{"type": "text", "text": "Be brief."}],
        "tools": [{"name": "charge", "input_schema": {}}],
        "messages": [
            {"role": "user", "content": "Pay."},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "c", "name": "charge", "input": PAY}],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c", "content": "ok"}],
            },
        ],
    },
}


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON tree but its root."""
    found = [at] if at else []
    inside: Any = ()
    if isinstance(value, (dict, list)):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inside:
        found += places(item, (*at, key))
    return found


@pytest.mark.parametrize("path", list(RICH))
@given(st.data())
@settings(deadline=None)
def test_any_place_may_hold_anything(path: str, data: st.DataObject) -> None:
    """A request with one place replaced by whatever JSON there is, or missing, is answered, or
    refused with a 400 in the provider's form."""
    body = copy.deepcopy(RICH[path])
    *way, last = data.draw(st.sampled_from(places(body)))
    holder = body
    for key in way:
        holder = holder[key]
    if data.draw(st.booleans()):
        holder[last] = data.draw(JSON)
    else:
        del holder[last]
    world = FakeWorld(*[says("Hm.", ("c1", "charge", PAY))] * 2)
    for stream in (False, True):
        raw = json.dumps({**body, "stream": stream}).encode()
        reply = face_of(world).answer("POST", path, {}, raw)
        assert reply.status in (200, 400, 404)
        if reply.status != 200:
            check(path, reply)


@pytest.mark.parametrize("path", list(RICH))
def test_a_very_deep_body_is_refused(path: str) -> None:
    """Deeper than any reader goes."""
    reply = face_of(FakeWorld()).answer("POST", path, {}, b'{"a":' * 100_000)
    assert reply.status == 400
