"""What else a request may hold: items by name, conversations, stored prompts, and what the
provider's own tools did."""

from typing import Any

import openai
import pytest
from openai.types.responses import Response

from agentfuzz.model.cassettes.match import question
from agentfuzz.providers import anthropic as messages_codec
from agentfuzz.providers import openai_items, openai_responses
from agentfuzz.wire import anthropic_client, openai_client
from agentfuzz.wire.router import WireReply

from .parts import PAY, FakeWorld, says

LINES = (says("Paying.", ("c1", "charge", PAY)), says("Done."), says("Again."))
OUTPUT: Any = {"type": "function_call_output", "call_id": "c1", "output": "ok"}


def test_items_by_their_ids(replies: list[WireReply]) -> None:
    """A request may name what a reply said instead of saying it again; the type may be left out."""
    world = FakeWorld(*LINES)
    made = openai_client(world).responses
    first = made.create(model="m", input="Pay.")
    names: list[Any] = [{"type": "item_reference", "id": item.id} for item in first.output]
    del names[0]["type"]
    made.create(model="m", input=[{"role": "user", "content": "Pay."}, *names, OUTPUT])
    assert world.model.shown[1] == [
        {"role": "user", "content": "Pay."},
        {
            "role": "assistant",
            "content": "Paying.",
            "tool_calls": [{"id": "c1", "name": "charge", "arguments": PAY}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
    ]
    with pytest.raises(openai.BadRequestError, match="No tool output found for function call c1"):
        made.create(model="m", input=[{"role": "user", "content": "Pay."}, *names])


def test_an_item_that_is_not_known(replies: list[WireReply]) -> None:
    """404, in OpenAI's words: one that was made up, or that was not stored."""
    world = FakeWorld(*LINES)
    made = openai_client(world).responses
    loose = made.create(model="m", input="Pay.", store=False)
    for name in ("rs_1", loose.output[0].id):
        with pytest.raises(openai.NotFoundError, match=f"Item with id '{name}' not found"):
            made.create(model="m", input=[{"type": "item_reference", "id": name}])


@pytest.mark.parametrize("how", ["created", "of old", "object"])
def test_a_conversation_keeps_going(how: str, replies: list[WireReply]) -> None:
    """Each request sends what is new; the model is shown all of it. One of which nothing is known
    begins with the first request."""
    world = FakeWorld(*LINES)
    client = openai_client(world)
    name = client.conversations.create().id if how == "created" else "conv_1"
    assert name.startswith("conv_")
    given: Any = {"id": name} if how == "object" else name
    ask = client.responses.create
    found = ask(model="m", input="Pay.", instructions="Be brief.", conversation=given)
    assert found.conversation is not None
    assert found.conversation.id == name
    with pytest.raises(openai.BadRequestError, match="No tool output found"):
        ask(model="m", input="And?", conversation=given)
    ask(model="m", input=[OUTPUT], conversation=given)
    ask(model="m", input="And?", conversation=given, store=False)
    assert [m["role"] for m in world.model.shown[-1]] == [
        *("user", "assistant", "tool", "assistant", "user")
    ]
    with pytest.raises(openai.BadRequestError, match="Mutually exclusive parameters"):
        ask(model="m", input="x", conversation=given, previous_response_id=found.id)


def test_a_conversation_that_begins_with_items(replies: list[WireReply]) -> None:
    """They are shown before the first request's own."""
    world = FakeWorld(says("Done."))
    client = openai_client(world)
    items: Any = [{"type": "message", "role": "user", "content": "I am Ann."}]
    name = client.conversations.create(items=items, metadata={"a": "b"}).id
    client.responses.create(model="m", input="Pay.", conversation=name)
    assert [m["content"] for m in world.model.shown[0]] == ["I am Ann.", "Pay."]


def test_a_stored_prompt(replies: list[WireReply]) -> None:
    """It may stand for the input and for the model's name."""
    world = FakeWorld(says("Done."), says("Done."))
    made = openai_client(world).responses
    found = made.create(prompt={"id": "pmpt_1", "variables": {"name": "Ann"}})
    assert isinstance(found, Response)
    made.create(prompt={"id": "pmpt_1"}, model="m", input="Pay.")
    assert world.model.shown == [
        [{"role": "system", "content": "[prompt pmpt_1]"}],
        [{"role": "system", "content": "[prompt pmpt_1]"}, {"role": "user", "content": "Pay."}],
    ]


@pytest.mark.parametrize("kind", openai_items.HOSTED)
def test_what_openais_own_tools_did(kind: str, replies: list[WireReply]) -> None:
    """It is shown as its type; the messages around it stay what they are."""
    world = FakeWorld(says("Done."))
    items: Any = [
        {"role": "user", "content": "Look."},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
        {"type": kind, "id": "x_1", "status": "completed"},
        {"type": "message", "role": "assistant", "id": "msg_1", "content": "Found."},
        {"role": "user", "content": "Pay."},
    ]
    openai_client(world).responses.create(model="m", input=items)
    assert [m["content"] for m in world.model.shown[0]] == ["Look.", f"[{kind}]", "Found.", "Pay."]


@pytest.mark.parametrize("kind", messages_codec.HOSTED)
def test_what_anthropics_own_tools_did(kind: str, replies: list[WireReply]) -> None:
    """It stands in brackets beside the words, and a document or an image as well."""
    world = FakeWorld(says("Done."))
    blocks: Any = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": kind, "id": "srvtoolu_1", "tool_use_id": "srvtoolu_1", "name": "x", "input": {}},
        {"type": "text", "text": "Found."},
    ]
    papers: Any = [
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/x.png"}},
        {"type": "text", "text": "Look."},
    ]
    anthropic_client(world).messages.create(
        model="m",
        max_tokens=9,
        messages=[
            {"role": "user", "content": papers},
            {"role": "assistant", "content": blocks},
            {"role": "user", "content": "Pay."},
        ],
    )
    assert [m["content"] for m in world.model.shown[0]] == [
        "[document][image]Look.",
        f"[{kind}]Found.",
        "Pay.",
    ]


def test_a_cassette_that_saw_such_a_tool() -> None:
    """A reply that is replayed has no part that the provider's tools made, so a question without
    it is the one that was recorded."""
    user = {"role": "user", "content": "Look."}
    for shown in (
        [user, {"role": "assistant", "content": "[server_tool_use]Found."}],
        [
            user,
            {"role": "assistant", "content": "[web_search_call]"},
            {"role": "assistant", "content": "Found."},
        ],
    ):
        assert question(shown) == question([user, {"role": "assistant", "content": "Found."}])
    called = {"tool_calls": [{"id": "c", "name": "pay", "arguments": {}}], "role": "assistant"}
    assert question([{**called, "content": "[mcp_call]"}]) == question([{**called, "content": ""}])
    assert question([{**user, "content": "[image]"}]) != question([{**user, "content": ""}])


def test_an_item_of_which_nothing_is_known() -> None:
    """It is refused by its type, with what there is."""
    with pytest.raises(
        openai_responses.BadRequest, match=r"'telepathy' is no item.*item_reference"
    ):
        openai_responses.parse({"model": "m", "input": [{"type": "telepathy"}]}, {})
