"""The tools of a world as tools/list shows them, and any list page by page.

Law: a tool shows what its declaration says, and a page has at most `PAGE` items; a cursor that no
page has given is refused. Called by the server.
"""

from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from agentfuzz.wire.mcp.content import output_schema
from agentfuzz.world.toolbox import DONE
from agentfuzz.world.world import World

PAGE = 50
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def annotations(effect: str | None, dedup: str) -> Any:
    """What a tool's declaration means in the protocol's hints, as `ToolAnnotations`."""
    if effect is None:
        return types.ToolAnnotations(read_only_hint=True)
    return types.ToolAnnotations(
        read_only_hint=False, destructive_hint=True, idempotent_hint=dedup != "none"
    )


def hints(annotations: Any, effect: str = "effect") -> dict[str, Any]:
    """The other way: `effect` and `dedup` for `world.tool`, from a tool of an MCP tool list.

    `annotations` is a `ToolAnnotations`, its JSON object, or None; what they do not say is what
    the protocol says: not read-only, destructive, not idempotent. `effect` is the effect's name
    (say the tool's), where there is one. Hints are claims of a server: say more if you know more.
    An idempotent tool gets dedup="scope"; its `scope=` are all its parameters, if you know no
    better: `tuple(tool.input_schema["properties"])`.
    """
    if _hint(annotations, "readOnlyHint", "read_only_hint"):
        return {"effect": None, "dedup": "none"}
    idempotent = _hint(annotations, "idempotentHint", "idempotent_hint")
    return {"effect": effect, "dedup": "scope" if idempotent else "none"}


def _hint(annotations: Any, wire: str, python: str) -> bool:
    """One hint whose default is false. (A destructive tool and an additive one both have an
    effect, so that hint decides nothing here.)"""
    if isinstance(annotations, Mapping):
        return annotations.get(wire, annotations.get(python)) is True
    return getattr(annotations, python, None) is True


def tool_list(world: World) -> list[Any]:
    """The tools that the world offers, as MCP tools: the done tool too when it is offered."""
    found = []
    for name in world.tools:
        tool = world.tools[name]
        spec = None if name == DONE else world.gateway.specs[name]
        said = types.ToolAnnotations(read_only_hint=False, destructive_hint=False)
        found.append(
            types.Tool(
                name=name,
                description=tool.description or None,
                input_schema={"$schema": _DIALECT, **tool.schema},
                output_schema=None if spec is None else output_schema(world, name),
                annotations=said if spec is None else annotations(spec.effect, spec.dedup),
            )
        )
    return found


def page(items: list[Any], cursor: str | None, word: str) -> tuple[list[Any], str | None]:
    """The items from a cursor on, and the cursor of the next page. Raises MCPError (-32602)."""
    begins = {f"{word}-{nth}": nth for nth in range(PAGE, len(items), PAGE)}
    if cursor is not None and cursor not in begins:
        raise MCPError(types.INVALID_PARAMS, f"Invalid cursor: {cursor!r}")
    start = 0 if cursor is None else begins[cursor]
    more = f"{word}-{start + PAGE}" if start + PAGE < len(items) else None
    return items[start : start + PAGE], more


def listed(world: World, cursor: str | None) -> Any:
    """The tools from a cursor on, as the result of tools/list. Raises MCPError."""
    tools, more = page(tool_list(world), cursor, "tool")
    return types.ListToolsResult(tools=tools, next_cursor=more)
