"""A model provider on loopback that says its lines: three protocols, whole and streamed.

Law: the replies are written here by hand in the providers' shapes, not by the code under test.
Called by the fixtures that record; a line is `{"text": ...}`, `{"calls": [(id, name, arguments)]}`
or `{"status": 500}`, and is said once. Streams send texts and arguments in small pieces.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HEADERS = {"x-request-id": "req_1", "server": "canned", "date": "Sun, 01 Mar 2026 00:00:00 GMT"}


class Provider:
    """Use as a context manager; `url` is its address, `asked` what it was asked."""

    def __init__(self, *lines: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self.lines = list(lines)
        self.headers = {**HEADERS, **(headers or {})}
        self.asked: list[dict[str, Any]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self) -> "Provider":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            return None

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            provider.asked.append(asked)
            line = provider.lines.pop(0)
            path = self.path.partition("?")[0]
            kind = next((k for k in _WHOLE if path.endswith(k)), "")
            if "status" in line or not kind:
                said = line.get("error", {"error": {"type": "server_error", "message": "no"}})
                self._send(line.get("status", 404), "application/json", json.dumps(said).encode())
            elif asked.get("stream"):
                events = b"".join(_STREAM[kind](line))
                if line.get("cut"):
                    events = events[: len(events) // 2]
                self._send(200, "text/event-stream; charset=utf-8", events)
            else:
                whole = json.dumps(_WHOLE[kind](line)).encode()
                self._send(200, "application/json", whole)

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            for name, value in {**provider.headers, "content-type": kind}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _event(data: Any, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def _typed(data: dict[str, Any]) -> bytes:
    return _event(data, data["type"])


def _pieces(text: str) -> list[str]:
    return [text[i : i + 7] for i in range(0, len(text), 7)]


def _chat(line: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": line.get("text")}
    if line.get("calls"):
        message["tool_calls"] = [
            {"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
            for i, n, a in line["calls"]
        ]
    finish = "tool_calls" if line.get("calls") else "stop"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


def _chat_stream(line: dict[str, Any]) -> Iterator[bytes]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        kind = "chat.completion.chunk"
        return _event(
            {"id": "c-1", "object": kind, "created": 1, "model": "m", "choices": [choice]}
        )

    yield b": keep-alive\n\n"
    yield chunk({"role": "assistant", "content": ""})
    for piece in _pieces(line.get("text") or ""):
        yield chunk({"content": piece})
    for k, (call_id, name, arguments) in enumerate(line.get("calls", ())):
        head = {"name": name, "arguments": ""}
        yield chunk(
            {"tool_calls": [{"index": k, "id": call_id, "type": "function", "function": head}]}
        )
        for piece in _pieces(json.dumps(arguments)):
            yield chunk({"tool_calls": [{"index": k, "function": {"arguments": piece}}]})
    yield chunk({}, "tool_calls" if line.get("calls") else "stop")
    yield b"data: [DONE]\n\n"


def _responses(line: dict[str, Any]) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    if line.get("text") is not None:
        part = {"type": "output_text", "text": line["text"], "annotations": []}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
        output.append({**message, "content": [part]})
    for i, name, arguments in line.get("calls", ()):
        call = {"id": f"fc_{i}", "type": "function_call", "call_id": i, "status": "completed"}
        output.append({**call, "name": name, "arguments": json.dumps(arguments)})
    return {
        "id": line.get("id", "resp_1"),
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "m",
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _responses_stream(line: dict[str, Any]) -> Iterator[bytes]:
    whole = _responses(line)
    begun = {**whole, "status": "in_progress", "output": []}
    yield _typed({"type": "response.created", "sequence_number": 0, "response": begun})
    for index, item in enumerate(whole["output"]):
        place = {"item_id": item["id"], "output_index": index, "sequence_number": 1}
        bare = {**item, "content": []} if "content" in item else {**item, "arguments": ""}
        yield _typed({"type": "response.output_item.added", **place, "item": bare})
        if "content" in item:
            part = item["content"][0]
            place["content_index"] = 0
            yield _typed(
                {"type": "response.content_part.added", **place, "part": {**part, "text": ""}}
            )
            for piece in _pieces(part["text"]):
                kind = "response.output_text.delta"
                yield _typed({"type": kind, **place, "delta": piece, "logprobs": []})
        else:
            for piece in _pieces(item["arguments"]):
                kind = "response.function_call_arguments.delta"
                yield _typed({"type": kind, **place, "delta": piece})
        yield _typed({"type": "response.output_item.done", **place, "item": item})
    yield _typed({"type": "response.completed", "sequence_number": 2, "response": whole})


def _messages(line: dict[str, Any]) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    if line.get("text"):
        blocks.append({"type": "text", "text": line["text"]})
    for i, name, arguments in line.get("calls", ()):
        blocks.append({"type": "tool_use", "id": i, "name": name, "input": arguments})
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": blocks,
        "stop_reason": "tool_use" if line.get("calls") else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }


def _messages_stream(line: dict[str, Any]) -> Iterator[bytes]:
    whole = _messages(line)
    begun = {**whole, "content": [], "stop_reason": None}
    yield _typed({"type": "message_start", "message": begun})
    for index, block in enumerate(whole["content"]):
        bare = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
        yield _typed({"type": "content_block_start", "index": index, "content_block": bare})
        written = block["text"] if block["type"] == "text" else json.dumps(block["input"])
        for piece in _pieces(written):
            delta = (
                {"type": "text_delta", "text": piece}
                if block["type"] == "text"
                else {"type": "input_json_delta", "partial_json": piece}
            )
            yield _typed({"type": "content_block_delta", "index": index, "delta": delta})
        yield _typed({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield _typed({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7}})
    yield _typed({"type": "message_stop"})


_WHOLE = {"/chat/completions": _chat, "/responses": _responses, "/messages": _messages}
_STREAM = {
    "/chat/completions": _chat_stream,
    "/responses": _responses_stream,
    "/messages": _messages_stream,
}
