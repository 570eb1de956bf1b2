"""Responses: what OpenAI refuses, word for word, and what it takes."""

from typing import Any

import pytest

from agentfuzz.providers.turns import Kept

from .support import refused

PATH = "/v1/responses"
USER = {"role": "user", "content": "Pay."}
TOOL = {"type": "function", "name": "pay", "parameters": {"foo": "bar"}}


def wants(call: str, **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call, "name": "pay", "arguments": "{}", **more}


def gets(call: str, output: Any = "ok") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call, "output": output}


def ask(*items: Any, kept: dict[str, Kept] | None = None, **more: Any) -> Any:
    return refused(PATH, {"model": "m", "input": [*items], **more}, kept)


SAID = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "x"}],
}
HONEST: dict[str, tuple[Any, ...]] = {
    "one": (USER, wants("a"), gets("a")),
    "two in a row": (USER, wants("a"), wants("b"), gets("a"), gets("b")),
    "in turn": (USER, wants("a"), gets("a"), wants("b"), gets("b")),
    "any order": (USER, wants("a"), wants("b"), gets("b"), gets("a")),
    "a message in between": (USER, wants("a"), USER, gets("a")),
    "an output before its call": (USER, gets("a"), wants("a")),
    "two outputs": (USER, wants("a"), gets("a"), gets("a")),
    "one id twice": (USER, wants("a", id="fc_1"), wants("a", id="fc_2"), gets("a"), gets("a")),
    "ids": (USER, SAID, wants("a", id="fc_1"), gets("a")),
    "thoughts": (USER, {"type": "reasoning", "id": "rs_1", "summary": []}, SAID, USER),
    "empty texts": ({"role": "user", "content": ""}, wants("a"), gets("a", ""), USER),
    "parts": (USER, wants("a"), gets("a", [{"type": "input_text", "text": "ok"}])),
    "an assistant's own words": ({"role": "assistant", "content": "Hello."}, USER),
    "a custom tool": (
        USER,
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "a", "name": "sh", "input": "ls"},
        {"type": "custom_tool_call_output", "call_id": "a", "output": "ok"},
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_histories(name: str) -> None:
    """Taken, in all their shapes."""
    assert ask(*HONEST[name]) is None


def test_a_text_alone() -> None:
    """The shortest request there is."""
    assert refused(PATH, {"model": "m", "input": "Pay."}) is None


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ((USER, wants("a")), "No tool output found for function call a."),
        ((USER, wants("a"), wants("b"), gets("a")), "No tool output found for function call b."),
        ((USER, gets("a")), "No tool call found for function call output with call_id a."),
        (
            (USER, wants("a"), gets("b")),
            "No tool call found for function call output with call_id b.",
        ),
        (
            (USER, wants("a", id="fc_1"), wants("a", id="fc_1"), gets("a")),
            "Duplicate item found with id fc_1. Remove duplicate items from your input and try "
            "again.",
        ),
        (
            (USER, SAID, USER, SAID),
            "Duplicate item found with id msg_1. Remove duplicate items from your input and try "
            "again.",
        ),
    ],
)
def test_broken_histories(items: Any, words: str) -> None:
    """Refused in OpenAI's words, at the input, without a code."""
    assert ask(*items) == (words, "input", "")


def kept(*messages: dict[str, Any]) -> dict[str, Kept]:
    return {"resp_1": Kept([{"role": "user", "content": "Pay."}, *messages], [])}


ASKED = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"id": "a", "name": "pay", "arguments": {}}],
}


def test_what_a_response_goes_on_from() -> None:
    """Its calls are to be answered, and its answered calls are not."""
    known, more = kept(ASKED), {"previous_response_id": "resp_1"}
    assert ask(gets("a"), kept=known, **more) is None
    assert ask(gets("a"), USER, kept=known, **more) is None
    assert ask(USER, kept=known, **more)[0] == "No tool output found for function call a."
    assert "with call_id b." in ask(gets("a"), gets("b"), kept=known, **more)[0]
    answered = kept(ASKED, {"role": "tool", "tool_call_id": "a", "content": "ok"})
    assert ask(USER, kept=answered, **more) is None
    assert ask(gets("a"), kept=answered, **more) is None


@pytest.mark.parametrize(
    "more",
    [
        {"temperature": 2, "top_p": 0, "top_logprobs": 0, "max_output_tokens": 16},
        {"temperature": None, "max_output_tokens": None},
        {"max_tool_calls": 0, "truncation": "auto", "tool_choice": "auto", "tools": []},
        {"tools": [TOOL, TOOL], "tool_choice": "none"},
        {"tools": [{"type": "web_search"}]},
        {"text": {"format": {"type": "json_object"}}, "instructions": "Answer in JSON."},
        {"text": {"format": {"type": "text"}, "verbosity": "low"}},
    ],
    ids=str,
)
def test_values_in_their_range(more: dict[str, Any]) -> None:
    """The ends of each range are taken, and what is left out or null."""
    assert ask(USER, **more) is None


@pytest.mark.parametrize(
    ("more", "words", "code"),
    [
        (
            {"max_output_tokens": 10},
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but "
            "got 10 instead.",
            "integer_below_min_value",
        ),
        (
            {"temperature": 2.5},
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got "
            "2.5 instead.",
            "decimal_above_max_value",
        ),
        (
            {"tools": [{**TOOL, "name": "my tool"}]},
            "Invalid 'tools[0].name': string does not match pattern. Expected a string that "
            "matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "invalid_value",
        ),
        (
            {"input": [USER, wants("", id="fc_1")]},
            "Invalid 'input[1].call_id': empty string. Expected a string with minimum length 1, "
            "but got an empty string instead.",
            "empty_string",
        ),
        (
            {"input": [USER, wants("c" * 65)]},
            "Invalid 'input[1].call_id': string too long. Expected a string with maximum length "
            "64, but got a string with length 65 instead.",
            "string_above_max_length",
        ),
        (
            {"input": [USER, wants("a", id="call_1"), gets("a")]},
            "Invalid 'input[1].id': 'call_1'. Expected an ID that begins with 'fc'.",
            "invalid_value",
        ),
        (
            {"input": [{**SAID, "id": "rs_1"}]},
            "Invalid 'input[0].id': 'rs_1'. Expected an ID that begins with 'msg'.",
            "invalid_value",
        ),
        (
            {"input": [{"role": "user", "content": None}]},
            "Invalid type for 'input[0].content': expected one of an array of objects or string, "
            "but got null instead.",
            "invalid_type",
        ),
    ],
)
def test_values_out_of_range(more: dict[str, Any], words: str, code: str) -> None:
    """The value and what is expected are told."""
    found = refused(PATH, {"model": "m", "input": [USER], **more})
    assert found == (words, words.split("'")[1], code)


def test_json_mode_needs_the_word() -> None:
    """It has to stand in what is asked."""
    found = ask(USER, text={"format": {"type": "json_object"}})
    assert found[0].startswith("Response input messages must contain the word 'json'")
