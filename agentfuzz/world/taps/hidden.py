"""Hidden parameters: what a framework hands a tool beside what the model asks for.

Law: known by their types, as the frameworks write them, and by `self`; read off a signature without
calling anything. They pass through a tap as they came, and no law, ledger or page hears of them.
"""

import inspect
import re
import typing
from collections.abc import Callable
from typing import Any

# The types by which frameworks hand over a context, in any spelling of an annotation.
TYPES = (
    *("RunContextWrapper", "ToolContext", "AgentContext"),  # OpenAI Agents, Google ADK, strands
    "RunContext",  # pydantic-ai, agno
    *("Context", "ServerSession"),  # MCP, LlamaIndex
    *("ToolRuntime", "InjectedState", "InjectedStore", "InjectedToolCallId", "InjectedToolArg"),
    *("RunnableConfig", "BaseStore", "StreamWriter", "CallbackManagerForToolRun"),  # LangChain
    *("AsyncCallbackManagerForToolRun", "CancellationToken", "FunctionInvocationContext"),
)
_NAMED = re.compile(rf"\b({'|'.join(TYPES)})\b")


def hidden(function: Callable[..., Any], signature: inspect.Signature) -> tuple[str, ...]:
    """The names of the parameters that are hidden by themselves."""
    hints = _hints(function)
    return tuple(
        name
        for number, (name, one) in enumerate(signature.parameters.items())
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        or (number == 0 and name in ("self", "cls"))
        or _NAMED.search(str(hints.get(name, "")))
    )


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Its annotations; as they are written where they cannot be looked up."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # a name that is there for type checkers alone
        return dict(getattr(function, "__annotations__", {}))
