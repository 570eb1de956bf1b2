"""Chat Completions: what OpenAI refuses, word for word, and what it takes."""

from typing import Any

import pytest

from .support import refused

PATH = "/v1/chat/completions"
USER = {"role": "user", "content": "Pay."}
TOOL = {"type": "function", "function": {"name": "pay", "parameters": {"foo": "bar"}}}


def call(name: str, tool: str = "pay", arguments: str = "{}") -> dict[str, Any]:
    return {"id": name, "type": "function", "function": {"name": tool, "arguments": arguments}}


def wants(*names: str, content: Any = None, **more: Any) -> dict[str, Any]:
    made = [call(name) for name in names]
    return {"role": "assistant", "content": content, "tool_calls": made, **more}


def gets(name: str, content: Any = "ok") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": name, "content": content}


def ask(*messages: Any, **more: Any) -> Any:
    return refused(PATH, {"model": "m", "messages": [*messages], **more})


HONEST: dict[str, tuple[Any, ...]] = {
    "one": (USER, wants("a"), gets("a")),
    "two": (USER, wants("a", "b"), gets("a"), gets("b")),
    "any order": (USER, wants("a", "b"), gets("b"), gets("a")),
    "and on": (USER, wants("a"), gets("a"), wants("b"), gets("b"), USER),
    "two users": (USER, USER, {"role": "system", "content": "x"}, USER),
    "an assistant first": ({"role": "assistant", "content": "Hello."}, USER),
    "an assistant last": (USER, {"role": "assistant", "content": "I will "}),
    "two assistants": (USER, wants("a"), gets("a"), *[{"role": "assistant", "content": "x"}] * 2),
    "empty texts": (
        {"role": "user", "content": ""},
        wants("a", content=""),
        gets("a", ""),
        {"role": "assistant", "content": ""},
    ),
    "no content at all": (USER, {"role": "assistant", "tool_calls": [call("a")]}, gets("a")),
    "arguments that are no JSON": (
        USER,
        {"role": "assistant", "tool_calls": [call("a", arguments="{")]},
        gets("a"),
    ),
    "parts": (USER, wants("a"), gets("a", [{"type": "text", "text": "ok"}])),
    "an id of an earlier turn": (USER, wants("a"), gets("a"), wants("a"), gets("a")),
    "one id twice, one result": (USER, wants("a", "a"), gets("a")),
    "a refusal": (USER, {"role": "assistant", "content": None, "refusal": "No."}, USER),
    "an audio": (USER, {"role": "assistant", "audio": {"id": "audio_1"}}, USER),
    "a function of old": (
        USER,
        {"role": "assistant", "function_call": {"name": "pay", "arguments": "{}"}},
        {"role": "function", "name": "pay", "content": "ok"},
    ),
    "a custom tool": (
        USER,
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
            ],
        },
        gets("a"),
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_histories(name: str) -> None:
    """Taken, in all their shapes."""
    assert ask(*HONEST[name]) is None


UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
    "'tool_call_id'. The following tool_call_ids did not have response messages: "
)
ORPHAN = (
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
    "'tool_calls'."
)
BROKEN = [
    ((USER, wants("a")), UNANSWERED + "a", "messages"),
    ((USER, wants("a"), USER), UNANSWERED + "a", "messages.[2].role"),
    ((USER, wants("a", "b"), gets("b"), USER), UNANSWERED + "a", "messages.[3].role"),
    ((USER, wants("a", "b")), UNANSWERED + "a, b", "messages"),
    ((USER, wants("a"), USER, gets("a")), UNANSWERED + "a", "messages.[2].role"),
    ((USER, wants("a"), wants("b"), gets("a"), gets("b")), UNANSWERED + "a", "messages.[2].role"),
    ((USER, gets("a")), ORPHAN, "messages.[1].role"),
    ((gets("a"), USER), ORPHAN, "messages.[0].role"),
    ((USER, wants("a"), gets("a"), USER, gets("a")), ORPHAN, "messages.[4].role"),
    (
        (USER, wants("a"), gets("b")),
        "Invalid parameter: 'tool_call_id' of 'b' not found in 'tool_calls' of previous message.",
        "messages.[2].tool_call_id",
    ),
    (
        (USER, wants("a"), gets("a"), gets("a")),
        "Invalid parameter: Duplicate value for 'tool_call_id' of 'a', in messages[2] and "
        "messages[3].",
        "messages.[3].tool_call_id",
    ),
    (
        (USER, wants("a"), {"role": "tool", "content": "ok"}),
        "Missing parameter 'tool_call_id': messages with role 'tool' must have a 'tool_call_id'.",
        "messages.[2].tool_call_id",
    ),
    (
        (USER, {"role": "assistant", "content": None}, USER),
        "Invalid value for 'content': expected a string, got null.",
        "messages.[1].content",
    ),
    (
        (USER, {"role": "assistant"}),
        "Invalid value for 'content': expected a string, got null.",
        "messages.[1].content",
    ),
    (
        (USER, wants("a"), gets("a", None)),
        "Invalid value for 'content': expected a string, got null.",
        "messages.[2].content",
    ),
]


