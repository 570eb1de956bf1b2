"""Requests: what the model is shown, and what is refused, by name and place."""

import json
from typing import Any

import pytest

from agentfuzz.core.errors import AgentfuzzError, CutOff
from agentfuzz.wire import async_http_client, http_client, openai_client, serve
from agentfuzz.wire.router import CODECS, WireReply, face_of

from .parts import CHAT, MESSAGES, PAY, RESPONSES, FakeWorld, says

USER = {"role": "user", "content": "Pay."}
GOOD: dict[str, Any] = {
    CHAT: {"model": "m", "messages": [USER]},
    RESPONSES: {"model": "m", "input": [USER]},
    MESSAGES: {"model": "m", "max_tokens": 9, "messages": [USER]},
}


def post(world: Any, path: str, body: Any, **headers: str) -> tuple[WireReply, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = face_of(world).answer("POST", path, headers, raw)
    return reply, json.loads(reply.body)


@pytest.mark.parametrize(
    ("path", "change", "place"),
    [
        (CHAT, {"model": None}, "model"),
        (CHAT, {"messages": []}, "messages"),
        (CHAT, {"messages": "Pay."}, "messages"),
        (CHAT, {"messages": [USER, "Pay."]}, "messages[1]"),
        (CHAT, {"messages": [{"role": "wizard", "content": ""}]}, "messages[0].role"),
        (CHAT, {"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        (CHAT, {"messages": [{"role": "user", "content": [3]}]}, "messages[0].content[0]"),
        (
            CHAT,
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "c1"}]}]},
            "messages[0].tool_calls[0].function",
        ),
        (CHAT, {"tools": [{"type": "function", "function": {}}]}, "tools[0].name"),
        (RESPONSES, {"input": None}, "input"),
        (RESPONSES, {"input": []}, "input"),
        (RESPONSES, {"input": [{"type": "function_call"}]}, "input[0].call_id"),
        (RESPONSES, {"input": [{"type": "telepathy"}]}, "input[0]"),
        (RESPONSES, {"previous_response_id": "resp_9"}, "previous_response_id"),
        (RESPONSES, {"conversation": 7}, "conversation"),
        (RESPONSES, {"prompt": {"version": "2"}, "input": None}, "prompt.id"),
        (MESSAGES, {"max_tokens": None}, "max_tokens"),
        (MESSAGES, {"max_tokens": "9"}, "max_tokens"),
        (MESSAGES, {"messages": [{"role": "tool", "content": ""}]}, "messages.0.role"),
        (
            MESSAGES,
            {"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
            "messages.0.content.0.tool_use_id",
        ),
    ],
)
def test_a_bad_request_is_refused_by_its_place(
    path: str, change: dict[str, Any], place: str, replies: list[WireReply]
) -> None:
    """400 in the provider's form, naming the place; the model is not asked."""
    world = FakeWorld()
    reply, found = post(world, path, {**GOOD[path], **change})
    assert reply.status == 400
    assert found["error"]["message"].startswith(f"{place}: "), found
    assert found["error"]["type"] == "invalid_request_error"
    assert found["error"].get("param", place) == place
    assert not world.model.shown


@pytest.mark.parametrize("path", list(CODECS))
@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b'"text"', b"NaN"])
def test_a_body_that_is_no_object_is_refused(
    path: str, raw: bytes, replies: list[WireReply]
) -> None:
    """Whatever the bytes are, the answer is a 400 that says so."""
    reply, found = post(FakeWorld(), path, raw)
    assert reply.status == 400
    assert "the body is no JSON" in found["error"]["message"]


@pytest.mark.parametrize("headers", [{}, {"anthropic-version": "2023-06-01"}])
def test_an_unknown_endpoint_names_those_there_are(
    headers: dict[str, str], replies: list[WireReply]
) -> None:
    """404 in the form of whoever asks."""
    reply, found = post(FakeWorld(), "/v1/embeddings?x=1", {}, **headers)
    assert reply.status == 404
    for path in CODECS:
        assert f"POST {path}" in found["error"]["message"]
    assert ("type" in found) == bool(headers)


def test_a_wrong_method_is_refused(replies: list[WireReply]) -> None:
    """405, with what is allowed."""
    reply = face_of(FakeWorld()).answer("GET", CHAT, {}, b"")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_nonsense_uses_up_the_budget() -> None:
    """A client that never says anything sensible is cut off like any other."""
    world = FakeWorld(budget=3)
    for _ in range(3):
        post(world, CHAT, b"{")
    with pytest.raises(CutOff):
        post(world, CHAT, b"{")


def test_the_endpoints_beside_the_model(replies: list[WireReply]) -> None:
    """The list of models, and counting tokens, in each provider's form."""
    face = face_of(FakeWorld())
    for headers in ({}, {"anthropic-version": "2023-06-01"}):
        for path in ("/v1/models", "/v1/models/agentfuzz"):
            assert face.answer("GET", path, headers, b"").status == 200
    counted = {"model": "m", "messages": [{"role": "user", "content": "x" * 40}]}
    _, found = post(FakeWorld(), f"{MESSAGES}/count_tokens", counted)
    assert found == {"input_tokens": 10}


