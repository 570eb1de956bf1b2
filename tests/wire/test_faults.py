"""What goes wrong at a provider, as the official clients see it: errors, timeouts, cut replies.

The SDKs' own retries and back-off run; each of their requests is a crossing of the model.
"""

import json
from typing import Any

import anthropic
import openai
import pytest

from agentfuzz.core.errors import CutOff, ModelError
from agentfuzz.providers.turns import made_id
from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.virtual_time import virtual_time
from agentfuzz.wire import async_openai_client, openai_client
from agentfuzz.wire.router import WireReply

from .loops import CHAT_TOOLS, chat_turn, messages_turn, responses_turn
from .parts import BOTH, PAY, FakeWorld, data, says
from .test_conversations import DOORS, KINDS, PROTOCOLS, client

ASKED: list[Any] = [{"role": "user", "content": "Pay."}]
TURN: dict[str, Any] = {
    "chat": chat_turn,
    "responses": responses_turn,
    "messages": messages_turn,
}
SDK: dict[str, Any] = {"chat": openai, "responses": openai, "messages": anthropic}
DONE = says("Done.")


def limited(seconds: float = 7.0) -> ModelError:
    error = ModelError("slow down", 429)
    error.retry_after = seconds
    return error


def spoken(protocol: str, found: Any) -> Any:
    if protocol == "chat":
        return found["content"]
    return found.output_text if protocol == "responses" else found.content[0].text


@PROTOCOLS
@KINDS
@DOORS
@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_the_sdk_retries_by_itself(
    protocol: str, kind: str, door: str, status: int, time_of: Any, replies: list[WireReply]
) -> None:
    """An error, then success: two crossings for one call of the agent; in process the back-off
    takes virtual time (Retry-After to the second), and over a socket none at all."""
    pause = 50.0
    error = limited(pause) if status == 429 else ModelError("broken", status)
    begun = Real.monotonic()
    with time_of(door) as clock:
        world = FakeWorld(error, DONE, clock=clock)
        with client(world, protocol, kind, door) as made:
            found = TURN[protocol](made, "plain", ASKED)
    assert spoken(protocol, found) == "Done."
    assert len(world.model.shown) == 2
    sent = 503 if status == 529 and protocol != "messages" else status
    assert [reply.status for reply in replies] == [sent, 200]
    if status == 429:
        assert replies[0].headers["retry-after"] == "50"
    if door == "in process":
        assert clock.now == pause if status == 429 else 0.3 < clock.now <= 0.5
    else:
        assert clock.now == 0.0
    assert Real.monotonic() - begun < pause


@PROTOCOLS
@KINDS
@DOORS
def test_errors_keep_their_form(
    protocol: str, kind: str, door: str, replies: list[WireReply]
) -> None:
    """What is never retried reaches the agent as the SDK's own exception, with the message."""
    for status, name in {
        400: "BadRequestError",
        401: "AuthenticationError",
        403: "PermissionDeniedError",
        429: "RateLimitError",
        500: "InternalServerError",
        529: "OverloadedError" if protocol == "messages" else "InternalServerError",
    }.items():
        error = limited() if status == 429 else ModelError("no such luck", status)
        world = FakeWorld(error)
        with client(world, protocol, kind, door, max_retries=0) as made:
            with pytest.raises(SDK[protocol].APIStatusError) as caught:
                TURN[protocol](made, "plain", ASKED)
        assert type(caught.value).__name__ == name
        assert ("slow down" if status == 429 else "no such luck") in str(caught.value)
        form = "req_01" if protocol == "messages" else "req_"
        assert caught.value.request_id == made_id(form, 1)


@PROTOCOLS
@KINDS
@pytest.mark.parametrize("mode", ["plain", "stream"])
def test_a_reply_that_never_comes(
    protocol: str, kind: str, mode: str, replies: list[WireReply]
) -> None:
    """It takes the client's read timeout of virtual time, three times with the SDK's retries, and
    no real time; the exception is the SDK's own, and the library's ReadTimeout is its cause."""
    with virtual_time() as clock:
        world = FakeWorld(TimeoutError(), TimeoutError(), TimeoutError(), clock=clock)
        begun = Real.monotonic()
        with client(world, protocol, kind, "in process") as made:
            with pytest.raises(SDK[protocol].APITimeoutError) as caught:
                TURN[protocol](made, mode, ASKED)
        assert type(caught.value.__cause__).__name__ == "ReadTimeout"
        assert len(world.model.shown) == 3
        assert 1800 < clock.now < 1802
        assert Real.monotonic() - begun < 600


