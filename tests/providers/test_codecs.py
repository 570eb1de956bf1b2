"""The small laws under the codecs: pieces, what can be read of torn arguments, where a cut is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentfuzz.providers import anthropic, openai_chat, openai_responses
from agentfuzz.providers.turns import Stamp, dump, pieces, readable, written
from wire.parts import CHAT, MESSAGES, RESPONSES, data, says

ASKED: dict[str, Any] = {
    CHAT: openai_chat.parse({"model": "m", "messages": [{"role": "user", "content": "x"}]}, {}),
    RESPONSES: openai_responses.parse({"model": "m", "input": "x"}, {}),
    MESSAGES: anthropic.parse(
        {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}, {}
    ),
}
CODECS: dict[str, Any] = {CHAT: openai_chat, RESPONSES: openai_responses, MESSAGES: anthropic}
NAMES = st.text(st.characters(codec="utf-8"), max_size=9)
ARGUMENTS = st.dictionaries(NAMES, st.none() | st.integers() | NAMES | st.lists(NAMES), max_size=4)


@given(st.text(max_size=60))
def test_pieces_make_the_text(text: str) -> None:
    """Joined they are the text again; none is empty, and there are at most four."""
    found = pieces(text)
    assert "".join(found) == text
    assert all(found)
    assert len(found) == min(4, len(text))


@given(ARGUMENTS, st.data())
def test_what_is_read_of_torn_arguments_is_true(
    arguments: dict[str, Any], at: st.DataObject
) -> None:
    """Members read of a text that breaks off are members of the whole, in order from the first."""
    whole = written(arguments)
    cut = at.draw(st.integers(0, len(whole)))
    found = list(readable(whole[:cut]).items())
    assert found == list(arguments.items())[: len(found)]
    assert readable(whole) == readable(arguments) == arguments


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("[1, 2]", {}),
        ("oops", {}),
        ('{"a": 1, "b": }', {"a": 1}),
        ('{"a": 1, "b": 12', {"a": 1}),
        ('{"a": 1,, "b": {"c": [2]}, "d"', {"a": 1, "b": {"c": [2]}}),
        ('{"a": 1} and more', {"a": 1}),
    ],
)
def test_arguments_that_are_no_json(text: str, found: dict[str, Any]) -> None:
    """What is there before the text breaks down."""
    assert readable(text) == found


@given(NAMES, st.lists(ARGUMENTS, max_size=3), st.sampled_from([CHAT, RESPONSES, MESSAGES]))
def test_a_stream_tells_what_the_body_tells(text: str, calls: list[Any], path: str) -> None:
    """Put together again, the deltas are the text and the arguments of the whole reply."""
    turn = says(text or None, *[(f"c{i}", "charge", made) for i, made in enumerate(calls)])
    events = CODECS[path].stream(ASKED[path], turn, Stamp(1, 1)).events
    found = [json.loads(data(event)) for event in events if b"[DONE]" not in event]
    said, made = "", dict[int, str]()
    for event in found:
        for choice in event.get("choices", ()):
            said += choice["delta"].get("content") or ""
            for call in choice["delta"].get("tool_calls", ()):
                made[call["index"]] = made.get(call["index"], "") + call["function"]["arguments"]
        delta = event.get("delta")
        if event.get("type") == "response.output_text.delta":
            said += delta
        elif event.get("type") == "response.function_call_arguments.delta":
            made[event["output_index"]] = made.get(event["output_index"], "") + delta
        elif event.get("type") == "content_block_delta":
            said += delta.get("text", "")
            if "partial_json" in delta:
                made[event["index"]] = made.get(event["index"], "") + delta["partial_json"]
    assert said == text
    assert [json.loads(one) for one in made.values()] == calls


def test_malformed_arguments_go_over_the_wire_as_they_are() -> None:
    """A text of the model that is no JSON arrives as that text, in every protocol that has one;
    streamed, in all of them."""
    turn = says(None, ("c1", "charge", '{"order_id": A17}'))
    for path in (CHAT, RESPONSES):
        body = CODECS[path].body(ASKED[path], turn, Stamp(1, 1))
        assert b'{\\"order_id\\": A17}' in dump(body)
    assert anthropic.body(ASKED[MESSAGES], turn, Stamp(1, 1))["content"][0]["input"] == {}
    streamed = b"".join(anthropic.stream(ASKED[MESSAGES], turn, Stamp(1, 1)).events)
    assert b"A17" in streamed


@pytest.mark.parametrize("said", ['["A17"]', '"A17"', "A17", "17"])
def test_what_is_no_object_is_none_in_a_stream_either(said: str) -> None:
    """Where a block has an object, a client that sends its history back sends one."""
    turn = says(None, ("c1", "charge", said))
    events = anthropic.stream(ASKED[MESSAGES], turn, Stamp(1, 1)).events
    found = [json.loads(data(event)).get("delta", {}) for event in events]
    assert "".join(one.get("partial_json", "") for one in found) == "{}"


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
@pytest.mark.parametrize("content", [None, "", "x", "Some text."])
@pytest.mark.parametrize("calls", [0, 1, 2])
def test_a_cut_leaves_something_out(path: str, content: str | None, calls: int) -> None:
    """Wherever it is cut, a stream begins, and never says that it is complete."""
    made = [(f"c{i}", "charge", {"order_id": "A17"}) for i in range(calls)]
    stream = CODECS[path].stream(ASKED[path], says(content, *made, stop="cut"), Stamp(1, 1))
    kept = [len(stream.until(at)) for at in ("start", "middle", "end")]
    assert 1 == kept[0] <= kept[1] <= kept[2] < len(stream.events)
    rest = b"".join(stream.until("end"))
    for word in (b"[DONE]", b'"finish_reason":"', b"response.completed", b"message_stop"):
        assert word not in rest
