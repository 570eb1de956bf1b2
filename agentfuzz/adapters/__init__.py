"""Adapters: a world as the frameworks know it, one file per framework.

    adapters.langgraph       LangGraph and LangChain agents, sync and async
    adapters.openai_agents   the OpenAI Agents SDK
    adapters.trio            loops on trio: a clock for `trio.run`

Law: an adapter translates and decides nothing; what the framework does by default is what is
tested. A framework's has `model(world)`, `tools(world, *, key=None)` and `outcome(result)`. Called
by agents under test. A framework is imported when its adapter is first named, never before.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentfuzz.adapters import langgraph, openai_agents, trio

__all__ = ["langgraph", "openai_agents", "trio"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"agentfuzz.adapters.{name}")
    raise AttributeError(
        f"module 'agentfuzz.adapters' has no adapter {name!r}; there is: {', '.join(__all__)}"
    )


def __dir__() -> list[str]:
    return __all__