@PROTOCOLS
@KINDS
def test_a_reply_that_never_comes_over_a_socket(
    protocol: str, kind: str, replies: list[WireReply]
) -> None:
    """The server holds the connection, and drops it; a client with less patience goes first."""
    brief = SDK[protocol].Timeout(30.0, read=0.02)
    for hold, patience, error in (
        (0.05, 30.0, "APIConnectionError"),
        (30.0, brief, "APITimeoutError"),
    ):
        world = FakeWorld(TimeoutError(), DONE)
        with client(
            world, protocol, kind, "loopback", hold, timeout=patience, max_retries=0
        ) as made:
            with pytest.raises(SDK[protocol].APIConnectionError) as caught:
                TURN[protocol](made, "plain", ASKED)
            assert type(caught.value).__name__ == error
            while not world.model.shown:  # a busy machine may not have read the request yet
                Real.sleep(0.01)
        assert len(world.model.shown) == 1


@PROTOCOLS
@KINDS
@DOORS
def test_a_plain_reply_that_is_cut(
    protocol: str, kind: str, door: str, replies: list[WireReply]
) -> None:
    """The connection is dropped before a byte of the reply, which the model has given."""
    world = FakeWorld(says("Half a", stop="cut"), DONE)
    with client(world, protocol, kind, door, max_retries=0) as made:
        with pytest.raises(SDK[protocol].APIConnectionError) as caught:
            TURN[protocol](made, "plain", ASKED)
        assert type(caught.value.__cause__).__name__ == "RemoteProtocolError"
        assert spoken(protocol, TURN[protocol](made, "plain", ASKED)) == "Done."
    assert len(world.model.shown) == 2


@PROTOCOLS
@KINDS
def test_the_sdk_asks_again_after_a_cut(protocol: str, kind: str, replies: list[WireReply]) -> None:
    """By itself, in virtual time: the model has answered twice for one call of the agent."""
    with virtual_time() as clock:
        world = FakeWorld(says("Half a", stop="cut"), DONE, clock=clock)
        with client(world, protocol, kind, "in process") as made:
            assert spoken(protocol, TURN[protocol](made, "plain", ASKED)) == "Done."
        assert len(world.model.shown) == 2
        assert 0.3 < clock.now <= 0.5


TORN = says("Paying.", ("c1", "charge", PAY), ("c2", "charge", '{"order_id": "A1'), stop="cut")


@PROTOCOLS
@KINDS
@DOORS
@pytest.mark.parametrize("torn", [TORN, {**BOTH, "stop": "cut"}], ids=["torn", "whole"])
def test_a_stream_that_is_cut(
    protocol: str, kind: str, door: str, torn: Any, replies: list[WireReply]
) -> None:
    """It ends cleanly in the middle of a call's JSON: nothing says that the reply is complete."""
    world = FakeWorld(torn)
    with client(world, protocol, kind, door, max_retries=0) as made:
        if protocol == "chat":
            given = {"model": "m", "messages": ASKED, "stream": True}
            events = list(made.chat.completions.create(**given))
            assert not [c for e in events for c in e.choices if c.finish_reason]
        elif protocol == "responses":
            events = list(made.responses.create(model="m", input="Pay.", stream=True))
            assert events[-1].type == "response.function_call_arguments.delta"
        else:
            given = {"model": "m", "max_tokens": 9, "messages": ASKED, "stream": True}
            events = list(made.messages.create(**given))
            assert [e.type for e in events][-1] == "content_block_delta"
    assert replies[-1].ending == "cut"
    assert "DONE" not in replies[-1].body.decode()
    last = _arguments(replies[-1])
    with pytest.raises(ValueError):
        json.loads(last)
    assert last == (TORN["tool_calls"][-1]["arguments"] if torn is TORN else '{"order_i')


