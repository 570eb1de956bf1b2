"""What OpenAI's Responses refuse: calls without outputs, outputs without calls, values.

Law: a call is answered somewhere in the conversation that is sent or gone on from, in any order;
each item is there once. What they take is taken: an output before its call, two outputs, no
tools, an empty text. Called by `strict.check`.
"""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from agentfuzz.providers.strict.refusal import (
    DECIMALS,
    Range,
    in_range,
    named,
    says_json,
    short,
    wants_json,
)
from agentfuzz.providers.turns import Asked, Message, Refusal

ID, NAME = 64, 128  # the most characters
_RANGES = {
    **DECIMALS,
    "top_logprobs": Range(0, 20, whole=True),
    "max_output_tokens": Range(16, None, whole=True),
}
_BEGINS = {"function_call": "fc", "message": "msg", "reasoning": "rs"}
_WORDS = {"custom_tool_call": "custom tool call"}


def check(asked: Asked, before: list[Message], doubled: Set[str]) -> None:
    """Raises Refusal as the provider would refuse this request."""
    request = asked.request
    if request.get("previous_response_id") and asked.conversation:
        raise Refusal(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you "
            "are only providing one of: 'previous_response_id' or 'conversation'.",
            code="mutually_exclusive_parameters",
        )
    _begins(request.get("previous_response_id"), "resp", "previous_response_id")
    _begins(asked.conversation, "conv", "conversation")
    in_range(request, _RANGES)
    for i, tool in enumerate(request.get("tools") or ()):
        if tool.get("type") == "function":
            named(tool.get("name"), NAME, f"tools[{i}].name")
    if request.get("tool_choice") == "required" and not request.get("tools"):
        raise Refusal(
            "Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice"
        )
    given = request.get("input")
    items = given if isinstance(given, list) else []
    seen: set[str] = set()
    for i, item in enumerate(items):
        _item(item, seen, f"input[{i}]", doubled)
    _answered(asked.messages, items)
    text = request.get("text")
    form = text.get("format") if isinstance(text, Mapping) else None
    if wants_json(form) and not says_json([given, request.get("instructions"), before]):
        raise Refusal(
            "Response input messages must contain the word 'json' in some form to use "
            "'text.format' of type 'json_object'.",
            "input",
        )


def _begins(name: str | None, word: str, place: str) -> None:
    """An id says what it is of."""
    if name and not name.startswith(word):
        raise Refusal(
            f"Invalid '{place}': '{name}'. Expected an ID that begins with '{word}'.",
            place,
            "invalid_value",
        )


def _item(item: Mapping[str, Any], seen: set[str], place: str, given: Set[str]) -> None:
    """One item in itself, and that it is there once."""
    kind, name = item.get("type", "message"), item.get("id")
    own = kind != "message" or item.get("role") == "assistant"
    if own and isinstance(name, str) and name:
        _begins(name, _BEGINS.get(kind, ""), f"{place}.id")
        if name in seen:
            raise Refusal(
                f"Duplicate item found with id {name}. Remove duplicate items from your input and "
                "try again.",
                "input",
            )
        seen.add(name)
    if kind == "message" and "content" in item and item["content"] is None:
        raise Refusal(
            f"Invalid type for '{place}.content': expected one of an array of objects or string, "
            "but got null instead.",
            f"{place}.content",
            "invalid_type",
        )
    if item.get("call_id") is not None:
        short(item["call_id"], ID, f"{place}.call_id")
    if kind == "function_call" and item.get("name") not in given:
        named(item.get("name"), NAME, f"{place}.name")


def _answered(messages: list[Message], items: list[Mapping[str, Any]]) -> None:
    kinds = {str(item.get("call_id")): item.get("type", "") for item in items}
    calls = dict.fromkeys(_calls(messages))
    outputs = dict.fromkeys(m["tool_call_id"] for m in messages if m["role"] == "tool")
    for name in outputs:
        if name not in calls:
            word = "custom tool" if str(kinds.get(name)).startswith("custom") else "function"
            raise Refusal(
                f"No tool call found for {word} call output with call_id {name}.", "input"
            )
    for name in calls:
        if name not in outputs:
            word = _WORDS.get(str(kinds.get(name)), "function call")
            raise Refusal(f"No tool output found for {word} {name}.", "input")


def _calls(messages: list[Message]) -> Iterator[str]:
    for message in messages:
        yield from (call["id"] for call in message.get("tool_calls", ()))
