"""What a recorded turn cost: the tokens that its provider counted, or an estimate."""

import json
from typing import Any

import pytest

from agentfuzz import run
from agentfuzz.core.events import ModelTurn
from agentfuzz.model.cassettes import Cassette
from agentfuzz.model.cassettes.decode import turn_of
from agentfuzz.providers import anthropic, openai_chat, openai_responses
from agentfuzz.wire import anthropic_client, openai_client

from .agents import LINES, TASK, plain, taped

COUNTED = [("chat", False), ("anthropic", False), ("anthropic", True)]  # by the provider
UNCOUNTED = [("chat", True), ("responses", False), ("responses", True)]
USAGE = {"input": 11, "output": 7}


def asked_by(world, seen):
    """The plain loop, with what the model said kept in `seen`."""
    model = world.model

    def kept(messages, tools):
        seen.append(model(messages, tools))
        return seen[-1]

    world.gateway.model = kept
    try:
        return plain(world)
    finally:
        world.gateway.model = model
        seen.append(model.usage)


@pytest.mark.parametrize(("protocol", "stream"), COUNTED)
def test_recorded_tokens_are_reported(tape, protocol, stream, offline, simulation):
    """Where the provider counted, turns, events and the model's total say what it counted."""
    path = tape(protocol, stream)
    assert [one.turn["usage"] for one in Cassette.load(path).recordings] == [USAGE] * 3
    seen: list[Any] = []
    done = run(taped(path), lambda world: asked_by(world, seen), simulation=simulation)
    assert done.history.ended.value == LINES[-1]["text"]
    assert [turn.tokens for turn in done.history.of(ModelTurn)] == [18, 18, 18]
    assert [turn["usage"] for turn in seen[:-1]] == [USAGE] * 3
    assert seen[-1] == {"input": 33, "output": 21}


