"""The boundary of MCP itself: what becomes of a request before any tool is asked.

What becomes of a call of a tool is the boundary of tools. A session can be lost where there is one:
over HTTP, in the versions of the protocol that have a handshake.
"""

from collections.abc import Iterable

from agentfuzz.boundaries.boundary import CALLS, Boundary, Page, once
from agentfuzz.core.faults import Fault, Slot

_WORDS = {
    "error": "the connection breaks",
    "timeout": "never answered",
    "session_lost": "404, the server has lost the session",
}
REQUESTS = {
    "list": "tools/list",
    "resources": "resources/list",
    "templates": "resources/templates/list",
    "prompts": "prompts/list",
    "complete": "completion/complete",
    "call": "tools/call",
    "read": "resources/read",
    "get": "prompts/get",
}
CALLS_OF_TOOLS = ("call", "read", "get")  # each is the crossing of a tool as well


def _of_a_list(fault: Fault) -> Iterable[Fault]:
    return () if fault.axes[0] == "session_lost" else (fault,)


def _of_a_call(fault: Fault) -> Iterable[Fault]:
    return (fault,) if fault.axes[0] == "session_lost" else ()


def _place(slot: Slot) -> str:
    return f"request {slot.nth} of {REQUESTS.get(slot.name, slot.name)} over MCP"


def _says(fault: Fault) -> str:
    return _WORDS[fault.axes[0]]


def _order(group: str, fault: Fault) -> int:
    return CALLS


BOUNDARY = Boundary(
    name="mcp",
    axes=(("answered", *_WORDS),),
    groups={
        "mcp list": _of_a_list,
        "mcp list in a session": once,
        "mcp call in a session": _of_a_call,
    },
    place=_place,
    says=_says,
    order=_order,
    told=Page(
        "MCP",
        "`mcp:list#nth:kind` (tools/list; so `resources`, `templates`, `prompts`, `complete`) "
        "and `mcp:call#nth:session_lost` (tools/call; so `read`, `get`)",
        {("kind", "the request"): {"answered": "is answered: no fault", **_WORDS}},
    ),
)
