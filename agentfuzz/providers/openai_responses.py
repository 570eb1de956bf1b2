"""OpenAI Responses: `POST /v1/responses`, plain and streamed, with what it goes on from.

Law: pure; the items, events and errors are the provider's. What came before is the server's own
note of it: of a reply, of a conversation, or of a single item that a request names. Called by the
wire's face and by cassettes. Reference: the OpenAI API reference, and the types of the `openai`
package, against which the tests validate every body and event.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz.providers import openai_chat
from agentfuzz.providers.openai_items import by_id, show, spoken
from agentfuzz.providers.terms import of_responses
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
    sent,
    sse,
    tokens,
    tool,
)

PATH = "/v1/responses"
PREFIX, CALLS = "resp_", "call_"
_INCOMPLETE = {"length": "max_output_tokens", "withheld": "content_filter"}
_MODEL = "agentfuzz"  # where a stored prompt says which

error, headers, status_of = openai_chat.error, openai_chat.headers, openai_chat.status_of
items = by_id


def parse(request: Mapping[str, Any], kept: Mapping[str, Kept]) -> Asked:
    """What a request asks of the model. Raises BadRequest naming the place."""
    prompt = field(request, "prompt", dict) if request.get("prompt") else None
    if prompt is None or request.get("model") is not None:
        field(request, "model", str)
    messages: list[Message] = []
    conversation = _conversation(request)
    after = request.get("previous_response_id")
    if after is not None:
        if not isinstance(after, str) or after not in kept:
            raise BadRequest(
                f"Previous response with id {after!r} not found.",
                "previous_response_id",
                code="previous_response_not_found",
            )
    elif conversation in kept:
        after = conversation
    if after is not None:
        messages += kept[after].messages
    given = request.get("input")
    if isinstance(given, str):
        messages.append({"role": "user", "content": given})
    elif given is not None or (after is None and prompt is None):
        for i, item in enumerate(objects(field(request, "input", list), "input")):
            show(item, messages, f"input[{i}]", kept)
    once: list[Message] = []
    if request.get("instructions"):
        once.append({"role": "system", "content": str(request["instructions"])})
    if prompt is not None:
        name = field(prompt, "id", str, "prompt")
        once.append({"role": "system", "content": f"[prompt {name}]"})
    if not (once or messages):
        raise BadRequest("is empty; expected at least one item", "input")
    shown = objects(request.get("tools") or [], "tools")
    specs = [tool(spec, "parameters", f"tools[{i}]") for i, spec in enumerate(shown)]
    return Asked(
        [*once, *messages],
        specs,
        bool(request.get("stream")),
        request,
        after,
        keep=request.get("store") is not False or bool(conversation),
        offer=of_responses(request, specs),
        conversation=conversation,
        once=len(once),
    )


def _conversation(request: Mapping[str, Any]) -> str:
    """The name of the conversation that a request is part of, or nothing."""
    given = request.get("conversation") or ""
    if isinstance(given, str):
        return given
    name: str = field(field(request, "conversation", dict), "id", str, "conversation")
    return name


def body(asked: Asked, turn: Turn, stamp: Stamp) -> Json:
    """A whole reply."""
    cut = _INCOMPLETE.get(turn["stop"])
    response = _response(asked, stamp, "incomplete" if cut else "completed")
    output = spoken(turn, stamp)
    if cut:
        response["incomplete_details"] = {"reason": cut}
        if output:
            output[-1]["status"] = "incomplete"
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
    return {**response, "output": output, "usage": usage}


def _response(asked: Asked, stamp: Stamp, status: str) -> Message:
    """A response without its output, with what the request asked for written back."""
    request = asked.request

    def asked_for(name: str, default: Json) -> Json:
        value = request.get(name)
        return default if value is None else value

    kept_in = {"conversation": {"id": asked.conversation}} if asked.conversation else {}
    return {
        "id": stamp.reply(PREFIX),
        "object": "response",
        "created_at": stamp.created,
        "status": status,
        "background": bool(request.get("background")),
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": request.get("instructions"),
        "max_output_tokens": request.get("max_output_tokens"),
        "max_tool_calls": request.get("max_tool_calls"),
        "model": request.get("model") or _MODEL,
        "output": [],
        "parallel_tool_calls": asked_for("parallel_tool_calls", True),
        "previous_response_id": request.get("previous_response_id"),
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
        **kept_in,
    }


def _tool(spec: Mapping[str, Any]) -> Json:
    if spec.get("type") != "function":
        return dict(spec)
    return {"description": None, "parameters": {}, "strict": True, **spec}


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
