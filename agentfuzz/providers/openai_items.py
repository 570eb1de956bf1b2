"""The items of OpenAI's Responses: what a request shows, as messages of the model.

Law: pure; an assistant message and the function calls that follow it are one message, as in the
other protocols. What the provider's own tools did is no text of the conversation: its type stands
there in brackets. Called by the codec of Responses.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agentfuzz.providers.turns import (
    BadRequest,
    Json,
    Kept,
    Message,
    Refusal,
    Stamp,
    Turn,
    field,
    read,
    text_of,
    written,
)

CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
OUTPUTS = ("function_call_output", "custom_tool_call_output")
HOSTED = (
    *("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"),
    *("computer_call", "computer_call_output", "local_shell_call", "local_shell_call_output"),
    *("shell_call", "shell_call_output", "apply_patch_call", "apply_patch_call_output"),
    *("mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response"),
    *("tool_search_call", "tool_search_output", "additional_tools", "configuration_update"),
    *("program", "program_output"),
)
_SILENT = ("reasoning", "compaction", "compaction_trigger")  # nothing that a model could read


def show(
    item: Mapping[str, Any], messages: list[Message], place: str, kept: Mapping[str, Kept]
) -> None:
    """Add an item to the messages. Raises BadRequest naming the place."""
    usual = "item_reference" if "id" in item and "role" not in item else "message"
    kind = usual if item.get("type") is None else field(item, "type", str, place)
    if kind == "message":
        role = field(item, "role", str, place)
        role = "system" if role == "developer" else role
        if role not in ("system", "user", "assistant"):
            raise BadRequest(f"{role!r} is no role", f"{place}.role")
        content = text_of(item.get("content"), f"{place}.content")
        messages.append({"role": role, "content": content})
    elif kind in CALLS:
        call = {
            "id": field(item, "call_id", str, place),
            "name": field(item, "name", str, place),
            "arguments": read(item.get(CALLS[kind])),
        }
        _call(call, messages)
    elif kind in OUTPUTS:
        call_id = field(item, "call_id", str, place)
        content = text_of(item.get("output"), f"{place}.output")
        messages.append({"role": "tool", "tool_call_id": call_id, "content": content})
    elif kind == "item_reference":
        _again(_known(field(item, "id", str, place), kept), messages)
    elif kind in HOSTED:
        messages.append({"role": "assistant", "content": f"[{kind}]"})
    elif kind not in _SILENT:
        known = ", ".join(("message", *CALLS, *OUTPUTS, *HOSTED, *_SILENT, "item_reference"))
        raise BadRequest(f"{kind!r} is no item that is read here; there is: {known}", place)


def _call(call: Message, messages: list[Message]) -> None:
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": ""})
    last = messages[-1]
    messages[-1] = {**last, "tool_calls": [*last.get("tool_calls", ()), call]}


def _again(message: Message, messages: list[Message]) -> None:
    for call in message.get("tool_calls", ()):
        _call(call, messages)
    if "tool_calls" not in message:
        messages.append(message)


def _known(name: str, kept: Mapping[str, Kept]) -> Message:
    for one in kept.values():
        if one.items is not None and name in one.items:
            return one.items[name]
    raise Refusal(
        f"Item with id '{name}' not found. Items are not persisted when `store` is set to false. "
        "Try again with `store` set to true, or remove this item from your input.",
        "input",
        status=404,
    )


def spoken(turn: Turn, stamp: Stamp) -> list[Message]:
    """The items of a reply."""
    items: list[Message] = []
    if turn["content"] is not None:
        part = {"type": "output_text", "text": turn["content"], "annotations": [], "logprobs": []}
        items.append(
            {
                "id": stamp.id("msg_"),
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        )
    for i, call in enumerate(turn["tool_calls"]):
        items.append(
            {
                "id": stamp.id("fc_", i),
                "type": "function_call",
                "status": "completed",
                "call_id": call["id"],
                "name": call["name"],
                "arguments": written(call["arguments"]),
            }
        )
    return items


def by_id(turn: Turn, stamp: Stamp) -> dict[str, Message]:
    """The items of a reply as messages, for requests that name them by their ids."""
    found: dict[str, Message] = {}
    items: Sequence[Json] = spoken(turn, stamp)
    for item in items:
        shown: list[Message] = []
        show(item, shown, "", {})
        found[item["id"]] = shown[0]
    return found