@pytest.mark.parametrize(("protocol", "stream"), UNCOUNTED)
def test_without_recorded_tokens_they_are_estimated(tape, protocol, stream, offline, simulation):
    """Where the provider did not count, it is four characters a token, read and written."""
    path = tape(protocol, stream)
    assert [one.turn["usage"] for one in Cassette.load(path).recordings] == [None] * 3
    seen: list[Any] = []
    done = run(taped(path), lambda world: asked_by(world, seen), simulation=simulation)
    first = seen[0]["usage"]
    said = len(LINES[0]["text"]) + len(str(LINES[0]["calls"][0][2]))
    assert first == {"input": len(TASK) // 4, "output": said // 4}
    assert [turn.tokens for turn in done.history.of(ModelTurn)] == [
        sum(turn["usage"].values()) for turn in seen[:-1]
    ]
    assert seen[-1] == {
        name: sum(turn["usage"][name] for turn in seen[:-1]) for name in ("input", "output")
    }


def test_clients_are_told_the_recorded_tokens(tape, offline, simulation):
    """Over the wire the usage of a reply is the recorded one, whoever asks."""
    user: list[Any] = [{"role": "user", "content": TASK}]

    def agent(world):
        tools = [{"type": "function", "function": {"name": name}} for name in world.tools]
        chat = openai_client(world).chat.completions
        usage = chat.create(model="m", messages=user, tools=tools).usage
        theirs = [{"name": name, "input_schema": {"type": "object"}} for name in world.tools]
        said = anthropic_client(world).messages.create(
            model="m", max_tokens=9, messages=user, tools=theirs
        )
        return [usage.prompt_tokens, usage.completion_tokens, said.usage.input_tokens]

    done = run(taped(tape("chat", False)), agent, simulation=simulation)
    assert done.history.ended.value == [11, 7, 11]


@pytest.mark.parametrize(("plan", "counted"), [("model#1:repeat", False), ("", True)])
def test_a_turn_that_was_not_recorded_is_estimated(tape, plan, counted, offline, simulation):
    """A fault makes another turn of it, with other tokens than the provider counted."""
    done = run(taped(tape(), "nearest"), plain, plan, simulation=simulation)
    first = done.history.of(ModelTurn)[0]
    assert (first.tokens == 18) is counted
    assert len(first.calls) == 1 + (not counted)


def test_the_simulated_rest_is_estimated(tape, offline, simulation):
    """What goes on from a recording was never counted; what was recorded still is."""
    plan = "charge_card#1:once/error"
    done = run(taped(tape(), "simulate"), plain, plan, simulation=simulation)
    tokens = [turn.tokens for turn in done.history.of(ModelTurn)]
    assert tokens[0] == 18
    assert 18 not in tokens[1:]
    nearest = run(taped(tape(), "nearest"), plain, plan, simulation=simulation)
    assert {turn.tokens for turn in nearest.history.of(ModelTurn)} == {18}


# What providers say --------------------------------------------------------------------------

TEXT: dict[Any, dict[str, Any]] = {
    openai_chat: {"choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}]},
    openai_responses: {
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi."}]}]
    },
    anthropic: {"content": [{"type": "text", "text": "Hi."}], "stop_reason": "end_turn"},
}
IN_OUT = {"input_tokens": 11, "output_tokens": 7}
CACHED = {"cache_creation_input_tokens": 100, "cache_read_input_tokens": 2000}


def usage_of(codec: Any, text: str) -> Any:
    """The usage in a recorded response with this body."""
    turn, _ = turn_of(codec, {"headers": {}, "body": {"string": text}})
    assert turn["content"] == "Hi."
    return turn["usage"]


@pytest.mark.parametrize(
    ("codec", "usage", "found"),
    [
        (openai_chat, {"prompt_tokens": 11, "completion_tokens": 7}, USAGE),
        (openai_chat, {"prompt_tokens": 11, "completion_tokens": 7, **CACHED}, USAGE),
        (openai_chat, {"prompt_tokens": 0, "completion_tokens": 0}, {"input": 0, "output": 0}),
        (openai_chat, {"total_tokens": 18}, None),
        (openai_chat, {"prompt_tokens": 11, "completion_tokens": None}, None),
        (openai_responses, IN_OUT, USAGE),
        (openai_responses, {"input_tokens": "many", "output_tokens": 7}, None),
        (anthropic, IN_OUT, USAGE),
        (anthropic, {**IN_OUT, **CACHED}, {"input": 2111, "output": 7}),
        (anthropic, {**IN_OUT, "cache_read_input_tokens": None}, USAGE),
        (anthropic, {"input_tokens": 11, "output_tokens": -7}, None),
        (anthropic, {"input_tokens": True, "output_tokens": 7.5}, None),
        (anthropic, [11, 7], None),
        (anthropic, None, None),
    ],
)
def test_usage_of_a_whole_reply(codec: Any, usage: Any, found: Any) -> None:
    """In and out or nothing; what Anthropic reads from a cache is input, too (OpenAI has it in
    its count already). Nonsense is no count, and no reason to refuse a recording."""
    assert usage_of(codec, json.dumps({**TEXT[codec], "usage": usage})) == found


def test_usage_of_a_stream() -> None:
    """Chat has a chunk for it when asked to; Responses end with it; Anthropic says it in two
    places, of which the last that says a number is right."""

    def stream(*events: Any) -> str:
        return "".join(f"data: {json.dumps(event)}\n\n" for event in events)

    delta = {"index": 0, "delta": {"content": "Hi."}, "finish_reason": "stop"}
    counts = {"prompt_tokens": 11, "completion_tokens": 7}
    chunk = {"choices": [delta], "usage": None}
    assert usage_of(openai_chat, stream(chunk, {"choices": [], "usage": counts})) == USAGE
    whole = {**TEXT[openai_responses], "status": "completed", "usage": IN_OUT}
    ended = {"type": "response.completed", "response": whole}
    assert usage_of(openai_responses, stream(ended)) == USAGE
    begun = {"content": [], "usage": {**IN_OUT, **CACHED, "output_tokens": 1}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}
    said = {"type": "text_delta", "text": "Hi."}
    last = {"output_tokens": 7, "input_tokens": None}
    anthropics = (
        {"type": "message_start", "message": begun},
        block,
        {"type": "content_block_delta", "index": 0, "delta": said},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": last},
        {"type": "message_stop"},
    )
    assert usage_of(anthropic, stream(*anthropics)) == {"input": 2111, "output": 7}
