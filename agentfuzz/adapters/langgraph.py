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

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import langsmith
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command, Send
from langsmith.utils import tracing_is_enabled
from pydantic import PrivateAttr

from agentfuzz.adapters._langchain_offer import bound, offer_of, structured
from agentfuzz.adapters._langchain_tools import WorldTool
from agentfuzz.adapters._langgraph_handoffs import passed, plain
from agentfuzz.adapters._langgraph_store import WorldSaver
from agentfuzz.adapters.contract.bridge import Key, bridges, completion, performing, turns
from agentfuzz.core.completion import Completion
from agentfuzz.world.world import World


def model(world: World, *, agent: str | None = None) -> BaseChatModel:
    """The world's simulated model as a chat model, asked by this agent (left out: by whoever acts).
    Raises ScenarioError without a script."""
    _prepare()
    return SimulatedChatModel(world, agent)


def tools(world: World, *, key: Key = None, agent: str | None = None) -> list[BaseTool]:
    """The world's tools as LangChain tools. `key` says where the idempotency key of a tool with
    `dedup="key"` comes from: the model (None), `"call_id"`, or a function of (tool, arguments,
    call_id). `agent` is who calls them (left out: whoever acts)."""
    _prepare()
    return [WorldTool(bridge) for bridge in bridges(world, key, agent)]


def command(
    world: World,
    goto: str,
    update: Any = None,
    *,
    carry: Iterable[str] = (),
    among: Iterable[str] = (),
    agent: str | None = None,
    **options: Any,
) -> Command[Any]:
    """LangGraph's `Command(goto=goto, update=update, **options)`, as a handoff of this world to the
    agent that the node `goto` bears the name of. It may get lost (TimeoutError), go to a node of
    `among` instead, or bring another update. `carry` names what of the update must arrive as it is;
    `agent` is who hands over (left out: whoever acts)."""
    with performing(world, agent)():
        node, state = passed(world, goto, update, carry, among)
    return Command(goto=node, update=state, **options)


def send(
    world: World,
    node: str,
    arg: Any,
    *,
    carry: Iterable[str] = (),
    among: Iterable[str] = (),
    agent: str | None = None,
) -> Send:
    """LangGraph's `Send(node, arg)`, as a handoff of this world: see `command`."""
    with performing(world, agent)():
        return Send(*passed(world, node, arg, carry, among))


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
    _acting: Any = PrivateAttr()
    _turns: int = PrivateAttr(default=0)

    def __init__(self, world: World, agent: str | None = None) -> None:
        super().__init__()
        self._world = world
        self._acting = performing(world, agent)
        self._ask = world.model

    @property
    def _llm_type(self) -> str:
        return "agentfuzz"

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any) -> Any:
        """The model, which is offered these tools."""
        return bound(self, tools, tool_choice, kwargs)

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, **kwargs: Any
    ) -> Any:
        """The model with an answer of this schema: by a call (`method="function_calling"`, as is
        usual), by `"json_schema"`, or by `"json_mode"`."""
        method = kwargs.get("method")
        if method in ("json_schema", "json_mode"):
            by_schema = method == "json_schema"
            return structured(self, schema, by_schema=by_schema, raw=include_raw)
        return super().with_structured_output(schema, include_raw=include_raw, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        with self._acting():
            return self._said(self._ask(plain(messages), offer_of(kwargs, stop)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        with self._acting():
            return self._said(await self._ask.aio(plain(messages), offer_of(kwargs, stop)))

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
