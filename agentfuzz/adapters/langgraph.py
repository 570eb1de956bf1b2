"""LangGraph and LangChain: a world's tools and model as LangChain's own.

Law: the graph, its executor and its error handling are the framework's; this file only puts
messages into other words. Works with `langchain.agents.create_agent`, with
`langgraph.prebuilt.create_react_agent` and with a plain `ToolNode`, by `invoke` and `ainvoke`.
Called by agents under test:

    agent = create_agent(adapters.langgraph.model(world), adapters.langgraph.tools(world))
    return adapters.langgraph.outcome(agent.invoke({"messages": [("user", world.task)]}))

The thread pools of a sync graph are ordered as all pools are (see `runtime.thread_pools`).
LangSmith's tracing, where it was on, is switched off in this process: it wants the network.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import langsmith
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langsmith.utils import tracing_is_enabled
from pydantic import PrivateAttr

from agentfuzz.adapters._bridge import Key, bridges, completion, turns
from agentfuzz.adapters._langchain_tools import WorldTool
from agentfuzz.adapters._langgraph_store import WorldSaver
from agentfuzz.core.completion import Completion
from agentfuzz.world.world import World


def model(world: World) -> BaseChatModel:
    """The world's simulated model as a chat model. Raises ScenarioError without a script."""
    _prepare()
    return SimulatedChatModel(world)


def tools(world: World, *, key: Key = None) -> list[BaseTool]:
    """The world's tools as LangChain tools. `key` says where the idempotency key of a tool with
    `dedup="key"` comes from: the model (None), `"call_id"`, or a function of (tool, arguments,
    call_id)."""
    _prepare()
    return [WorldTool(bridge) for bridge in bridges(world, key)]


def checkpointer(world: World, saver: BaseCheckpointSaver[Any]) -> BaseCheckpointSaver[Any]:
    """A checkpointer of LangGraph's, sync or async, in this world: each `put` is a save
    `checkpoint` of the process, each `put_writes` a save `writes`."""
    _prepare()
    return WorldSaver(world, saver)


def outcome(result: Any) -> Completion | None:
    """The Completion in a graph's final state (`response_format=Completion`); None for prose."""
    if isinstance(result, Mapping):
        return completion(result.get("structured_response"))
    return completion(result)


def _prepare() -> None:
    """Silence what the framework does on its own."""
    if tracing_is_enabled():
        langsmith.configure(enabled=False)


class SimulatedChatModel(BaseChatModel):
    """A chat model that asks `world.model`."""

    cache: bool | None = False
    _world: World = PrivateAttr()
    _ask: Any = PrivateAttr()
    _turns: int = PrivateAttr(default=0)

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._ask = world.model

    @property
    def _llm_type(self) -> str:
        return "agentfuzz"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        """The model itself: it plans from its script, whatever it is offered."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._said(self._ask(_plain(messages)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._said(await self._ask.aio(_plain(messages)))

    def _said(self, turn: Mapping[str, Any]) -> ChatResult:
        """A turn as LangChain's message. The id is new for every turn: with a constant one
        `add_messages` would replace the turn before."""
        self._turns += 1
        good: list[Any] = []
        bad: list[Any] = []
        for call in turn["tool_calls"]:
            made = {"id": call["id"], "name": call["name"], "args": call["arguments"]}
            (good if isinstance(made["args"], dict) else bad).append(made)
        stop, usage = turn["stop"], turn.get("usage") or {"input": 0, "output": 0}
        message = AIMessage(
            id=f"turn_{turns(self._world)}_{self._turns}",
            content=turn["content"] or "",
            tool_calls=good,
            invalid_tool_calls=[{**made, "error": "the arguments are no object"} for made in bad],
            usage_metadata={
                "input_tokens": usage["input"],
                "output_tokens": usage["output"],
                "total_tokens": sum(usage.values()),
            },
            response_metadata={"finish_reason": "stop" if stop == "end" else stop},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def _plain(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """LangChain's messages in the words of `world.model`."""
    found: list[dict[str, Any]] = []
    for message in messages:
        plain: dict[str, Any] = {"role": message.type, "content": str(message.text)}
        if isinstance(message, ToolMessage):
            plain["tool_call_id"] = message.tool_call_id
            plain["is_error"] = message.status == "error"
        elif isinstance(message, AIMessage):
            plain["role"] = "assistant"
            plain["tool_calls"] = [
                {"id": call["id"], "name": call["name"], "arguments": call["args"]}
                for call in (*message.tool_calls, *message.invalid_tool_calls)
            ]
        elif isinstance(message, HumanMessage):
            plain["role"] = "user"
        found.append(plain)
    return found
