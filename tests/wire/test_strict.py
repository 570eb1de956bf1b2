"""What a provider refuses is refused by the wire, as a turn that the model did not take."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import anthropic
import openai
import pytest

from agentfuzz import run, scenario
from agentfuzz.core.events import ModelInput, ModelTurn
from agentfuzz.wire import (
    anthropic_client,
    async_anthropic_client,
    async_http_client,
    async_openai_client,
    http_client,
    openai_client,
    serve,
)
from agentfuzz.wire.router import WireReply

from .parts import CHAT, MESSAGES, RESPONSES, FakeWorld, says

USER = {"role": "user", "content": "Pay."}
ORPHANS: dict[str, dict[str, Any]] = {
    CHAT: {
        "model": "m",
        "messages": [USER, {"role": "tool", "tool_call_id": "c1", "content": "ok"}],
    },
    RESPONSES: {
        "model": "m",
        "input": [USER, {"type": "function_call_output", "call_id": "c1", "output": "ok"}],
    },
    MESSAGES: {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            USER,
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "ok"}],
            },
        ],
    },
}
CALL: dict[str, Any] = {
    CHAT: lambda client: client.chat.completions.create(**ORPHANS[CHAT]),
    RESPONSES: lambda client: client.responses.create(**ORPHANS[RESPONSES]),
    MESSAGES: lambda client: client.messages.create(**ORPHANS[MESSAGES]),
}
SAID = {
    CHAT: (
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
        "with 'tool_calls'."
    ),
    RESPONSES: "No tool call found for function call output with call_id c1.",
    MESSAGES: (
        "messages.1.content.0: unexpected `tool_use_id` found in `tool_result` blocks: c1. Each "
        "`tool_result` block must have a corresponding `tool_use` block in the previous message."
    ),
}


@pytest.mark.parametrize("path", CALL)
def test_the_sdk_raises_it(path: str, replies: list[WireReply]) -> None:
    """As its own BadRequestError, in the provider's form; it is not tried again, and the model is
    not asked."""
    world = FakeWorld()
    client = anthropic_client(world) if path == MESSAGES else openai_client(world)
    errors = (openai.BadRequestError, anthropic.BadRequestError)
    with pytest.raises(errors) as caught:
        CALL[path](client)
    error: Any = caught.value.body
    found = error["error"] if path == MESSAGES else error
    assert (found["type"], found["message"]) == ("invalid_request_error", SAID[path])
    if path != MESSAGES:
        place = "messages.[1].role" if path == CHAT else "input"
        assert (found["param"], found["code"]) == (place, None)
    assert world.model.refused == [SAID[path]]
    assert [reply.status for reply in replies] == [400]


@pytest.mark.parametrize("path", CALL)
@pytest.mark.parametrize("kind", ["sdk", "async sdk", "http", "async http", "serve"])
def test_every_door_can_be_lenient(path: str, kind: str, replies: list[WireReply]) -> None:
    """`strict=False` takes it: the model is asked, and answers."""
    world, body = FakeWorld(says("Done.")), ORPHANS[path]
    if kind == "sdk":
        made: Any = anthropic_client if path == MESSAGES else openai_client
        CALL[path](made(world, strict=False))
    elif kind == "async sdk":
        made = async_anthropic_client if path == MESSAGES else async_openai_client

        async def asked() -> None:
            await CALL[path](made(world, strict=False))

        asyncio.run(asked())
    elif kind == "http":
        assert http_client(world, strict=False).post(path, json=body).status_code == 200
    elif kind == "async http":

        async def posted() -> Any:
            return await async_http_client(world, strict=False).post(path, json=body)

        assert asyncio.run(posted()).status_code == 200
    else:
        with serve(world, strict=False) as urls:
            assert status(urls.anthropic + path, body) == 200
    assert world.model.refused == []
    assert [reply.status for reply in replies] == [200]


def status(url: str, body: Any) -> int:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_server_is_strict(replies: list[WireReply]) -> None:
    """Unless it is told otherwise; and one lenient client makes no other one lenient."""
    world = FakeWorld(says("Done."))
    with serve(world) as urls:
        assert status(urls.anthropic + CHAT, ORPHANS[CHAT]) == 400
    openai_client(world, strict=False).chat.completions.create(**ORPHANS[CHAT])
    with pytest.raises(openai.BadRequestError):
        openai_client(world).chat.completions.create(**ORPHANS[CHAT])
    assert len(world.model.refused) == 2


@scenario(task="Pay.", script=["Paid."])
def paying(world: Any) -> None:
    pass


def test_the_run_tells_it() -> None:
    """A refused request is a turn with a place of its own, with what was shown and why it was
    refused; a fault cannot strike it, and it uses up the budget."""

    def agent(world: Any) -> str:
        client = openai_client(world)
        with pytest.raises(openai.BadRequestError):
            client.responses.create(**ORPHANS[RESPONSES])
        return str(client.responses.create(model="m", input="Pay.").output_text)

    history = run(paying, agent, "model#1:empty").history
    assert [(str(turn.slot), turn.stop) for turn in history.of(ModelTurn)] == [
        ("model#1", "refused"),
        ("model#2", "end"),
    ]
    assert history.of(ModelTurn)[0].text == SAID[RESPONSES]
    assert [message.answers for message in history.of(ModelInput)[0].messages] == [None, "c1"]
    assert history.ended is not None
    assert history.ended.value == "Paid."

    def endless(world: Any) -> None:
        client = openai_client(world)
        while True:
            try:
                client.responses.create(**ORPHANS[RESPONSES])
            except openai.BadRequestError:
                continue

    ended = run(paying, endless).history.ended
    assert ended is not None
    assert (ended.how, ended.error) == ("cut_off", "budget")
