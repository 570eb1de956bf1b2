"""Provider replies as turns: the way back of what the codecs of the providers write.

Law: pure; replies are whole or streamed; a body that cannot be read, or a stream without its end,
is Undecodable, never half a turn. A turn's usage is what the provider counted, or None where it
did not say. Requests are read by the codecs themselves. Called by the store and by recording, and
for the text of bodies by the search for secrets.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from agentfuzz.providers import anthropic, openai_chat, openai_responses
from agentfuzz.providers.turns import read

Turn = dict[str, Any]
MAX_BODY = 16_000_000
_CODECS: tuple[ModuleType, ...] = (openai_chat, openai_responses, anthropic)
_FINISH = {"length": "length", "max_tokens": "length", "max_output_tokens": "length"}
_CACHED = ("cache_creation_input_tokens", "cache_read_input_tokens")
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}


class Undecodable(Exception):
    """A body that is no turn of its provider; the message says why, without quoting it."""


def codec_of(method: str, uri: str) -> ModuleType | None:
    """The protocol of a request to a model, whoever hosts it, or None for any other request."""
    path = urlsplit(uri).path.rstrip("/")
    for codec in _CODECS:
        if method == "POST" and path.endswith(codec.PATH.removeprefix("/v1")):
            return codec
    return None


def body_text(said: Mapping[str, Any]) -> str:
    """The body of a recorded request or response as text. Raises Undecodable."""
    body = said.get("body")
    if isinstance(body, Mapping):
        body = body.get("string", "")
    if body is None or isinstance(body, str):
        return body or ""
    if not isinstance(body, bytes):
        raise Undecodable("the body is neither a text nor bytes")
    coding = header(said, "content-encoding")
    if coding in ("gzip", "deflate"):
        body = _inflated(body)
    elif coding not in ("", "identity"):
        raise Undecodable("the body is compressed in a way that is not read here (use gzip)")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Undecodable("the body is no UTF-8 text") from None


def _inflated(body: bytes) -> bytes:
    opened = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        made = opened.decompress(body, MAX_BODY)
    except zlib.error:
        return body  # vcrpy has decompressed it and left the header
    if opened.unconsumed_tail:
        raise Undecodable(f"the body is larger than {MAX_BODY // 1_000_000} MB")
    return made


def header(said: Mapping[str, Any], name: str) -> str:
    """The (first) value of a header in lower case, or an empty text."""
    for known, value in said["headers"].items():
        if str(known).lower() == name:
            first = value[0] if isinstance(value, list) and value else value
            return str(first).lower()
    return ""


def is_stream(said: Mapping[str, Any], text: str) -> bool:
    """Whether a body is a stream of server-sent events."""
    return header(said, "content-type").startswith("text/event-stream") or text.startswith(
        ("event:", "data:")
    )


def events(text: str) -> Iterator[Any]:
    """The data of the events of a stream, parsed where it is JSON."""
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = block.split("\n")
        data = "\n".join(line[5:].strip(" ") for line in lines if line.startswith("data:"))
        if data:
            try:
                yield json.loads(data)
            except (ValueError, RecursionError):
                yield data


def turn_of(codec: ModuleType, said: Mapping[str, Any]) -> tuple[Turn, str]:
    """The turn in a recorded response, and the provider's id of it. Raises Undecodable."""
    text = body_text(said)
    kind = codec.PATH
    try:
        if is_stream(said, text):
            whole = _JOIN[kind]([event for event in events(text) if isinstance(event, Mapping)])
        else:
            whole = json.loads(text)
            if not isinstance(whole, Mapping):
                raise Undecodable("the body is no JSON object")
        return _READ[kind](whole), str(whole.get("id") or "")
    except ValueError:
        raise Undecodable("the body is no JSON") from None
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise Undecodable(f"the body is no reply of {kind} ({type(error).__name__})") from None


def _turn(content: str | None, calls: list[Turn], finish: Any, usage: Turn | None) -> Turn:
    stop = _FINISH.get(str(finish)) or ("tool_calls" if calls else "end")
    return {
        "role": "assistant",
        "content": content or None,
        "tool_calls": calls,
        "stop": stop,
        "usage": usage,
    }


def _usage(
    whole: Mapping[str, Any], given: str, made: str, beside: tuple[str, ...] = ()
) -> dict[str, int] | None:
    """The tokens that the provider counted, in and out, or None where one of them is not there;
    `beside` names input that it counts apart."""
    usage = whole.get("usage")
    if not isinstance(usage, Mapping):
        return None
    found = [usage.get(name) for name in (made, given, *beside)]
    counts = [n if type(n) is int and n >= 0 else None for n in found]
    if counts[0] is None or counts[1] is None:
        return None
    return {"input": sum(n or 0 for n in counts[1:]), "output": counts[0]}


