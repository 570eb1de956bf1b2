"""What OpenAI's server has stored: responses, conversations and their items, by the official
client."""

import asyncio
from typing import Any

import openai
import pytest
from openai.types.conversations import Conversation, ConversationItem
from openai.types.responses import Response, ResponseItemList
from pydantic import TypeAdapter

from agentfuzz.wire import async_openai_client, openai_client
from agentfuzz.wire.router import WireReply

from .parts import PAY, FakeWorld, says

LINES = (says("Paying.", ("c1", "charge", PAY)), says("Done."), says("Again."))
OUTPUT: Any = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
ITEM: TypeAdapter[Any] = TypeAdapter(ConversationItem)


def kinds(items: Any) -> list[str]:
    return [getattr(item, "role", None) or item.type for item in items]


def valid(items: Any) -> None:
    """Each is an item as the provider's types have it."""
    for item in items:
        ITEM.validate_python(item.model_dump(exclude_unset=True))


def test_a_response_is_retrieved_as_it_was(replies: list[WireReply]) -> None:
    """And gone, once it was deleted: nothing goes on from it."""
    made = openai_client(FakeWorld(*LINES)).responses
    said = made.create(model="m", input="Pay.")
    assert made.retrieve(said.id) == said
    made.delete(said.id)
    with pytest.raises(openai.NotFoundError, match=f"Response with id '{said.id}' not found"):
        made.retrieve(said.id)
    with pytest.raises(openai.BadRequestError, match="Previous response with id"):
        made.create(model="m", input=[OUTPUT], previous_response_id=said.id)


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_not_to_be_stored_is_not(stream: bool, replies: list[WireReply]) -> None:
    """404, as for what never was; a streamed one is stored as well."""
    made = openai_client(FakeWorld(*LINES)).responses
    for store in (True, False):
        found: Any = made.create(model="m", input="Pay.", store=store, stream=stream)
        name = [*found][-1].response.id if stream else found.id
        if store:
            assert made.retrieve(name).status == "completed"
        else:
            with pytest.raises(openai.NotFoundError):
                made.retrieve(name)


def test_a_stream_is_given_once(replies: list[WireReply]) -> None:
    """Who asks for it again is told so, and not given an empty one."""
    made = openai_client(FakeWorld(*LINES)).responses
    said = made.create(model="m", input="Pay.")
    with pytest.raises(openai.BadRequestError, match="retrieve the whole"):
        made.retrieve(said.id, stream=True)


def test_the_items_that_a_response_was_made_from(replies: list[WireReply]) -> None:
    """All that came before it, newest first unless asked otherwise."""
    made = openai_client(FakeWorld(*LINES)).responses
    first = made.create(model="m", input="Pay.")
    last = made.create(model="m", input=[OUTPUT], previous_response_id=first.id)
    found = made.input_items.list(last.id, order="asc")
    ResponseItemList.model_validate(found.model_dump(exclude_unset=True) | {"object": "list"})
    assert kinds(found.data) == ["user", "assistant", "function_call", "function_call_output"]
    assert [item.id for item in made.input_items.list(last.id)] == [
        item.id for item in reversed(found.data)
    ]
    assert [item.id for item in found.data[1:3]] == [item.id for item in first.output]
    again = made.create(model="m", input=[{"type": "item_reference", "id": first.output[0].id}])
    assert kinds(made.input_items.list(again.id)) == ["assistant"]


def test_a_response_in_the_background(replies: list[WireReply]) -> None:
    """Queued, in progress for who looks once, then done."""
    made = openai_client(FakeWorld(*LINES)).responses
    asked = made.create(model="m", input="Pay.", background=True)
    seen = [asked, *(made.retrieve(asked.id) for _ in range(3))]
    assert [one.status for one in seen] == ["queued", "in_progress", "completed", "completed"]
    assert [bool(one.output) for one in seen] == [False, False, True, True]
    assert {one.background for one in seen} == {True}
    for one in seen:
        Response.model_validate(one.model_dump())


def test_what_can_be_cancelled(replies: list[WireReply]) -> None:
    """What is under way in the background; what is done stays so, and others are refused."""
    made = openai_client(FakeWorld(*LINES)).responses
    under_way = made.create(model="m", input="Pay.", background=True)
    assert made.cancel(under_way.id).status == "cancelled"
    assert made.retrieve(under_way.id).status == "cancelled"
    done = made.create(model="m", input="Pay.", background=True)
    for _ in range(2):
        made.retrieve(done.id)
    assert made.cancel(done.id).status == "completed"
    usual = made.create(model="m", input="Pay.")
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        made.cancel(usual.id)


def test_a_conversation_from_its_beginning_to_its_end(replies: list[WireReply]) -> None:
    """It is made with items, told, changed and deleted; whoever goes on with it then is refused."""
    client = openai_client(FakeWorld(*LINES))
    items: Any = [{"role": "user", "content": "I am Ann."}]
    made = client.conversations.create(items=items, metadata={"user": "ann"})
    name = made.id
    assert client.conversations.retrieve(name) == made
    changed = client.conversations.update(name, metadata={"user": "bob"})
    assert changed.metadata == {"user": "bob"}
    Conversation.model_validate(changed.model_dump())
    gone = client.conversations.delete(name)
    assert (gone.id, gone.deleted, gone.object) == (name, True, "conversation.deleted")
    for ask in (client.conversations.retrieve, client.conversations.items.list):
        with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{name}' not found"):
            ask(name)  # type: ignore[operator]
    with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{name}' not found"):
        client.responses.create(model="m", input="And?", conversation=name)