def _arguments(reply: WireReply) -> str:
    """What a stream has shown of its last call."""
    shown: dict[Any, str] = {}
    for event in reply.chunks:
        found = json.loads(data(event))
        if found.get("type") == "response.function_call_arguments.delta":
            shown[found["output_index"]] = shown.get(found["output_index"], "") + found["delta"]
        elif found.get("type") == "content_block_delta":
            piece = found["delta"].get("partial_json", "")
            shown[found["index"]] = shown.get(found["index"], "") + piece
        for choice in found.get("choices", ()):
            for call in choice["delta"].get("tool_calls", ()):
                piece = call["function"]["arguments"]
                shown[call["index"]] = shown.get(call["index"], "") + piece
    return list(shown.values())[-1]


@PROTOCOLS
@DOORS
def test_where_a_stream_is_cut(protocol: str, door: str, replies: list[WireReply]) -> None:
    """`cut_at` moves the cut to the first event, or to just before the end: then everything is
    there but the word that it is complete."""
    whole = FakeWorld({**BOTH, "content": "Now."})
    with client(whole, protocol, "sync", door) as made:
        TURN[protocol](made, "stream", ASKED)
    everything = len(replies[0].chunks)
    ends = {"chat": 2, "responses": 1, "messages": 2}[protocol]
    for cut_at, count in (("start", 1), ("end", everything - ends)):
        world = FakeWorld({**BOTH, "content": "Now.", "stop": "cut", "cut_at": cut_at})
        with client(world, protocol, "sync", door) as made:
            try:
                TURN[protocol](made, "stream", ASKED)
            except AttributeError:
                assert protocol == "responses"  # its loop wants the last event to hold a response
        assert len(replies[-1].chunks) == count


@PROTOCOLS
@KINDS
@pytest.mark.parametrize("mode", ["plain", "stream"])
def test_a_reply_at_the_limit(
    protocol: str, kind: str, mode: str, replies: list[WireReply]
) -> None:
    """`length` is each provider's own word, with whatever was written until then."""
    torn = says(None, ("c1", "charge", '{"order_id": "A17", "amo'), stop="length")
    for line in (says("Half a", stop="length"), torn):
        world = FakeWorld(line)
        with client(world, protocol, kind, "in process") as made:
            if protocol == "chat":
                given = {"model": "m", "messages": ASKED, "tools": CHAT_TOOLS}
                if mode == "plain":
                    choice = made.chat.completions.create(**given).choices[0]
                else:
                    choice = list(made.chat.completions.create(stream=True, **given))[-1].choices[0]
                assert choice.finish_reason == "length"
            elif protocol == "responses":
                found = responses_turn(made, mode, ASKED)
                assert found.status == found.output[-1].status == "incomplete"
                assert found.incomplete_details.reason == "max_output_tokens"
                if line is torn:
                    assert found.output[-1].arguments == '{"order_id": "A17", "amo'
            else:
                found = messages_turn(made, mode, ASKED)
                assert found.stop_reason == "max_tokens"
                if line is torn:
                    assert found.content[-1].input == {"order_id": "A17"}


def test_without_a_timeout_of_its_own_a_sync_client_hangs() -> None:
    """A client that waits for ever is cut off as hung, and says so."""
    with virtual_time() as clock:
        made = openai_client(FakeWorld(TimeoutError(), clock=clock), timeout=None)
        with pytest.raises(CutOff, match="hung"):
            made.chat.completions.create(model="m", messages=ASKED)


def test_an_async_agent_may_have_a_deadline_of_its_own() -> None:
    """Without a timeout of the client, the agent's deadline ends the wait, in virtual time."""
    with virtual_time() as clock:
        import asyncio

        async def main() -> None:
            made = async_openai_client(FakeWorld(TimeoutError(), clock=clock), timeout=None)
            async with asyncio.timeout(30):
                await made.chat.completions.create(model="m", messages=ASKED)

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert 30 <= clock.now < 31


def test_outside_a_simulation_nothing_takes_time_either() -> None:
    """The async client of a world that no simulation runs does not wait for a real timeout."""
    import asyncio

    world = FakeWorld(TimeoutError())
    begun = Real.monotonic()

    async def main() -> None:
        made = async_openai_client(world, max_retries=0)
        await made.chat.completions.create(model="m", messages=ASKED)

    with pytest.raises(openai.APITimeoutError):
        asyncio.run(main())
    assert world.clock.now == 600.0
    assert Real.monotonic() - begun < 300