# Whole replies ----------------------------------------------------------------------------


def _chat(whole: Mapping[str, Any]) -> Turn:
    choice = whole["choices"][0]
    message = choice["message"]
    calls = []
    for call in message.get("tool_calls") or ():
        said = call[call.get("type") or "function"]
        calls.append(_call(call["id"], said["name"], said.get("arguments", said.get("input"))))
    text = message.get("content") or message.get("refusal")
    usage = _usage(whole, "prompt_tokens", "completion_tokens")
    return _turn(text, calls, choice.get("finish_reason"), usage)


def _responses(whole: Mapping[str, Any]) -> Turn:
    if whole.get("status") not in (None, "completed", "incomplete"):
        raise Undecodable(f"the response is not completed but {str(whole['status'])[:20]!r}")
    texts, calls = [], []
    for item in whole["output"]:
        if item["type"] == "message":
            texts += [part.get("text") or part.get("refusal") or "" for part in item["content"]]
        elif item["type"] in _CALLS:
            calls.append(_call(item["call_id"], item["name"], item[_CALLS[item["type"]]]))
    why = whole.get("incomplete_details") or {}
    usage = _usage(whole, "input_tokens", "output_tokens")
    return _turn("".join(texts), calls, why.get("reason"), usage)


def _messages(whole: Mapping[str, Any]) -> Turn:
    texts, calls = [], []
    for block in whole["content"]:
        if block["type"] == "text":
            texts.append(block["text"])
        elif block["type"] == "tool_use":
            calls.append(_call(block["id"], block["name"], block["input"]))
    usage = _usage(whole, "input_tokens", "output_tokens", _CACHED)
    return _turn("".join(texts), calls, whole.get("stop_reason"), usage)


def _call(call_id: str, name: str, arguments: Any) -> Turn:
    return {"id": str(call_id), "name": str(name), "arguments": read(arguments)}


# Streams put together ---------------------------------------------------------------------


def _chat_stream(given: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    message: Turn = {"content": ""}
    calls: dict[int, Turn] = {}
    finish, usage, name = None, None, ""
    for event in given:
        name, usage = event.get("id") or name, event.get("usage") or usage
        for choice in event.get("choices") or ():
            if choice.get("index", 0) != 0:
                continue
            finish = choice.get("finish_reason") or finish
            delta = choice.get("delta") or {}
            message["content"] += delta.get("content") or delta.get("refusal") or ""
            for piece in delta.get("tool_calls") or ():
                call = calls.setdefault(piece.get("index", 0), {"function": {"arguments": ""}})
                said = piece.get("function") or {}
                call["id"] = piece.get("id") or call.get("id", "")
                call["function"]["name"] = said.get("name") or call["function"].get("name", "")
                call["function"]["arguments"] += said.get("arguments") or ""
    if finish is None:
        raise Undecodable("the stream breaks off before its end (no finish_reason)")
    message["tool_calls"] = [calls[i] for i in sorted(calls)]
    return {"id": name, "choices": [{"message": message, "finish_reason": finish}], "usage": usage}


def _responses_stream(given: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    for event in reversed(given):
        if event.get("type") in ("response.completed", "response.incomplete"):
            whole: Mapping[str, Any] = event["response"]
            return whole
    raise Undecodable("the stream breaks off before its end (no response.completed)")


def _messages_stream(given: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    whole: Turn = {}
    blocks: dict[int, Turn] = {}
    ended = False
    for event in given:
        kind = event.get("type")
        if kind == "message_start":
            whole = dict(event["message"])
        elif kind == "content_block_start":
            blocks[event["index"]] = {**event["content_block"], "written": ""}
        elif kind == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            if delta["type"] == "text_delta":
                block["text"] = block.get("text", "") + delta["text"]
            elif delta["type"] == "input_json_delta":
                block["written"] += delta["partial_json"]
        elif kind == "message_delta":
            whole["stop_reason"] = event["delta"].get("stop_reason")
            counted = {
                n: count for n, count in (event.get("usage") or {}).items() if count is not None
            }
            whole["usage"] = {**(whole.get("usage") or {}), **counted}
        ended = ended or kind == "message_stop"
    if not ended:
        raise Undecodable("the stream breaks off before its end (no message_stop)")
    for block in blocks.values():
        if block["type"] == "tool_use" and block["written"]:
            block["input"] = block["written"]
    return {**whole, "content": [blocks[i] for i in sorted(blocks)]}


_READ = {openai_chat.PATH: _chat, openai_responses.PATH: _responses, anthropic.PATH: _messages}
_JOIN = {
    openai_chat.PATH: _chat_stream,
    openai_responses.PATH: _responses_stream,
    anthropic.PATH: _messages_stream,
}
