"""LangGraph and LangChain: a world's tools and model as LangChain's own.

Law: the graph, its executor and its error handling are the framework's; this file only puts
messages into other words. Works with `langchain.agents.create_agent`, with
`langgraph.prebuilt.create_react_agent` and with a plain `ToolNode`, by `invoke` and `ainvoke`.
Called by agents under test:

    agent = create_agent(adapters.langgraph.model(world), adapters.langgraph.tools(world))
    return adapters.langgraph.outcome(agent.invoke({"messages": [("user", world.task)]}))

Inside a simulation LangChain's thread pools run their work at once, in the order in which it was
handed in, so that parallel calls of a sync graph are made in the same order in every run; and
LangSmith's tracing is off. Outside of one, both are as they were.
"""

import os
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool
from langsmith import utils as langsmith
from pydantic import PrivateAttr
from pydantic_core import PydanticCustomError, ValidationError

from agentfuzz.adapters._bridge import Bridge, Key, bridges, completion
from agentfuzz.adapters._inline import install
from agentfuzz.completion import Completion
from agentfuzz.errors import InvalidArguments
from agentfuzz.world import World


def model(world: World) -> BaseChatModel:
    """The world's simulated model as a chat model."""
    _prepare()
    return SimulatedChatModel(world)


def tools(world: World, *, key: Key = None) -> list[BaseTool]:
    """The world's tools as LangChain tools. `key` says where the idempotency key of a tool with
    `dedup="key"` comes from: the model (None), `"call_id"`, or a function of (tool, arguments,
    call_id)."""
    _prepare()
    return [WorldTool(bridge) for bridge in bridges(world, key)]


def outcome(result: Any) -> Completion | None:
    """The Completion in a graph's final state (`response_format=Completion`); None for prose."""
    if isinstance(result, Mapping):
        return completion(result.get("structured_response"))
    return completion(result)


class SimulatedChatModel(BaseChatModel):
    """A chat model that asks `world.model`."""

    cache: bool | None = False
    _world: World = PrivateAttr()

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

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
        return self._said(self._world.model(_plain(messages)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._said(await self._world.model.aio(_plain(messages)))

    def _said(self, turn: Mapping[str, Any]) -> ChatResult:
        """A turn as LangChain's message. The id is new for every turn: with a constant one
        `add_messages` would replace the turn before."""
        made = turn["tool_calls"]
        message = AIMessage(
            id=f"turn_{len(self._world.events)}",
            content=turn["content"] or "",
            tool_calls=[
                {"type": "tool_call", "id": c["id"], "name": c["name"], "args": c["arguments"]}
                for c in made
                if isinstance(c["arguments"], dict)
            ],
            invalid_tool_calls=[
                {
                    "type": "invalid_tool_call",
                    "id": c["id"],
                    "name": c["name"],
                    "args": c["arguments"],
                    "error": "the arguments are no JSON object",
                }
                for c in made
                if not isinstance(c["arguments"], dict)
            ],
            response_metadata={"finish_reason": {"end": "stop"}.get(turn["stop"], turn["stop"])},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


_call_id: ContextVar[str | None] = ContextVar("agentfuzz_langgraph_call_id", default=None)


class WorldTool(BaseTool):
    """A LangChain tool that calls a tool of the world. Its schema is JSON schema, so what does
    not fit it is found by the world and raised as the framework's own kind of error."""

    _bridge: Bridge = PrivateAttr()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(
            name=bridge.name, description=bridge.description, args_schema=bridge.schema
        )
        self._bridge = bridge

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Note the id of the call: LangChain passes it to `run`, and not on."""
        token = _call_id.set(kwargs.get("tool_call_id"))
        try:
            return super().run(*args, **kwargs)
        finally:
            _call_id.reset(token)

    async def arun(self, *args: Any, **kwargs: Any) -> Any:
        """The same for async graphs."""
        token = _call_id.set(kwargs.get("tool_call_id"))
        try:
            return await super().arun(*args, **kwargs)
        finally:
            _call_id.reset(token)

    def _run(self, /, **arguments: Any) -> str:
        if self._bridge.is_async:
            raise NotImplementedError(f"{self.name} is async and has no sync form: use ainvoke.")
        try:
            return self._bridge.call(arguments, _call_id.get())
        except InvalidArguments as error:
            raise _invalid(self.name, arguments, error) from None

    async def _arun(self, /, **arguments: Any) -> str:
        try:
            return await self._bridge.acall(arguments, _call_id.get())
        except InvalidArguments as error:
            raise _invalid(self.name, arguments, error) from None


def _invalid(tool: str, arguments: Mapping[str, Any], error: InvalidArguments) -> ValidationError:
    """What LangChain raises for arguments that do not fit a tool's schema."""
    kind = PydanticCustomError("invalid_arguments", "{why}", {"why": str(error)})
    return ValidationError.from_exception_data(
        tool, [{"type": kind, "loc": ("arguments",), "input": dict(arguments)}]
    )


def _plain(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """LangChain's messages in the words of `world.model`."""
    found: list[dict[str, Any]] = []
    for message in messages:
        text = str(message.text)
        if isinstance(message, ToolMessage):
            result = {"role": "tool", "tool_call_id": message.tool_call_id, "content": text}
            found.append({**result, "is_error": message.status == "error"})
        elif isinstance(message, AIMessage):
            calls = [
                {"id": c["id"], "name": c["name"], "arguments": c["args"]}
                for c in (*message.tool_calls, *message.invalid_tool_calls)
            ]
            found.append({"role": "assistant", "content": text, "tool_calls": calls})
        else:
            role = "user" if isinstance(message, HumanMessage) else message.type
            found.append({"role": role, "content": text})
    return found


def _prepare() -> None:
    """Make what the framework does on its own repeatable and silent."""
    install()
    if langsmith.tracing_is_enabled():  # the run's end puts the environment back
        for prefix in ("LANGSMITH", "LANGCHAIN"):
            os.environ[f"{prefix}_TRACING"] = os.environ[f"{prefix}_TRACING_V2"] = "false"
        langsmith.get_env_var.cache_clear()  # type: ignore[attr-defined]
