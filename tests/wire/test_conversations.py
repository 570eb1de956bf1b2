"""The official clients hold a conversation with tools: every protocol, door and way of reading."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import openai
import pytest

from agentfuzz.runtime.virtual_time import virtual_time
from agentfuzz.wire import (
    anthropic_client,
    async_anthropic_client,
    async_openai_client,
    openai_client,
    serve,
)
from agentfuzz.wire.router import WireReply

from .loops import SYNC, Awaited
from .parts import CONVERSATION, PAY, SHIP, FakeWorld

PROTOCOLS = pytest.mark.parametrize("protocol", list(SYNC))
MODES = pytest.mark.parametrize("mode", ["plain", "stream", "helper"])
KINDS = pytest.mark.parametrize("kind", ["sync", "async"])
DOORS = pytest.mark.parametrize("door", ["in process", "loopback"])
CALLS = [("c0", "charge", PAY), ("c1", "charge", PAY), ("c2", "ship", SHIP)]


@contextmanager
def client(
    world: Any, protocol: str, kind: str, door: str, hold: float = 0.05, **kwargs: Any
) -> Iterator[Any]:
    """An official client of a world; an async one reads like a sync one."""
    theirs = protocol == "messages"
    if door == "in process":
        made = {
            (False, "sync"): openai_client,
            (False, "async"): async_openai_client,
            (True, "sync"): anthropic_client,
            (True, "async"): async_anthropic_client,
        }[theirs, kind](world, **kwargs)
        if kind == "sync":
            yield made
            return
        with asyncio.Runner() as runner:
            yield Awaited(made, runner)
        return
    sdk: Any = anthropic if theirs else openai
    name = ("Async" if kind == "async" else "") + ("Anthropic" if theirs else "OpenAI")
    with serve(world, hold=hold) as urls, asyncio.Runner() as runner:
        base = urls.anthropic if theirs else urls.openai
        made = getattr(sdk, name)(api_key="k", base_url=base, **kwargs)
        if kind == "sync":
            with made:
                yield made
        else:
            yield Awaited(made, runner)
            runner.run(made.close())


@PROTOCOLS
@MODES
@KINDS
@DOORS
def test_a_conversation_with_tools_passes(
    protocol: str, mode: str, kind: str, door: str, replies: list[WireReply]
) -> None:
    """Text beside a call, two calls in one turn, and a closing arrive as the model said them;
    the model is shown the whole conversation, in the same words whatever the protocol."""
    world = FakeWorld(*CONVERSATION)
    with client(world, protocol, kind, door) as made:
        text, calls = SYNC[protocol](made, mode)
    assert text == CONVERSATION[-1]["content"]
    assert calls == CALLS
    assert len(replies) == 3
    last = world.model.shown[-1]
    assert [m["role"] for m in last] == [
        *("system", "user", "assistant", "tool", "assistant", "tool", "tool")
    ]
    assert [m["content"] for m in last][:4] == [
        *("Be brief.", "Pay.", "Let me charge that.", "ok:charge")
    ]
    assert [m.get("tool_call_id") for m in last if m["role"] == "tool"] == ["c0", "c1", "c2"]
    assert last[4]["tool_calls"] == CONVERSATION[1]["tool_calls"]
    assert world.model.tools[-1] == [
        {
            "name": name,
            "description": f"to {name}",
            "schema": {"type": "object", "properties": {"order_id": {"type": "string"}}},
        }
        for name in ("charge", "ship")
    ]


@PROTOCOLS
@MODES
@KINDS
def test_equal_runs_give_equal_bytes(protocol: str, mode: str, kind: str) -> None:
    """The same lines give the same replies, byte for byte, and no id comes twice in one run."""
    with virtual_time() as clock:
        from .parts import checked

        def run() -> list[WireReply]:
            clock.reset()
            with (
                checked() as replies,
                client(FakeWorld(*CONVERSATION, clock=clock), protocol, kind, "in process") as made,
            ):
                SYNC[protocol](made, mode)
            return list(replies)

        first = run()
        assert first == run()
        ids = [_id(reply) for reply in first]
        assert len(set(ids)) == len(ids) == 3


def _id(reply: WireReply) -> str:
    text = reply.chunks[0].decode()
    found = json.loads(text[text.index("{") :])
    return str(found.get("message", found.get("response", found))["id"])


@pytest.mark.parametrize("door", ["in process", "loopback"])
def test_usage_is_what_the_turn_says_or_an_estimate(door: str) -> None:
    """Tokens are the turn's own; without any, four characters are one."""
    for protocol in SYNC:
        world = FakeWorld(*CONVERSATION[:1], {**CONVERSATION[2], "content": "x" * 40})
        with client(world, protocol, "sync", door) as made:
            if protocol == "chat":
                asked = {"model": "m", "messages": [{"role": "user", "content": "y" * 80}]}
                used = [made.chat.completions.create(**asked).usage for _ in range(2)]
                found = [(u.prompt_tokens, u.completion_tokens, u.total_tokens) for u in used]
                stated = [(11, 7, 18), (20, 10, 30)]
            elif protocol == "responses":
                used = [made.responses.create(model="m", input="y" * 80).usage for _ in range(2)]
                found = [(u.input_tokens, u.output_tokens, u.total_tokens) for u in used]
                stated = [(11, 7, 18), (20, 10, 30)]
            else:
                asked = {"model": "m", "messages": [{"role": "user", "content": "y" * 80}]}
                used = [made.messages.create(max_tokens=9, **asked).usage for _ in range(2)]
                found = [(u.input_tokens, u.output_tokens) for u in used]
                stated = [(11, 7), (20, 10)]
        assert found == stated
