"""What OpenAI's server stores, asked for wrongly: ids of something else, items that are none."""

from typing import Any

import openai
import pytest

from agentfuzz.wire import openai_client
from agentfuzz.wire.router import WireReply

from .parts import PAY, FakeWorld, says

LINES = (says("Paying.", ("c1", "charge", PAY)), says("Done."), says("Again."))
OUTPUT: Any = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
HELLO: Any = [{"role": "user", "content": "Hello."}]


@pytest.mark.parametrize("is_strict", [True, False])
def test_an_id_of_something_else_is_refused(is_strict: bool, replies: list[WireReply]) -> None:
    """A conversation is no response, nor the other way, in the provider's words."""
    client = openai_client(FakeWorld(says("Hm."), says("Hm."), says("Hm.")), strict=is_strict)
    ask = client.responses.create
    talk, said = client.conversations.create().id, ask(model="m", input="Hi.").id
    for place, word, name in (
        ("previous_response_id", "resp", talk),
        ("conversation", "conv", said),
    ):
        asked: Any = {"model": "m", "input": "Go on.", place: name}
        if not is_strict:
            ask(**asked)
            continue
        with pytest.raises(openai.BadRequestError) as caught:
            ask(**asked)
        assert f"Invalid '{place}': '{name}'. Expected an ID that begins with '{word}'." in str(
            caught.value
        )
        assert caught.value.code == "invalid_value"


def test_nothing_goes_on_from_what_is_not_stored(replies: list[WireReply]) -> None:
    """The response is not there, the conversation that it became part of is."""
    client = openai_client(FakeWorld(*LINES))
    ask, name = client.responses.create, client.conversations.create().id
    said = ask(model="m", input="Pay.", conversation=name, store=False)
    with pytest.raises(openai.BadRequestError, match="not found"):
        ask(model="m", input=[OUTPUT], previous_response_id=said.id)
    assert ask(model="m", input=[OUTPUT], conversation=name).output_text == "Done."


@pytest.mark.parametrize("after", ["response", "conversation"])
def test_nothing_goes_on_from_what_was_cancelled(after: str, replies: list[WireReply]) -> None:
    """A reply that was not said leaves no call to be answered, in its conversation neither."""
    world = FakeWorld(*LINES)
    client = openai_client(world)
    ask, name = client.responses.create, client.conversations.create().id
    within: Any = {"conversation": name} if after == "conversation" else {}
    said = ask(model="m", input="Pay.", background=True, **within)
    client.responses.cancel(said.id)
    going: Any = within or {"previous_response_id": said.id}
    assert ask(model="m", input="And?", **going).output_text == "Done."
    assert [m["content"] for m in world.model.shown[-1]] == ["Pay.", "And?"]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"type": "weird"}, "items[1]: 'weird' is no item"),
        ({"role": "robot", "content": "x"}, "items[1].role: 'robot' is no role"),
        ({"role": "user", "content": 5}, "items[1].content: is a number"),
        ({"type": "item_reference", "id": "msg_0"}, "Item with id 'msg_0' not found"),
    ],
)
def test_a_wrong_item_spoils_no_conversation(
    item: Any, words: str, replies: list[WireReply]
) -> None:
    """It is refused by its place in the request, nothing is added, and the next ones are taken."""
    world = FakeWorld(says("Hm."))
    client = openai_client(world)
    name = client.conversations.create().id
    for ask in (
        lambda: client.conversations.items.create(name, items=[*HELLO, item]),
        lambda: client.conversations.create(items=[*HELLO, item]),
    ):
        with pytest.raises(openai.APIStatusError) as caught:
            ask()
        assert words in str(caught.value)
    assert client.conversations.items.list(name).data == []
    client.conversations.items.create(name, items=HELLO)
    client.responses.create(model="m", input="You?", conversation=name)
    assert [m["content"] for m in world.model.shown[-1]] == ["Hello.", "You?"]


def test_items_that_are_there_may_be_named(replies: list[WireReply]) -> None:
    """In another conversation, too."""
    client = openai_client(FakeWorld(says("Hm.")))
    said = client.responses.create(model="m", input="Hi.").output[0].id
    items: Any = [{"type": "item_reference", "id": said}]
    name = client.conversations.create(items=items).id
    assert [item.id for item in client.conversations.items.list(name)] == [said]


def test_metadata_is_an_object(replies: list[WireReply]) -> None:
    """A text is refused, where it would be told as metadata for ever."""
    client = openai_client(FakeWorld())
    with pytest.raises(openai.BadRequestError, match="metadata: is a text; expected an object"):
        client.conversations.create(metadata="x")  # type: ignore[arg-type]


def test_what_is_not_served_is_no_unknown_response(replies: list[WireReply]) -> None:
    """Nothing is compacted, and whoever asks for it is told that."""
    client = openai_client(FakeWorld())
    with pytest.raises(openai.NotFoundError, match="there is no POST /v1/responses/compact"):
        client.responses.compact(model="m", input="x")


def test_who_goes_on_is_shown_the_developers_words_and_not_the_instructions(
    replies: list[WireReply],
) -> None:
    """Those are of one request, and an item of the input is of the conversation."""
    world = FakeWorld(says("Hm."), says("Hm."))
    ask = openai_client(world).responses.create
    given: Any = [{"role": "developer", "content": "Be kind."}, *HELLO]
    first = ask(model="m", input=given, instructions="Be brief.")
    ask(model="m", input="And?", previous_response_id=first.id)
    assert [m["content"] for m in world.model.shown[-1]] == ["Be kind.", "Hello.", "Hm.", "And?"]
