"""OpenAI Responses: `POST /v1/responses`, plain and streamed, with `previous_response_id`.

Law: pure; the items, events and errors are the provider's. An assistant message and the function
calls that follow it in the input are one message for the model, as in the other protocols.
Called by the wire's face and by cassettes. Reference: the OpenAI API reference, and the types of
the `openai` package, against which the tests validate every body and event.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz.providers import openai_chat
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

PATH = "/v1/responses"
PREFIX, CALLS = "resp_", "call_"
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_SILENT = ("reasoning", "compaction")  # nothing that this model could read

error, headers, status_of = openai_chat.error, openai_chat.headers, openai_chat.status_of


def parse(request: Mapping[str, Any], kept: Mapping[str, Kept]) -> Asked:
    """What a request asks of the model. Raises BadRequest naming the place."""
    field(request, "model", str)
    if request.get("conversation"):
        raise BadRequest(
            "conversations are not kept here; send previous_response_id or the whole input",
            "conversation",
        )
    messages: list[Message] = []
    after = request.get("previous_response_id")
    if after is not None:
        if not isinstance(after, str) or after not in kept:
            raise BadRequest(
                f"Previous response with id {after!r} not found.",
                "previous_response_id",
                code="previous_response_not_found",
            )
        messages += [m for m in kept[after].messages if m["role"] != "system"]
    given = request.get("input")
    if isinstance(given, str):
        messages.append({"role": "user", "content": given})
    elif given is not None or after is None:
        for i, item in enumerate(objects(field(request, "input", list), "input")):
            _read(item, messages, f"input[{i}]")
    if request.get("instructions"):
        messages.insert(0, {"role": "system", "content": str(request["instructions"])})
    if not messages:
        raise BadRequest("is empty; expected at least one item", "input")
    specs = objects(request.get("tools") or [], "tools")
    return Asked(
        messages,
        [tool(spec, "parameters", f"tools[{i}]") for i, spec in enumerate(specs)],
        bool(request.get("stream")),
        request,
        after,
        keep=request.get("store") is not False,
    )


def _read(item: Mapping[str, Any], messages: list[Message], place: str) -> None:
    kind = field({"type": "message", **item}, "type", str, place)
    if kind == "message":
        role = field(item, "role", str, place)
        role = "system" if role == "developer" else role
        if role not in ("system", "user", "assistant"):
            raise BadRequest(f"{role!r} is no role", f"{place}.role")
        content = text_of(item.get("content"), f"{place}.content")
        messages.append({"role": role, "content": content})
    elif kind in _CALLS:
        call = {
            "id": field(item, "call_id", str, place),
            "name": field(item, "name", str, place),
            "arguments": read(item.get(_CALLS[kind])),
        }
        if not messages or messages[-1]["role"] != "assistant":
            messages.append({"role": "assistant", "content": ""})
        last = messages[-1]
        messages[-1] = {**last, "tool_calls": [*last.get("tool_calls", ()), call]}
    elif kind in _OUTPUTS:
        call_id = field(item, "call_id", str, place)
        content = text_of(item.get("output"), f"{place}.output")
        messages.append({"role": "tool", "tool_call_id": call_id, "content": content})
    elif kind not in _SILENT:
        known = ", ".join(("message", *_CALLS, *_OUTPUTS, *_SILENT))
        raise BadRequest(f"{kind!r} is no item that is read here; there is: {known}", place)


def body(asked: Asked, turn: Turn, stamp: Stamp) -> Json:
    """A whole reply."""
    cut = turn["stop"] == "length"
    response = _response(asked, stamp, "incomplete" if cut else "completed")
    items = _items(turn, stamp)
    if cut:
        response["incomplete_details"] = {"reason": "max_output_tokens"}
        if items:
            items[-1]["status"] = "incomplete"
    else:
        response["completed_at"] = stamp.created
    given, made = tokens(asked, turn)
    usage = {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + made,
    }
    return {**response, "output": items, "usage": usage}


def _response(asked: Asked, stamp: Stamp, status: str) -> Message:
    """A response without its output, with what the request asked for written back."""
    request = asked.request

    def asked_for(name: str, default: Json) -> Json:
        value = request.get(name)
        return default if value is None else value

    return {
        "id": stamp.id(PREFIX),
        "object": "response",
        "created_at": stamp.created,
        "status": status,
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": request.get("instructions"),
        "max_output_tokens": request.get("max_output_tokens"),
        "max_tool_calls": request.get("max_tool_calls"),
        "model": request["model"],
        "output": [],
        "parallel_tool_calls": asked_for("parallel_tool_calls", True),
        "previous_response_id": asked.after,
        "prompt_cache_key": request.get("prompt_cache_key"),
        "reasoning": asked_for("reasoning", {"effort": None, "summary": None}),
        "safety_identifier": request.get("safety_identifier"),
        "service_tier": "default",
        "temperature": asked_for("temperature", 1.0),
        "text": asked_for("text", {"format": {"type": "text"}}),
        "tool_choice": asked_for("tool_choice", "auto"),
        "tools": [_tool(spec) for spec in request.get("tools") or []],
        "top_logprobs": asked_for("top_logprobs", 0),
        "top_p": asked_for("top_p", 1.0),
        "truncation": asked_for("truncation", "disabled"),
        "usage": None,
        "user": request.get("user"),
        "metadata": asked_for("metadata", {}),
    }


def _tool(spec: Mapping[str, Any]) -> Json:
    if spec.get("type") != "function":
        return dict(spec)
    return {"description": None, "parameters": {}, "strict": True, **spec}


def _items(turn: Turn, stamp: Stamp) -> list[Message]:
    items: list[Message] = []
    if turn["content"] is not None:
        part = {"type": "output_text", "text": turn["content"], "annotations": [], "logprobs": []}
        items.append(
            {
                "id": stamp.id("msg_"),
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        )
    for i, call in enumerate(turn["tool_calls"]):
        items.append(
            {
                "id": stamp.id("fc_", i),
                "type": "function_call",
                "status": "completed",
                "call_id": call["id"],
                "name": call["name"],
                "arguments": written(call["arguments"]),
            }
        )
    return items


def stream(asked: Asked, turn: Turn, stamp: Stamp) -> Stream:
    """The same reply as events, numbered from 0."""
    events: list[bytes] = []

    def event(kind: str, **fields: Json) -> None:
        numbered = {"type": kind, "sequence_number": len(events), **fields}
        events.append(sse(numbered, kind))

    whole = body(asked, turn, stamp)
    begun = _response(asked, stamp, "in_progress")
    event("response.created", response=begun)
    event("response.in_progress", response=begun)
    middle, calls = len(events), iter(turn["tool_calls"])
    for index, item in enumerate(whole["output"]):
        place = {"item_id": item["id"], "output_index": index}
        bare: Message = {**item, "status": "in_progress"}
        bare["content" if item["type"] == "message" else "arguments"] = (
            [] if item["type"] == "message" else ""
        )
        event("response.output_item.added", output_index=index, item=bare)
        if item["type"] == "message":
            part, place = item["content"][0], {**place, "content_index": 0}
            event("response.content_part.added", **place, part={**part, "text": ""})
            said = pieces(part["text"])
            middle = len(events) + len(said)
            for piece in said:
                event("response.output_text.delta", **place, delta=piece, logprobs=[])
            event("response.output_text.done", **place, text=part["text"], logprobs=[])
            event("response.content_part.done", **place, part=part)
        else:
            said = pieces(item["arguments"])
            middle = len(events) + sent(said, next(calls)["arguments"])
            for piece in said:
                event("response.function_call_arguments.delta", **place, delta=piece)
            event("response.function_call_arguments.done", **place, arguments=item["arguments"])
        event("response.output_item.done", output_index=index, item=item)
    end = len(events)
    event(f"response.{whole['status']}", response=whole)
    return Stream(events, middle, end)


def failed(asked: Asked, stamp: Stamp, sent: int, message: str) -> list[bytes]:
    """What ends a stream after so many events where the provider fails in its middle: an `error`,
    whose fields the provider nests and its reference does not, and the response that failed."""
    said = {"type": "server_error", "code": "server_error", "message": message, "param": None}
    response = _response(asked, stamp, "failed")
    response["error"] = {"code": said["code"], "message": message}
    last: list[Message] = [
        {"type": "error", "sequence_number": sent, "error": said},
        {"type": "response.failed", "sequence_number": sent + 1, "response": response},
    ]
    return [sse(event, event["type"]) for event in last]
