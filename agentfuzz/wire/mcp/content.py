"""What a reply is in MCP: blocks of content, and structured content where the tool declares it.

Law: a reply that is made of the protocol's content blocks is sent as those, and any other as its
text. A tool whose annotation says that it returns an object declares an output schema, and each of
its results has structured content: the reply, or `{"result": ...}` around one that is no object,
which clients refuse where the schema is a closed one. Called for every call and every listing.
"""

import typing
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import mcp_types as types
from pydantic import TypeAdapter, ValidationError

from agentfuzz.core.codec import plain
from agentfuzz.world.reply_faults import as_text
from agentfuzz.world.tools import ToolSpec
from agentfuzz.world.world import World, inside

_BLOCK: TypeAdapter[Any] = TypeAdapter(types.ContentBlock)
_BLOCKS = frozenset({"text", "image", "audio", "resource", "resource_link"})
_OUTPUTS: WeakKeyDictionary[ToolSpec, dict[str, Any] | None] = WeakKeyDictionary()


def text_result(text: str, *, is_error: bool = False) -> Any:
    """A result that is one text."""
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], is_error=is_error
    )


def result(world: World, name: str, reply: object) -> Any:
    """The reply of a tool as the result of its call."""
    blocks = _blocks(reply)
    made = text_result(as_text(reply)) if blocks is None else types.CallToolResult(content=blocks)
    if output_schema(world, name) is not None:
        value = plain(reply)
        made.structured_content = value if isinstance(value, dict) else {"result": value}
    return made


def _blocks(reply: object) -> list[Any] | None:
    """A reply as content blocks, if it is a list of such."""
    if not isinstance(reply, list) or not reply:
        return None
    if not all(isinstance(item, dict) and item.get("type") in _BLOCKS for item in reply):
        return None
    try:
        return [_BLOCK.validate_python(item, by_name=False, by_alias=True) for item in reply]
    except ValidationError:
        return None


def output_schema(world: World, name: str) -> dict[str, Any] | None:
    """The JSON schema of what a tool returns, if its annotation says that it is an object."""
    spec = world.gateway.specs[name]
    if spec not in _OUTPUTS:
        _OUTPUTS[spec] = _schema(inside(world).calls.functions[name])
    return _OUTPUTS[spec]


def _schema(function: Callable[..., Any]) -> dict[str, Any] | None:
    try:
        returned = typing.get_type_hints(function, include_extras=True).get("return")
        if returned in (None, type(None), Any, str):
            return None
        found: dict[str, Any] = TypeAdapter(returned).json_schema(mode="serialization")
    except Exception:  # no annotation that pydantic understands: then none that a client could
        return None
    return found if found.get("type") == "object" else None
