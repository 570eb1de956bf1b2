"""Anthropic Messages: `POST /v1/messages`, plain and streamed, with server-side threads.

Law: pure; the blocks, events and errors are the provider's. A request that continues a thread
sends only what is new: what came before is the server's own note of it. Called by the wire's face
and by cassettes. Reference: the Anthropic API reference, and the types of the `anthropic`
package, against which the tests validate every body and event.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz.providers.terms import of_messages
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
    readable,
    sent,
    sse,
    text_of,
    tokens,
    tool,
    written,
)

PATH = "/v1/messages"
PREFIX, CALLS = "msg_01", "toolu_01"
_STOP = {
    "end": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "withheld": "refusal",
    "paused": "pause_turn",
}
_SILENT = ("thinking", "redacted_thinking")
HOSTED = (  # what the provider's own tools did: no text, so its type stands there in brackets
    *("server_tool_use", "web_search_tool_result", "web_fetch_tool_result"),
    *("code_execution_tool_result", "bash_code_execution_tool_result"),
    *("text_editor_code_execution_tool_result", "tool_search_tool_result"),
    *("mcp_tool_use", "mcp_tool_result", "mcp_tool_listing", "advisor_tool_result"),
    *("container_upload", "compaction", "fallback"),
)


def parse(request: Mapping[str, Any], kept: Mapping[str, Kept]) -> Asked:
    """What a request asks of the model. Raises BadRequest naming the place."""
    field(request, "model", str)
    field(request, "max_tokens", int)
    new = field(request, "messages", list)
    thread = field({"thread": {}, **request}, "thread", dict) if request.get("thread") else {}
    messages: list[Message] = []
    specs = [
        tool(spec, "input_schema", f"tools.{i}")
        for i, spec in enumerate(objects(request.get("tools") or [], "tools"))
    ]
    after = None
    if thread.get("type") == "continue":
        after = field(thread, "previous_message_id", str, "thread")
        before = _before(after, kept)
        messages += before.messages
        specs = specs or before.tools
    elif not new:
        raise BadRequest("is empty; expected at least one message", "messages")
    if request.get("system"):
        messages.append({"role": "system", "content": text_of(request["system"], "system")})
    for i, message in enumerate(objects(new, "messages")):
        _read(message, messages, f"messages.{i}")
    return Asked(
        messages,
        specs,
        bool(request.get("stream")),
        request,
        after,
        keep=bool(thread),
        offer=of_messages(request, specs),
    )


def _before(after: str, kept: Mapping[str, Kept]) -> Kept:
    before = kept.get(after)
    if before is None:
        raise BadRequest(
            f"no thread is known for {after!r}; send the whole conversation",
            "thread.previous_message_id",
            404,
            "thread_not_found",
        )
    if before.continued:
        raise BadRequest(
            f"{after!r} has been continued already; continue from the last reply",
            "thread.previous_message_id",
            code="thread_already_continued",
        )
    return before


def _read(message: Mapping[str, Any], messages: list[Message], place: str) -> None:
    """One message: its tool results are messages of their own, in the order of the blocks."""
    role = field(message, "role", str, place)
    if role not in ("user", "assistant", "system"):
        raise BadRequest(f"{role!r} is no role", f"{place}.role")
    content = message.get("content")
    if not isinstance(content, list):
        messages.append({"role": role, "content": text_of(content, f"{place}.content")})
        return
    texts: list[Any] = []
    calls: list[Message] = []
    for i, block in enumerate(objects(content, f"{place}.content")):
        where, kind = f"{place}.content.{i}", field(block, "type", str, f"{place}.content.{i}")
        if kind == "tool_use":
            name = field(block, "name", str, where)
            given = block.get("input") or {}
            calls.append({"id": field(block, "id", str, where), "name": name, "arguments": given})
        elif kind == "tool_result":
            result: Message = {
                "role": "tool",
                "tool_call_id": field(block, "tool_use_id", str, where),
                "content": text_of(block.get("content"), f"{where}.content"),
            }
            if block.get("is_error"):
                result["is_error"] = True
            messages.append(result)
        elif kind not in _SILENT:
            texts.append(block)
    if texts or calls or not content:
        found: Message = {"role": role, "content": text_of(texts, f"{place}.content")}
        messages.append({**found, "tool_calls": calls} if calls else found)


def body(asked: Asked, turn: Turn, stamp: Stamp) -> Json:
    """A whole reply. Arguments that are no JSON arrive as far as they can be read: a block of
    this protocol has an object, never a text."""
    blocks: list[Message] = []
    if turn["content"]:
        blocks.append({"type": "text", "text": turn["content"]})
    blocks += [{**_head(call), "input": readable(call["arguments"])} for call in turn["tool_calls"]]
    given, made = tokens(asked, turn)
    return {
        **_message(asked, stamp, given, made),
        "content": blocks,
        "stop_reason": _stop(turn),
        "stop_sequence": turn.get("stopped_by"),
    }


def _message(asked: Asked, stamp: Stamp, given: int, made: int) -> Message:
    usage = {
        "input_tokens": given,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": made,
        "service_tier": "standard",
    }
    return {
        "id": stamp.reply(PREFIX),
        "type": "message",
        "role": "assistant",
        "model": asked.request["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _stop(turn: Turn) -> str:
    """Why the model stopped. A reply that is cut never gets as far as saying it."""
    if turn.get("stopped_by") is not None:
        return "stop_sequence"
    return _STOP.get(turn["stop"], "tool_use" if turn["tool_calls"] else "end_turn")


def _head(call: Mapping[str, Any]) -> Message:
    return {"type": "tool_use", "id": call["id"], "name": call["name"], "input": {}}


def stream(asked: Asked, turn: Turn, stamp: Stamp) -> Stream:
    """The same reply as events."""
    events: list[bytes] = []

    def event(kind: str, **fields: Json) -> None:
        events.append(sse({"type": kind, **fields}, kind))

    def block(index: int, head: Message, deltas: list[Message], before_cut: int) -> int:
        event("content_block_start", index=index, content_block=head)
        if not index:
            event("ping")
        middle = len(events) + before_cut
        for delta in deltas:
            event("content_block_delta", index=index, delta=delta)
        event("content_block_stop", index=index)
        return middle

    given, made = tokens(asked, turn)
    event("message_start", message=_message(asked, stamp, given, 1))
    index, middle = 0, len(events)
    if turn["content"]:
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(turn["content"])]
        middle = block(index, {"type": "text", "text": ""}, deltas, len(deltas))
        index += 1
    for call in turn["tool_calls"]:
        arguments = _streamed(call["arguments"])
        said = pieces(written(arguments))
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in said]
        middle = block(index, _head(call), deltas, sent(said, arguments))
        index += 1
    end = len(events)
    delta = {"stop_reason": _stop(turn), "stop_sequence": turn.get("stopped_by")}
    event("message_delta", delta=delta, usage={"output_tokens": made})
    event("message_stop")
    return Stream(events, middle, end)


def _streamed(arguments: Json) -> Json:
    """Arguments as a stream has them: an object, or one that breaks down; never a list."""
    begun = isinstance(arguments, str) and arguments.lstrip().startswith("{")
    return arguments if begun else readable(arguments)


def failed(asked: Asked, stamp: Stamp, sent: int, message: str) -> list[bytes]:
    """What ends a stream after so many events where the provider fails in its middle."""
    return [sse(error(529, message, stamp), "error")]


_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def status_of(status: int) -> int:
    """The status that this provider answers with."""
    return status


def error(status: int, message: str, stamp: Stamp, place: str = "", code: str = "") -> Json:
    """The body of an error."""
    usual = "api_error" if status >= 500 else "invalid_request_error"
    said: Message = {"type": _TYPES.get(status, usual), "message": message}
    if code:
        said["details"] = {"error_code": code}
    return {"type": "error", "error": said, "request_id": stamp.id("req_01")}


def headers(stamp: Stamp) -> dict[str, str]:
    """Headers of every reply."""
    return {"request-id": stamp.id("req_01")}