@pytest.mark.parametrize(("messages", "words", "place"), BROKEN)
def test_broken_histories(messages: Any, words: str, place: str) -> None:
    """Refused in OpenAI's words, at the place that it names, without a code."""
    assert ask(*messages) == (words, place, "")


@pytest.mark.parametrize(
    ("message", "words", "code"),
    [
        (
            {"role": "assistant", "content": "x", "tool_calls": []},
            "Invalid 'messages[1].tool_calls': empty array. Expected an array with minimum length "
            "1, but got an empty array instead.",
            "empty_array",
        ),
        (
            wants("c" * 41),
            "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with "
            "maximum length 40, but got a string with length 41 instead.",
            "string_above_max_length",
        ),
        (
            {"role": "assistant", "tool_calls": [call("a", tool="my.tool")]},
            "Invalid 'messages[1].tool_calls[0].function.name': string does not match pattern. "
            "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "invalid_value",
        ),
        (
            {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "x"}}]},
            "Missing required parameter: 'messages[1].tool_calls[0].id'.",
            "missing_required_parameter",
        ),
    ],
)
def test_what_a_message_may_not_hold(message: Any, words: str, code: str) -> None:
    """Lists without items, ids and names that are too long or have other letters."""
    found = ask(USER, message)
    assert found == (words, words.split("'")[1], code)


TAKEN: list[dict[str, Any]] = [
    {"temperature": 0},
    {"temperature": 2.0, "top_p": 1, "n": 128, "top_logprobs": 20},
    {"presence_penalty": -2, "frequency_penalty": 2.0},
    {"max_tokens": 0, "max_completion_tokens": 0},  # what the client's own tests send
    {"temperature": None, "n": None, "tools": None, "stop": None},
    {"stop": "x"},
    {"stop": ["a", "b", "c", "d"]},
    {"tools": [TOOL, TOOL]},  # one tool twice
    {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": False},
    {"tool_choice": "none"},
    {"tools": [{"type": "custom", "custom": {"name": "my tool"}}]},
    {"response_format": {"type": "json_object"}, "messages": [{**USER, "content": "As JSON."}]},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
    {"stream": False, "stream_options": {"include_usage": True}},
]


@pytest.mark.parametrize("more", TAKEN, ids=str)
def test_values_in_their_range(more: dict[str, Any]) -> None:
    """The ends of each range are taken, and what is left out or null."""
    assert refused(PATH, {"model": "m", "messages": [USER], **more}) is None


@pytest.mark.parametrize(
    ("more", "words", "code"),
    [
        (
            {"temperature": 3},
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 "
            "instead.",
            "decimal_above_max_value",
        ),
        (
            {"top_p": -0.5},
            "Invalid 'top_p': decimal below minimum value. Expected a value >= 0, but got -0.5 "
            "instead.",
            "decimal_below_min_value",
        ),
        (
            {"n": 130},
            "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 130 "
            "instead.",
            "integer_above_max_value",
        ),
        (
            {"max_tokens": -1},
            "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got -1 "
            "instead.",
            "integer_below_min_value",
        ),
        (
            {"temperature": "hot"},
            "Invalid type for 'temperature': expected a decimal, but got a string instead.",
            "invalid_type",
        ),
        (
            {"n": True},
            "Invalid type for 'n': expected an integer, but got a boolean instead.",
            "invalid_type",
        ),
        (
            {"stop": list("abcde")},
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an "
            "array with length 5 instead.",
            "array_above_max_length",
        ),
        (
            {"tools": []},
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead.",
            "empty_array",
        ),
        (
            {"tools": [TOOL] * 129},
            "Invalid 'tools': array too long. Expected an array with maximum length 128, but got "
            "an array with length 129 instead.",
            "array_above_max_length",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "my tool"}}]},
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string "
            "that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "invalid_value",
        ),
        (
            {"tools": [TOOL, {"type": "function", "function": {"name": "x" * 65}}]},
            "Invalid 'tools[1].function.name': string too long. Expected a string with maximum "
            "length 64, but got a string with length 65 instead.",
            "string_above_max_length",
        ),
    ],
)
def test_values_out_of_range(more: dict[str, Any], words: str, code: str) -> None:
    """The number, the bound and the value are told."""
    assert ask(USER, **more) == (words, words.split("'")[1], code)


def test_what_needs_something_else() -> None:
    """A choice of tools needs tools; JSON mode needs the word."""
    assert ask(USER, tool_choice="auto") == (
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are "
        "specified.",
        "tool_choice",
        "",
    )
    assert ask(USER, response_format={"type": "json_object"})[0].startswith("'messages' must cont")


def test_an_id_that_the_provider_gave_twice() -> None:
    """Who gives one id to two calls of a reply takes two results of it; no other id."""
    body = {"model": "m", "messages": [USER, wants("a", "a"), gets("a"), gets("a")]}
    assert refused(PATH, body, doubled=frozenset("a")) is None
    assert refused(PATH, body, doubled=frozenset("b")) is not None
    unanswered = {"model": "m", "messages": [USER, wants("a", "a")]}
    assert refused(PATH, unanswered, doubled=frozenset("a")) is not None
