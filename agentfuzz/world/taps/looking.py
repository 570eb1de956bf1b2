"""Tools that a framework has in its hands already: found by looking at what there is.

Law: nothing is called, imported or changed; a framework's tool object is known by its class, and
the function in it is the first one that is not the framework's own. Called by who runs a test that
exists, whose application was imported long before.
"""

import gc
import sys
from types import FunctionType
from typing import Any

from agentfuzz.world.taps.decorators import Taps, is_theirs

# The classes of the objects that frameworks make of a function.
HOLDERS = frozenset(
    {
        ("agents.tool", "FunctionTool"),
        ("agno.tools.function", "Function"),
        ("anthropic.lib.tools._beta_functions", "BetaAsyncFunctionTool"),
        ("anthropic.lib.tools._beta_functions", "BetaFunctionTool"),
        ("autogen_core.tools._function_tool", "FunctionTool"),
        ("crewai.tools.base_tool", "Tool"),
        ("google.adk.tools.function_tool", "FunctionTool"),
        ("langchain_core.tools.simple", "Tool"),
        ("langchain_core.tools.structured", "StructuredTool"),
        ("llama_index.core.tools.function_tool", "FunctionTool"),
        ("llm.models", "Tool"),
        ("mcp.server.fastmcp.tools.base", "Tool"),
        ("mcp.server.mcpserver.tools.base", "Tool"),
        ("pydantic_ai.tools", "Tool"),
        ("smolagents.tools", "SimpleTool"),
        ("strands.tools.decorator", "DecoratedFunctionTool"),
    }
)
_DEEP = 4  # attributes and closures between a tool object and its function


def in_hands(*without: str) -> Taps:
    """The functions of all tool objects that there are, in the order in which they were made, but
    for those of packages that are left out."""
    found = Taps()
    holders = {at for at in HOLDERS if at[0].partition(".")[0] not in without}
    if not any(module in sys.modules for module, _ in holders):
        return found  # there are a million objects, and none of theirs
    for one in gc.get_objects():
        kind = type(one)
        if (kind.__module__, kind.__qualname__) in holders:
            function = _function_of(one)
            if function is not None and not _is_left(function):
                found.note(function)
    return found


def _is_left(function: FunctionType) -> bool:
    """Whether a function was left behind by a module that was imported anew."""
    module = sys.modules.get(function.__module__ or "")
    return module is not None and function.__globals__ is not vars(module)


def _function_of(holder: object) -> FunctionType | None:
    """The application's function in a tool object: the nearest one."""
    seen: set[int] = set()
    here = [holder]
    for _ in range(_DEEP):
        there: list[Any] = []
        for one in here:
            if id(one) in seen:
                continue
            seen.add(id(one))
            if isinstance(one, FunctionType):
                if not is_theirs(one):
                    return one
                there += _cells(one)
            else:
                there += list(getattr(one, "__dict__", {}).values())
        here = [one for one in there if isinstance(one, FunctionType) or hasattr(one, "__dict__")]
    return None


def _cells(function: FunctionType) -> list[Any]:
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # nothing is in it yet
            continue
    return found
