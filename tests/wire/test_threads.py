"""Conversations that the server keeps: Anthropic's threads, and OpenAI's previous response."""

import asyncio
from typing import Any

import pytest
from anthropic import NotFoundError, beta_async_tool, beta_tool
from openai import BadRequestError

from agentfuzz.core.errors import ModelError
from agentfuzz.runtime.virtual_time import virtual_time
from agentfuzz.wire import (
    anthropic_client,
    async_anthropic_client,
    openai_client,
)
from agentfuzz.wire.provider import provider_of
from agentfuzz.wire.router import WireReply

from .loops import MESSAGES_TOOLS, RESPONSES_TOOLS
from .parts import PAY, FakeWorld, says

LINES = (
    says("Paying.", ("c1", "charge", PAY), ("c2", "charge", {**PAY, "amount": 1})),
    says(None, ("c3", "charge", PAY)),
    says("Done."),
)
ASK: list[Any] = [{"role": "user", "content": "Pay."}]
GIVEN: dict[str, Any] = {"model": "m", "max_tokens": 99, "messages": ASK, "system": "Be brief."}


def charge_tool(ledger: list[Any]) -> Any:
    @beta_tool
    def charge(order_id: str, amount: int) -> str:
        """Charge."""
        ledger.append((order_id, amount))
        return "ok"

    return charge


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("thread", [None, False])
def test_the_tool_runner(stream: bool, thread: Any, replies: list[WireReply]) -> None:
    """It sends only what is new when it keeps a thread; the model is shown everything either way,
    with the system prompt and the tools that only the first request had."""
    world, ledger = FakeWorld(*LINES), list[Any]()
    given = GIVEN if thread is None else {**GIVEN, "thread": thread}
    runner = anthropic_client(world).beta.messages.tool_runner(
        tools=[charge_tool(ledger)], stream=stream, **given
    )
    final = runner.until_done()
    assert final.content[0].text == "Done."
    assert ledger == [("A17", 42), ("A17", 1), ("A17", 42)]
    roles = [message["role"] for message in world.model.shown[-1]]
    assert roles == ["system", "user", "assistant", "tool", "tool", "assistant", "tool"]
    assert [[tool["name"] for tool in tools] for tools in world.model.tools] == [["charge"]] * 3


@pytest.mark.parametrize("eager", [False, True])
def test_the_async_tool_runner(eager: bool, replies: list[WireReply]) -> None:
    """Awaited and streamed, also where it runs a tool while the reply still comes."""
    world, ledger = FakeWorld(*LINES), list[Any]()

    @beta_async_tool
    async def charge(order_id: str, amount: int) -> str:
        """Charge."""
        ledger.append((order_id, amount))
        return "ok"

    async def main() -> Any:
        runner = async_anthropic_client(world).beta.messages.tool_runner(
            tools=[charge], stream=True, run_tools_eagerly=eager, **GIVEN
        )
        return await runner.until_done()

    assert asyncio.run(main()).content[0].text == "Done."
    assert len(ledger) == 3


def test_a_thread_survives_the_retries_of_the_sdk(replies: list[WireReply]) -> None:
    """A 500 in the middle of a thread, and the SDK goes on from the same reply."""
    with virtual_time() as clock:
        world = FakeWorld(LINES[0], ModelError("broken"), *LINES[1:], clock=clock)
        ledger = list[Any]()
        runner = anthropic_client(world).beta.messages.tool_runner(
            tools=[charge_tool(ledger)], **GIVEN
        )
        assert runner.until_done().content[0].text == "Done."
        assert len(ledger) == 3
        assert world.model.shown[1] == world.model.shown[2]


def test_an_unknown_thread_is_refused_and_the_sdk_starts_anew(replies: list[WireReply]) -> None:
    """404 `thread_not_found`: the plain client raises it, the runner sends everything again."""
    world, ledger = FakeWorld(*LINES), list[Any]()
    made = anthropic_client(world)
    with pytest.raises(NotFoundError) as caught:
        made.beta.messages.create(
            thread={"type": "continue", "previous_message_id": "msg_9"}, **GIVEN
        )
    assert caught.value.error_code == "thread_not_found"
    runner = made.beta.messages.tool_runner(tools=[charge_tool(ledger)], **GIVEN)
    for i, _ in enumerate(runner):
        if i == 0:
            provider_of(world).kept.clear()
    assert len(ledger) == 3
    assert [reply.status for reply in replies].count(404) == 2
    assert len(world.model.shown[-1]) == 7


def test_a_reply_is_continued_once(replies: list[WireReply]) -> None:
    """A second request that goes on from the same reply is refused, as the provider does."""
    world = FakeWorld(*[says("Hm.")] * 4)
    made = anthropic_client(world).beta.messages
    first = made.create(thread={"type": "create"}, **GIVEN)
    again = {"type": "continue", "previous_message_id": first.id}
    given = {"model": "m", "max_tokens": 9, "messages": ASK}
    second = made.create(thread=again, **given)
    made.create(thread={**again, "previous_message_id": second.id}, **given)
    with pytest.raises(Exception, match="continued already") as caught:
        made.create(thread=again, **given)
    assert caught.value.error_code == "thread_already_continued"


def test_a_response_goes_on_from_the_previous_one(replies: list[WireReply]) -> None:
    """The model is shown what came before, but not the instructions of then; two responses may
    go on from the same one; one that was not stored is not found."""
    world = FakeWorld(LINES[0], *[says("Done.")] * 4)
    made = openai_client(world).responses
    first = made.create(model="m", input="Pay.", instructions="Be brief.", tools=RESPONSES_TOOLS)
    outputs: list[Any] = [
        {"type": "function_call_output", "call_id": f"c{i}", "output": "ok"} for i in (1, 2)
    ]
    for _ in range(2):
        found = made.create(
            model="m", input=outputs, previous_response_id=first.id, instructions="Be quick."
        )
        assert found.previous_response_id == first.id
        shown = world.model.shown[-1]
        assert [m["role"] for m in shown] == ["system", "user", "assistant", "tool", "tool"]
        assert shown[0]["content"] == "Be quick."
        assert len(shown[2]["tool_calls"]) == 2
    loose = made.create(model="m", input="Pay.", store=False)
    with pytest.raises(BadRequestError, match="not found"):
        made.create(model="m", input="And?", previous_response_id=loose.id)


def test_tools_named_by_the_request_win(replies: list[WireReply]) -> None:
    """A continued thread uses the tools it was created with, unless it is given others."""
    world = FakeWorld(says("a"), says("b"), says("c"))
    made = anthropic_client(world).beta.messages
    first = made.create(thread={"type": "create"}, tools=MESSAGES_TOOLS, **GIVEN)
    after = {"type": "continue", "previous_message_id": first.id}
    given = {"model": "m", "max_tokens": 9, "messages": ASK}
    second = made.create(thread=after, **given)
    after = {"type": "continue", "previous_message_id": second.id}
    made.create(thread=after, tools=MESSAGES_TOOLS[:1], **given)
    names = [[tool["name"] for tool in tools] for tools in world.model.tools]
    assert names == [["charge", "ship"], ["charge", "ship"], ["charge"]]
