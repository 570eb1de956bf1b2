"""What OpenAI's Chat Completions refuse: calls without results, results without calls, values.

Law: an assistant's calls are all answered, once, by the tool messages right after it; no content
is null but beside calls. What they take is taken: an empty text, calls with arguments that are no
JSON, ids that an earlier turn had, one tool offered twice. Called by `strict.check`.
"""

from collections.abc import Mapping, Set
from typing import Any

from agentfuzz.providers.strict.refusal import (
    DECIMALS,
    Range,
    in_range,
    named,
    not_empty,
    not_longer,
    says_json,
    short,
    wants_json,
)
from agentfuzz.providers.turns import Asked, Message, Refusal

ID, NAME, TOOLS, STOPS = 40, 64, 128, 4  # the most characters and items
_PENALTY = Range(-2, 2)
_TOKENS = Range(1, None, whole=True, taken=0)  # 0 is what the client's own tests send
_RANGES = {
    **DECIMALS,
    "presence_penalty": _PENALTY,
    "frequency_penalty": _PENALTY,
    "n": Range(1, 128, whole=True),
    "top_logprobs": Range(0, 20, whole=True),
    "max_tokens": _TOKENS,
    "max_completion_tokens": _TOKENS,
}
_SPOKEN = ("tool_calls", "function_call", "refusal", "audio")  # instead of a content


def check(asked: Asked, before: list[Message], doubled: Set[str]) -> None:
    """Raises Refusal as the provider would refuse this request."""
    request = asked.request
    in_range(request, _RANGES)
    not_longer(request.get("stop"), STOPS, "stop")
    _tools(request)
    for i, message in enumerate(request["messages"]):
        _message(message, i, doubled)
    _answered(request["messages"], doubled)
    if wants_json(request.get("response_format")) and not says_json(request["messages"]):
        raise Refusal(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.",
            "messages",
        )


def _tools(request: Mapping[str, Any]) -> None:
    tools = request.get("tools")
    not_empty(tools, "tools")
    not_longer(tools, TOOLS, "tools")
    for i, tool in enumerate(tools or ()):
        if isinstance(tool.get("function"), Mapping):
            named(tool["function"].get("name"), NAME, f"tools[{i}].function.name")
    for name in () if tools else ("tool_choice", "parallel_tool_calls"):
        if request.get(name) not in (None, "none"):
            raise Refusal(
                f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.",
                name,
            )


def _message(message: Mapping[str, Any], i: int, given: Set[str]) -> None:
    """One message in itself."""
    calls, content = message.get("tool_calls"), message.get("content")
    place = f"messages[{i}]"
    not_empty(calls, f"{place}.tool_calls")
    not_longer(calls, TOOLS, f"{place}.tool_calls")
    if not calls:
        not_empty(content, f"{place}.content")
    for j, call in enumerate(calls or ()):
        where = f"{place}.tool_calls[{j}]"
        if call.get("id") is None:
            raise Refusal(
                f"Missing required parameter: '{where}.id'.",
                f"{where}.id",
                "missing_required_parameter",
            )
        short(call["id"], ID, f"{where}.id")
        if isinstance(call.get("function"), Mapping):
            _called(call["function"].get("name"), given, f"{where}.function.name")
    if content is None and (
        message["role"] != "assistant" or not any(message.get(name) for name in _SPOKEN)
    ):
        raise Refusal(
            "Invalid value for 'content': expected a string, got null.", f"messages.[{i}].content"
        )


def _called(name: Any, given: Set[str], place: str) -> None:
    """The name in a call, unless the model itself has made it so."""
    if name not in given:
        named(name, NAME, place)


def _answered(messages: list[Mapping[str, Any]], doubled: Set[str]) -> None:
    """Each call has its one result right after it, and each result its call before it."""
    calls: list[str] = []
    results: dict[str, int] = {}
    for i, message in enumerate(messages):
        if message["role"] != "tool":
            _settled(calls, results, f"messages.[{i}].role")
            calls = [call["id"] for call in message.get("tool_calls") or ()]
            results = {}
            continue
        if not calls:
            raise Refusal(
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
                "message with 'tool_calls'.",
                f"messages.[{i}].role",
            )
        call = message.get("tool_call_id")
        if call is not None:
            short(call, ID, f"messages[{i}].tool_call_id")
        if call not in doubled or call not in results:
            _result(call, calls, results, i)
    _settled(calls, results, "messages")


def _result(call: Any, calls: list[str], results: dict[str, int], i: int) -> None:
    place = f"messages.[{i}].tool_call_id"
    if call is None:
        raise Refusal(
            "Missing parameter 'tool_call_id': messages with role 'tool' must have a "
            "'tool_call_id'.",
            place,
        )
    if call not in calls:
        raise Refusal(
            f"Invalid parameter: 'tool_call_id' of '{call}' not found in 'tool_calls' of previous "
            "message.",
            place,
        )
    if call in results:
        raise Refusal(
            f"Invalid parameter: Duplicate value for 'tool_call_id' of '{call}', in "
            f"messages[{results[call]}] and messages[{i}].",
            place,
        )
    results[call] = i


def _settled(calls: list[str], results: dict[str, int], place: str) -> None:
    open_calls = [call for call in dict.fromkeys(calls) if call not in results]
    if open_calls:
        raise Refusal(
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            f"{', '.join(open_calls)}",
            place,
        )
