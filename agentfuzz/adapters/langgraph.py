"""LangGraph and LangChain: a world's tools and model as LangChain's own.

Law: the graph, its executor and its error handling are the framework's; this file only puts
messages into other words. Works with `langchain.agents.create_agent`, with
`langgraph.prebuilt.create_react_agent`, with a plain `ToolNode` and with tasks, by `invoke` and
`ainvoke`, from LangGraph 0.6 on. Called by agents under test:

    agent = create_agent(adapters.langgraph.model(world), adapters.langgraph.tools(world))
    return adapters.langgraph.outcome(agent.invoke({"messages": [("user", world.task)]}))

The thread pools of a sync graph are ordered as all pools are (see `runtime.thread_pools`).
LangSmith's tracing, where it was on, is switched off in this process: it wants the network.
"""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any

import langsmith
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, ToolException
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.types import Command, Send
from langsmith.utils import tracing_is_enabled

from agentfuzz.adapters._langchain_model import SimulatedChatModel
from agentfuzz.adapters._langchain_tools import WorldTool
from agentfuzz.adapters._langchain_wire import APIS, CLIENT, chat_model, installed, kind_of
from agentfuzz.adapters._langgraph_handoffs import passed
from agentfuzz.adapters._langgraph_loops import (
    Build,
    Member,
    by_hand,
    functional,
    handoff,
    parts,
    prebuilt,
    react,
)
from agentfuzz.adapters._langgraph_pauses import pauses, resumed
from agentfuzz.adapters._langgraph_store import WorldSaver
from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Pause, Setup
from agentfuzz.adapters.contract.adapter import Entrypoint
from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.world.world import World

OLDEST = (0, 6)
if tuple(map(int, version("langgraph").split(".")[:2])) < OLDEST:
    raise AgentfuzzError(
        f"langgraph {version('langgraph')} is too old for this adapter: "
        "pip install 'langgraph>=0.6'."
    )

CONFIG = ("recursion_limit", "max_concurrency")  # what is said to a run by its config
RUN = ("durability", "context")  # and by its own words
THREAD = {"thread_id": "thread_1"}
CUT = ("length", "max_tokens")


