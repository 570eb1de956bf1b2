"""What LangGraph is to agentfuzz.

Law: the graph, its executor and its error handling are the framework's. Read by the contract, and
by agents under test as `adapters.langgraph`.
"""

import os
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, ToolException
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError

from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Pause, met
from agentfuzz.adapters.contract.adapter import Entrypoint
from agentfuzz.adapters.langgraph import tracing
from agentfuzz.adapters.langgraph.by_hand import by_hand
from agentfuzz.adapters.langgraph.clients import apis, installed, kind_of
from agentfuzz.adapters.langgraph.functional import functional
from agentfuzz.adapters.langgraph.loops import ainvoke, invoke, stream
from agentfuzz.adapters.langgraph.model import SimulatedChatModel
from agentfuzz.adapters.langgraph.pauses import pauses
from agentfuzz.adapters.langgraph.prebuilt import parts, prebuilt, react
from agentfuzz.adapters.langgraph.tools import WorldTool
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.world.world import World

OLDEST = (0, 6)
if tuple(map(int, version("langgraph").split(".")[:2])) < OLDEST:
    raise AgentfuzzError(
        f"langgraph {version('langgraph')} is too old for this adapter: "
        "pip install 'langgraph>=0.6'."
    )

CUT = ("length", "max_tokens")


class LangGraph(Adapter):
    """LangGraph's and LangChain's loops."""

    name = "langgraph"
    package = "langgraph"
    needs = ">=0.6"
    quiet = {"LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"}
    limits = {"recursion_limit": Limit("turns", 9_999)}  # of create_agent
    raises = {GraphRecursionError: "limit"}
    meets = met(raised="raised", soft="raised", cancelled="raised")  # from 1.2.22 on
    sessions = typed = pauses_for = hands_over = True

    @property
    def entrypoints(self) -> Mapping[str, Entrypoint]:
        """Those that are installed: `prebuilt`, `async` and `stream` are LangChain's."""
        ways: dict[str, Entrypoint] = {}
        if installed("langchain"):
            ways["prebuilt"] = partial(invoke, self, prebuilt)
            ways["async"] = partial(ainvoke, self, prebuilt)
            ways["stream"] = partial(stream, self, prebuilt)
            for api in apis():
                ways[api] = partial(invoke, self, prebuilt, api=api)
                ways[f"{api}_stream"] = partial(stream, self, prebuilt, api=api)
        ways["react"] = partial(invoke, self, react)
        ways["functional"] = partial(ainvoke, self, functional)
        ways["graph"] = partial(ainvoke, self, by_hand)
        return ways

    def model(self, world: World, *, agent: str | None = None) -> BaseChatModel:
        """The world's simulated model as a chat model, asked by this agent (left out: by whoever
        acts). Raises ScenarioError without a script."""
        tracing.switch_off()
        return SimulatedChatModel(world, agent)

    def tool(self, bridge: Bridge) -> BaseTool:
        """A tool whose schema is a JSON schema."""
        tracing.switch_off()
        return WorldTool(bridge)

    def soft(self, error: Exception) -> BaseException:
        """LangChain's own."""
        return ToolException(str(error))

    def session(self, world: World) -> BaseCheckpointSaver[Any]:
        """The checkpointer that everybody begins with."""
        return InMemorySaver()

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        """The calls of a state that wait."""
        return pauses(result)

    def ending(self, result: Any) -> Ended:
        """What a final state says: its typed output, that it waits, or its last message."""
        if not isinstance(result, Mapping):
            return Ended(result)
        if result.get("structured_response") is not None:
            return Ended(result["structured_response"])
        if result.get("__interrupt__"):
            return Ended(why="paused")
        last = (result.get("messages") or [None])[-1]
        if not isinstance(last, AIMessage):
            return Ended()
        told = last.response_metadata
        stop = told.get("finish_reason") or told.get("stop_reason")
        return Ended(str(last.text), "length" if stop in CUT else "completed")

    def warm(self) -> None:
        """What the loops import when they are first built."""
        os.environ.update(self.quiet)
        tracing.switch_off()
        if installed("langchain"):
            parts()
        for api in apis():
            kind_of(api)