def test_the_items_of_a_conversation(replies: list[WireReply]) -> None:
    """What was put there, what was asked and what was said, in order; one is told by its id."""
    world = FakeWorld(*LINES)
    client = openai_client(world)
    items: Any = [{"role": "user", "content": "I am Ann."}]
    name = client.conversations.create(items=items).id
    client.responses.create(model="m", input="Pay.", conversation=name)
    client.responses.create(model="m", input=[OUTPUT], conversation=name)
    found = client.conversations.items.list(name, order="asc").data
    valid(found)
    assert kinds(found) == [
        *("user", "user", "assistant", "function_call", "function_call_output", "assistant")
    ]
    assert len({item.id for item in found}) == 6
    one = client.conversations.items.retrieve(found[1].id, conversation_id=name)
    assert one == found[1]
    with pytest.raises(openai.NotFoundError, match="Item with id 'msg_0' not found"):
        client.conversations.items.retrieve("msg_0", conversation_id=name)


def test_the_model_sees_what_is_added_and_not_what_is_deleted(replies: list[WireReply]) -> None:
    """A conversation is its items, whoever changes them."""
    world = FakeWorld(*LINES)
    client = openai_client(world)
    of = client.conversations.items
    name = client.conversations.create().id
    said: Any = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "One."}]},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "Three."},
    ]
    added = of.create(name, items=said)
    valid(added.data)
    assert kinds(added.data) == ["user", "assistant", "user"]
    of.delete(added.data[2].id, conversation_id=name)
    client.responses.create(model="m", input="Four.", conversation=name)
    assert [m["content"] for m in world.model.shown[-1]] == ["One.", "Two.", "Four."]
    call = next(item for item in of.list(name).data if item.type == "function_call")
    of.delete(str(call.id), conversation_id=name)
    client.responses.create(model="m", input="Five.", conversation=name)
    assert [m["content"] for m in world.model.shown[-1]] == [
        *("One.", "Two.", "Four.", "Paying.", "Five.")
    ]


def test_pages_of_a_list(replies: list[WireReply]) -> None:
    """Twenty at a time unless asked otherwise; the client goes through all of them."""
    client = openai_client(FakeWorld())
    name = client.conversations.create().id
    for start in (0, 20):
        batch: Any = [{"role": "user", "content": f"{start + nth}"} for nth in range(20)]
        client.conversations.items.create(name, items=batch)
    of = client.conversations.items
    first = of.list(name)
    assert (len(first.data), first.has_more, first.last_id) == (20, True, first.data[-1].id)
    every: Any = of.list(name, order="asc", limit=7)
    texts = [item.content[0].text for item in every]
    assert texts == [str(nth) for nth in range(40)]
    assert list(of.list(name, after=of.list(name, limit=100).data[-1].id)) == []


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"limit": 0}, "Invalid 'limit': integer below minimum value. Expected a value >= 1, but"),
        ({"limit": 101}, "Invalid 'limit': integer above maximum value. Expected a value <= 100"),
        ({"limit": "x"}, "Invalid type for 'limit': expected an integer, but got a string"),
        ({"order": "up"}, "Invalid value: 'up'. Supported values are: 'asc' and 'desc'."),
    ],
)
def test_a_list_that_is_asked_for_wrongly(asked: Any, words: str, replies: list[WireReply]) -> None:
    """400, in the provider's words."""
    client = openai_client(FakeWorld())
    name = client.conversations.create().id
    with pytest.raises(openai.BadRequestError) as caught:
        client.conversations.items.list(name, **asked)
    assert words in str(caught.value)


def test_too_many_items_at_once(replies: list[WireReply]) -> None:
    """Twenty are taken."""
    client = openai_client(FakeWorld())
    many: Any = [{"role": "user", "content": "x"}] * 21
    name = client.conversations.create().id
    for ask in (
        lambda: client.conversations.create(items=many),
        lambda: client.conversations.items.create(name, items=many),
    ):
        with pytest.raises(openai.BadRequestError, match="maximum length 20, but got an array"):
            ask()


def test_tokens_are_counted(replies: list[WireReply]) -> None:
    """Four characters are one, and no turn is taken."""
    world = FakeWorld()
    counted = openai_client(world).responses.input_tokens.count(model="m", input="y" * 80)
    assert (counted.input_tokens, counted.object) == (20, "response.input_tokens")


def test_requests_count_as_crossings() -> None:
    """Who looks for ever is cut off."""
    world = FakeWorld(*LINES, budget=10)
    client = openai_client(world)
    said = client.responses.create(model="m", input="Pay.")
    for _ in range(11 - 1):
        client.responses.retrieve(said.id)
    assert world.budget == 0


def test_the_session_of_the_openai_agents_sdk(replies: list[WireReply]) -> None:
    """It keeps, pops and clears its items there."""
    pytest.importorskip("agents", reason="needs openai-agents")
    from agents import OpenAIConversationsSession

    async def talk() -> list[Any]:
        client = async_openai_client(FakeWorld())
        session = OpenAIConversationsSession(openai_client=client)
        await session.add_items(
            [
                {"role": "user", "content": "Hello."},
                {"role": "assistant", "content": "Who is it?"},
                {"role": "user", "content": "Ann."},
            ]
        )
        last: Any = await session.get_items(limit=2)
        popped: Any = await session.pop_item()
        left: Any = await session.get_items()
        await session.clear_session()
        return [last, popped, left, await session.get_items()]

    last, popped, left, nothing = asyncio.run(talk())
    assert [item["content"][0]["text"] for item in last] == ["Who is it?", "Ann."]
    assert popped["content"][0]["text"] == "Ann."
    assert [item["content"][0]["text"] for item in left] == ["Hello.", "Who is it?"]
    assert nothing == []