class LangGraph(Adapter):
    """LangGraph's and LangChain's loops."""

    name = "langgraph"
    package = "langgraph"
    needs = ">=0.6"
    quiet = {"LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"}
    limits = {"recursion_limit": Limit("turns", 9_999)}  # of create_agent
    meets = {  # from 1.2.22 on; 0.6 told the model of errors
        "raised": "raised",
        "soft": "raised",
        "cancelled": "raised",
        "invalid": "told",
        "unknown": "told",
    }
    sessions = typed = pauses_for = hands_over = True

    @property
    def entrypoints(self) -> Mapping[str, Entrypoint]:
        """Those that are installed: `prebuilt`, `async` and `stream` are LangChain's."""
        ways: dict[str, Entrypoint] = {}
        if installed("langchain"):
            ways["prebuilt"] = partial(self._invoked, prebuilt)
            ways["async"] = partial(self._ainvoked, prebuilt)
            ways["stream"] = partial(self._streamed, prebuilt)
            for api in self._apis():
                ways[api] = partial(self._invoked, prebuilt, api=api)
                ways[f"{api}_stream"] = partial(self._streamed, prebuilt, api=api)
        ways["react"] = partial(self._invoked, react)
        ways["functional"] = partial(self._ainvoked, functional)
        ways["graph"] = partial(self._ainvoked, by_hand)
        return ways

    def model(self, world: World, *, agent: str | None = None) -> BaseChatModel:
        """The world's simulated model as a chat model, asked by this agent (left out: by whoever
        acts). Raises ScenarioError without a script."""
        _prepare()
        return SimulatedChatModel(world, agent)

    def tool(self, bridge: Bridge) -> BaseTool:
        """A tool whose schema is a JSON schema."""
        _prepare()
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

    def ended(self, result: Any) -> Ended | None:
        """What a final state says: its typed output, that it waits, or its last message."""
        if isinstance(result, BaseException):
            return Ended(why="limit") if isinstance(result, GraphRecursionError) else None
        if not isinstance(result, Mapping):
            return Ended(result)
        if result.get("structured_response") is not None:
            return Ended(result["structured_response"])
        if result.get("__interrupt__"):
            return Ended(why="paused")
        last = (result.get("messages") or [None])[-1]
        if not isinstance(last, AIMessage):
            return Ended()
        stop = last.response_metadata.get("finish_reason") or last.response_metadata.get(
            "stop_reason"
        )
        return Ended(str(last.text), "length" if stop in CUT else "completed")

    def warm(self) -> None:
        """What the loops import when they are first built."""
        os.environ.update(self.quiet)
        _prepare()
        if installed("langchain"):
            parts()
        for api in self._apis():
            kind_of(api)

    def _apis(self) -> list[str]:
        return [api for api, package in APIS.items() if installed(package)]

    def _invoked(self, build: Build, setup: Setup, *, api: str = "") -> Any:
        graph, given, words = self._leg(build, setup, api)
        return graph.invoke(given, **words)

    async def _ainvoked(self, build: Build, setup: Setup, *, api: str = "") -> Any:
        graph, given, words = self._leg(build, setup, api)
        return await graph.ainvoke(given, **words)

    async def _streamed(self, build: Build, setup: Setup, *, api: str = "") -> Any:
        graph, given, words = self._leg(build, setup, api)
        state: Any = None
        async for mode, part in graph.astream(given, stream_mode=["messages", "values"], **words):
            state = part if mode == "values" else state
        return state

    def _leg(self, build: Build, setup: Setup, api: str) -> tuple[Any, Any, dict[str, Any]]:
        """A graph, what it is given in this leg, and the words of its run."""
        if setup.approvals and setup.session is None:
            raise AgentfuzzError(
                "langgraph: a call that waits for a person lies in a checkpointer: "
                "approvals= wants session=True."
            )
        more, world = dict(setup.options), setup.world
        config = {"configurable": THREAD, **_taken(more, CONFIG)}
        words, client = {"config": config, **_taken(more, RUN)}, _taken(more, CLIENT) if api else {}
        cast = {
            name: Member(
                chat_model(world, api, client) if api else self.model(world, agent=name or None),
                [*self.offered(setup, name or None), *_handoffs(setup, name)],
                performing(world, name or None),
            )
            for name in setup.agents or ("",)
        }
        saver = None if setup.session is None else WorldSaver(world, setup.session)
        graph = build(setup, cast, saver, more)
        return graph, self._given(setup, graph, config), words

    def _given(self, setup: Setup, graph: Any, config: Any) -> Any:
        """What the user says, the decisions that have come, or nothing, where a process that died
        has left a checkpoint."""
        if setup.paused is not None and setup.decisions:
            return resumed(setup)
        if setup.world.why == "restart" and setup.session is not None:
            state = graph.get_state(config)
            if state.next or _said(state.values, setup.world.task):
                return None
        return {"messages": [("user", setup.world.task)]}


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


def _taken(more: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: more.pop(name) for name in names if name in more}


def _handoffs(setup: Setup, agent: str) -> list[Any]:
    others = tuple(name for name in setup.agents if name != agent)
    return [handoff(setup.world, agent, to, setup.agents) for to in others]


def _said(state: Any, task: str) -> bool:
    messages = state.get("messages", ()) if isinstance(state, Mapping) else ()
    return any(one.type == "human" and one.content == task for one in messages)


def _prepare() -> None:
    """Silence what the framework does on its own."""
    if tracing_is_enabled():
        langsmith.configure(enabled=False)


ADAPTER = LangGraph()
model = ADAPTER.model
tools = ADAPTER.tools
outcome = ADAPTER.outcome
