"""OpenAI Chat Completions: `POST /v1/chat/completions`, plain and streamed.

Law: pure; the fields, their order and the errors are the provider's, so that its official client
and any other take them for its own. Called by the wire's face and by cassettes. Reference: the
OpenAI API reference, and the types of the `openai` package, against which the tests validate every
body and event.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz.providers.terms import of_chat
from agentfuzz.providers.turns import (
    Asked,
    BadRequest,
    Json,
    Kept,
    Message,
    Stamp,
    Stream,
    Turn,
    field,
    objects,
    pieces,
    read,
    sent,
    sse,
    text_of,
    tokens,
    tool,
    written,
)

PATH = "/v1/chat/completions"
PREFIX, CALLS = "chatcmpl-", "call_"
_ROLES = {"developer": "system", "function": "tool"}
_FINISH = {
    "end": "stop",
    "tool_calls": "tool_calls",
    "length": "length",
    "withheld": "content_filter",
}
_DONE = b"data: [DONE]\n\n"


def parse(request: Mapping[str, Any], kept: Mapping[str, Kept]) -> Asked:
    """What a request asks of the model. Raises BadRequest naming the place."""
    field(request, "model", str)
    messages = field(request, "messages", list)
    if not messages:
        raise BadRequest("is empty; expected at least one message", "messages")
    specs = [
        tool(_function(spec, f"tools[{i}]"), "parameters", f"tools[{i}]")
        for i, spec in enumerate(objects(request.get("tools") or [], "tools"))
    ]
    return Asked(
        [_message(m, f"messages[{i}]") for i, m in enumerate(objects(messages, "messages"))],
        specs,
        bool(request.get("stream")),
        request,
        offer=of_chat(request, specs),
    )


def _function(spec: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    kind = field({"type": "function", **spec}, "type", str, place)
    return field(spec, kind, dict, place) if kind in spec else spec


def _message(message: Mapping[str, Any], place: str) -> Message:
    role = field(message, "role", str, place)
    role = _ROLES.get(role, role)
    if role not in ("system", "user", "assistant", "tool"):
        raise BadRequest(f"{role!r} is no role", f"{place}.role")
    found: Message = {"role": role, "content": text_of(message.get("content"), f"{place}.content")}
    if role == "tool":
        found["tool_call_id"] = message.get("tool_call_id") or message.get("name") or ""
    calls = message.get("tool_calls")
    if calls:
        where = f"{place}.tool_calls"
        found["tool_calls"] = [
            _call(call, f"{where}[{i}]") for i, call in enumerate(objects(calls, where))
        ]
    return found


def _call(call: Mapping[str, Any], place: str) -> Message:
    kind = field({"type": "function", **call}, "type", str, place)
    said = field(call, kind, dict, place)
    return {
        "id": call.get("id") or "",
        "name": field(said, "name", str, f"{place}.{kind}"),
        "arguments": read(said.get("arguments", said.get("input"))),
    }


def body(asked: Asked, turn: Turn, stamp: Stamp) -> Json:
    """A whole reply."""
    return {
        "id": stamp.reply(PREFIX),
        "object": "chat.completion",
        "created": stamp.created,
        "model": asked.request["model"],
        "choices": [_choice(turn, i, calls) for i, calls in enumerate(_choices(turn))],
        "usage": _usage(asked, turn),
        "service_tier": "default",
        "system_fingerprint": "fp_agentfuzz",
    }


def _choices(turn: Turn) -> list[Any]:
    """The calls of each choice."""
    return [turn["tool_calls"], *turn.get("others", ())]


def _choice(turn: Turn, index: int, calls: list[Message]) -> Json:
    message: Message = {
        "role": "assistant",
        "content": turn["content"],
        "refusal": None,
        "annotations": [],
    }
    if calls:
        message["tool_calls"] = [_spoken(call) for call in calls]
    return {"index": index, "message": message, "logprobs": None, "finish_reason": _finish(turn)}


def _finish(turn: Turn) -> str:
    """Why the model stopped. A reply that is cut never gets as far as saying it."""
    return _FINISH.get(turn["stop"], "tool_calls" if turn["tool_calls"] else "stop")


def _spoken(call: Mapping[str, Any]) -> Json:
    function = {"name": call["name"], "arguments": written(call["arguments"])}
    return {"id": call["id"], "type": "function", "function": function}


def _usage(asked: Asked, turn: Turn) -> Json:
    given, made = tokens(asked, turn)
    return {
        "prompt_tokens": given,
        "completion_tokens": made,
        "total_tokens": given + made,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def stream(asked: Asked, turn: Turn, stamp: Stamp) -> Stream:
    """The same reply as chunks."""
    options = asked.request.get("stream_options")
    counted = isinstance(options, Mapping) and bool(options.get("include_usage"))
    common: Message = {
        "id": stamp.reply(PREFIX),
        "object": "chat.completion.chunk",
        "created": stamp.created,
        "model": asked.request["model"],
        "service_tier": "default",
        "system_fingerprint": "fp_agentfuzz",
    }

    def chunk(delta: Json, finish: str | None = None, index: int = 0) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        made = {**common, "choices": [choice]}
        return sse({**made, "usage": None} if counted else made)

    opening = None if turn["tool_calls"] and not turn["content"] else ""
    events, middle = list[bytes](), 0
    for index, calls in enumerate(_choices(turn)):
        events.append(
            chunk({"role": "assistant", "content": opening, "refusal": None}, index=index)
        )
        said = pieces(turn["content"] or "")
        middle = len(events) + len(said)
        events += [chunk({"content": piece}, index=index) for piece in said]
        for i, call in enumerate(calls):
            head = _spoken({**call, "arguments": ""})
            events.append(chunk({"tool_calls": [{"index": i, **head}]}, index=index))
            said = pieces(written(call["arguments"]))
            middle = len(events) + sent(said, call["arguments"])
            for piece in said:
                part = {"index": i, "function": {"arguments": piece}}
                events.append(chunk({"tool_calls": [part]}, index=index))
    end = len(events)
    events += [chunk({}, _finish(turn), i) for i in range(len(_choices(turn)))]
    if counted:
        events.append(sse({**common, "choices": [], "usage": _usage(asked, turn)}))
    events.append(_DONE)
    return Stream(events, middle, end)


def failed(asked: Asked, stamp: Stamp, sent: int, message: str) -> list[bytes]:
    """What ends a stream after so many events where the provider fails in its middle."""
    return [sse(error(500, message, stamp))]


_TYPES = {
    401: ("invalid_request_error", "invalid_api_key"),
    429: ("requests", "rate_limit_exceeded"),
    503: ("service_unavailable_error", "overloaded"),
}


def status_of(status: int) -> int:
    """The status that this provider answers with: overloaded is 503 here, not 529."""
    return 503 if status == 529 else status


def error(status: int, message: str, stamp: Stamp, place: str = "", code: str = "") -> Json:
    """The body of an error."""
    usual = "server_error" if status >= 500 else "invalid_request_error"
    kind, word = _TYPES.get(status, (usual, None))
    return {
        "error": {"message": message, "type": kind, "param": place or None, "code": code or word}
    }


def headers(stamp: Stamp) -> dict[str, str]:
    """Headers of every reply."""
    return {"x-request-id": stamp.id("req_")}