def test_one_conversation_reads_the_same_in_every_protocol(replies: list[WireReply]) -> None:
    """Parts, images, reasoning, parallel calls and results come to the same messages."""
    call = {"name": "charge", "arguments": json.dumps(PAY)}
    said = [{"type": "text", "text": "Look: "}, {"type": "image", "source": {}}]
    chat = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": said},
        {
            "role": "assistant",
            "content": "Hm.",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": call},
                {"id": "c2", "type": "function", "function": {**call, "arguments": "{oops"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "ok"}]},
    ]
    responses = [
        {"role": "user", "content": [{"type": "input_text", "text": "Look: "}, said[1]]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hm."}],
        },
        {"type": "function_call", "call_id": "c1", **call},
        {"type": "function_call", "call_id": "c2", **call, "arguments": "{oops"},
        {"type": "function_call_output", "call_id": "c1", "output": "ok"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"text": "ok"}]},
    ]
    messages = [
        {"role": "user", "content": said},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "?", "signature": ""},
                {"type": "text", "text": "Hm."},
                {"type": "tool_use", "id": "c1", "name": "charge", "input": PAY},
                {"type": "tool_use", "id": "c2", "name": "charge", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "ok"},
                {"type": "tool_result", "tool_use_id": "c2", "content": [said[0] | {"text": "ok"}]},
            ],
        },
    ]
    world = FakeWorld(says("1"), says("2"), says("3"))
    post(world, CHAT, {"model": "m", "messages": chat})
    post(world, RESPONSES, {"model": "m", "input": responses, "instructions": "Be brief."})
    body = {"model": "m", "max_tokens": 9, "system": "Be brief.", "messages": messages}
    post(world, MESSAGES, body)
    first, second, third = world.model.shown
    assert first == second
    assert first[2]["tool_calls"][1]["arguments"] == "{oops"  # that protocol has no such thing
    first[2]["tool_calls"][1]["arguments"] = {}
    assert first == third
    assert first[1]["content"] == "Look: [image]"


def test_an_error_of_a_tool_is_one_where_the_protocol_says_so(replies: list[WireReply]) -> None:
    """Anthropic's `is_error` reaches the model; text beside a result comes after it."""
    world = FakeWorld(says("ok"))
    result = {"type": "tool_result", "tool_use_id": "c1", "is_error": True, "content": "no"}
    content = [result, {"type": "text", "text": "Go on."}]
    asked = [
        {"role": "user", "content": "Pay."},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c1", "name": "charge", "input": {}}],
        },
        {"role": "user", "content": content},
    ]
    post(world, MESSAGES, {**GOOD[MESSAGES], "messages": asked})
    assert world.model.shown[0][2:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "no", "is_error": True},
        {"role": "user", "content": "Go on."},
    ]


def test_an_empty_turn_is_empty_in_every_protocol(replies: list[WireReply]) -> None:
    """No text and no call: nothing is made up."""
    for content in (None, ""):
        world = FakeWorld(*[says(content)] * 6)
        found = [post(world, path, GOOD[path])[1] for path in CODECS]
        assert found[0]["choices"][0]["message"]["content"] == content
        assert not found[1]["output"] or found[1]["output"][0]["content"][0]["text"] == ""
        assert found[2]["content"] == []
        for path in CODECS:
            face_of(world).answer(
                "POST", path, {}, json.dumps({**GOOD[path], "stream": True}).encode()
            )


def test_a_text_no_encoding_knows_still_arrives() -> None:
    """Half a surrogate pair goes over the wire as JSON writes it, also inside arguments."""
    odd = "\ud83d and \U0001f600"
    for path in (CHAT, MESSAGES):
        world = FakeWorld(says(odd, ("c1", "charge", {"order_id": odd})))
        _, found = post(world, path, GOOD[path])
        message = found["choices"][0]["message"] if path == CHAT else found
        assert odd in (
            message["content"],
            message["content"][0].get("text") if path == MESSAGES else "",
        )


@pytest.mark.parametrize("path", list(CODECS))
@pytest.mark.parametrize("library", ["httpx2", "httpx"])
def test_a_plain_http_client_works(path: str, library: str, replies: list[WireReply]) -> None:
    """In process and over a socket, plain and streamed, the bytes are the same."""
    pytest.importorskip(library)
    http: Any = __import__(library)
    found: list[list[bytes]] = []
    for door in ("in process", "loopback"):
        world = FakeWorld(says("Done."), says("Done."))
        if door == "in process":
            with http_client(world, library) as made:
                found.append(_both(made, path))
        else:
            with serve(world) as urls, http.Client(base_url=urls.anthropic) as made:
                found.append(_both(made, path))
    assert found[0] == found[1]


def _both(made: Any, path: str) -> list[bytes]:
    plain = made.post(path, json=GOOD[path])
    assert plain.headers["content-type"] == "application/json"
    with made.stream("POST", path, json={**GOOD[path], "stream": True}) as streamed:
        assert streamed.headers["content-type"].startswith("text/event-stream")
        return [plain.content, b"".join(streamed.iter_bytes())]


def test_an_async_plain_http_client_works(replies: list[WireReply]) -> None:
    """The same, awaited."""
    import asyncio

    async def main() -> bytes:
        async with async_http_client(FakeWorld(says("Done."))) as made:
            reply = await made.post(CHAT, json={**GOOD[CHAT], "stream": True})
            return bytes(reply.content)

    assert asyncio.run(main()).endswith(b"data: [DONE]\n\n")


def test_misuse_is_said_at_once() -> None:
    """An http_client of one's own, and a library that is not there."""
    with pytest.raises(AgentfuzzError, match="http_client"):
        openai_client(FakeWorld(), http_client=object())
    with pytest.raises(AgentfuzzError, match="pip install"):
        http_client(FakeWorld(), "no_such_library")
