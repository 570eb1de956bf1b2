"""What the wire's tests share: a model that says what it is told to, and strict validation.

Every reply that a face gives in these tests is validated against the official SDKs' own types,
without coercion and without a field that the types do not know.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from anthropic.types import Message, ModelInfo, RawMessageStreamEvent
from anthropic.types.shared import ErrorResponse
from openai.types import ErrorObject, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from agentfuzz.core.errors import CutOff
from agentfuzz.runtime.clock import Clock
from agentfuzz.wire.router import Face, WireReply

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
BODIES: dict[str, Any] = {CHAT: ChatCompletion, RESPONSES: Response, MESSAGES: Message}
EVENTS: dict[str, Any] = {
    CHAT: TypeAdapter(ChatCompletionChunk),
    RESPONSES: TypeAdapter(ResponseStreamEvent),
    MESSAGES: TypeAdapter(RawMessageStreamEvent),
}
PAY = {"order_id": "A17", "amount": 42}
SHIP = {"order_id": "A17"}


class FakeModel:
    """Says its lines in order, and keeps what it was shown. A line is a turn, or an exception."""

    def __init__(self, *lines: Any) -> None:
        self.lines = list(lines)
        self.shown: list[list[dict[str, Any]]] = []
        self.tools: list[list[dict[str, Any]]] = []
        self.refused: list[str] = []

    def turn(
        self, messages: list[dict[str, Any]], tools: Any, ids: str = "", stream: bool = False
    ) -> Any:
        self.shown.append(messages)
        self.tools.append(list(tools.tools))
        line = self.lines.pop(0)
        if isinstance(line, BaseException):
            raise line
        return line

    def refuse(self, messages: list[dict[str, Any]], words: str) -> None:
        self.refused.append(words)


class FakeWorld:
    """A world with nothing but a model and a clock, and its own gateway."""

    _resources = ()
    _prompts: Mapping[str, str] = {}

    def __init__(self, *lines: Any, clock: Clock | None = None, budget: int = 200) -> None:
        self.model = FakeModel(*lines)
        self.clock = clock or Clock()
        self.budget = budget
        self.outside: dict[str, Any] = {}

    def went_out(self, name: str) -> None:
        pass

    @property
    def gateway(self) -> "FakeWorld":
        return self

    def crossing(self) -> None:
        self.budget -= 1
        if self.budget < 0:
            raise CutOff("budget", "no more crossings")


def says(content: str | None = None, *calls: tuple[str, str, Any], **more: Any) -> dict[str, Any]:
    """A turn: a text, calls as (id, name, arguments), and whatever else it should hold."""
    made = [{"id": i, "name": name, "arguments": arguments} for i, name, arguments in calls]
    stop = "tool_calls" if made else "end"
    return {"role": "assistant", "content": content, "tool_calls": made, "stop": stop, **more}


BOTH = says(None, ("c1", "charge", PAY), ("c2", "ship", SHIP))
CONVERSATION = (
    says("Let me charge that.", ("c0", "charge", PAY), usage={"input": 11, "output": 7}),
    BOTH,
    says("Charged — naïve “quotes”, 漢字, \u2028 and all."),
)


def data(event: bytes) -> bytes:
    """The data of one server-sent event."""
    lines = event.removesuffix(b"\n\n").split(b"\n")
    assert event.endswith(b"\n\n")
    assert len([line for line in lines if line.startswith(b"data: ")]) == 1
    return lines[-1].removeprefix(b"data: ")


def check(path: str, reply: WireReply) -> None:
    """A reply is what the SDK's types say it is, to the letter."""
    if reply.status >= 400:
        _refusal(json.loads(reply.body))
    elif reply.streamed:
        for event in reply.chunks:
            said = data(event)
            if said == b"[DONE]":
                continue
            kind = json.loads(said).get("type")
            if "error" in json.loads(said):
                _error(path, event, json.loads(said))
                continue
            if path != CHAT:
                assert event.startswith(f"event: {kind}\n".encode())
            if kind != "ping":
                known(EVENTS[path].validate_json(said, strict=True))
    elif reply.ending == "complete" and path in BODIES:
        known(BODIES[path].model_validate_json(reply.body, strict=True))
    elif reply.ending == "complete" and path.startswith("/v1/models"):
        card = json.loads(reply.body)
        for one in card.get("data", [card]):
            kind = ModelInfo if "type" in one else Model
            known(kind.model_validate_json(json.dumps(one)))


def _error(path: str, event: bytes, found: dict[str, Any]) -> None:
    """An error in a stream: of Responses, its fields are nested, and its type has them flat."""
    assert event.startswith(b"data: " if path == CHAT else b"event: error\n")
    if path == RESPONSES:
        assert list(found) == ["type", "sequence_number", "error"]
        assert found["type"] == "error"
        found = {"error": found["error"]}
    _refusal(found)


def _refusal(found: dict[str, Any]) -> None:
    if "type" in found:
        known(ErrorResponse.model_validate(found, strict=True), but=("details",))
    else:
        assert list(found) == ["error"]
        known(ErrorObject.model_validate(found["error"], strict=True))


def known(value: Any, but: tuple[str, ...] = ()) -> None:
    """No field of a model, at any depth, is one that its type does not declare."""
    if isinstance(value, BaseModel):
        assert not set(value.model_extra or ()) - set(but), (type(value), value.model_extra)
        for name in type(value).model_fields:
            known(getattr(value, name), but)
    elif isinstance(value, list):
        for item in value:
            known(item, but)


@contextmanager
def checked() -> Iterator[list[WireReply]]:
    """Validate every reply that any face gives while the block runs; yields them in order."""
    answer, found = Face.answer, list[WireReply]()

    def watched(
        self: Face, method: str, path: str, headers: Any, body: bytes, **more: Any
    ) -> WireReply:
        reply = answer(self, method, path, headers, body, **more)
        check(path.partition("?")[0], reply)
        found.append(reply)
        return reply

    Face.answer = watched  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Face.answer = answer  # type: ignore[method-assign]
