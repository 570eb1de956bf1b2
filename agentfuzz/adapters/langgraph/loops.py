"""How a graph is run in one leg: what it is given, and by which words.

Law: a process that died goes on from its checkpoint, and a call that waited with its decision; else
a leg begins with what the user says. Called by the langgraph adapter.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz.adapters.contract import CLIENT, Adapter, Setup, taken
from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.adapters.langgraph.checkpoints import WorldSaver
from agentfuzz.adapters.langgraph.clients import chat_model
from agentfuzz.adapters.langgraph.handoffs import handoff
from agentfuzz.adapters.langgraph.pauses import resumed
from agentfuzz.adapters.langgraph.team import Build, Member
from agentfuzz.core.errors import AgentfuzzError

CONFIG = ("recursion_limit", "max_concurrency")  # what is said to a run by its config
RUN = ("durability", "context")  # and by its own words
THREAD = {"thread_id": "thread_1"}


def invoke(adapter: Adapter, build: Build, setup: Setup, *, api: str = "") -> Any:
    """`invoke`."""
    graph, given, words = _leg(adapter, build, setup, api)
    return graph.invoke(given, **words)


async def ainvoke(adapter: Adapter, build: Build, setup: Setup, *, api: str = "") -> Any:
    """`ainvoke`."""
    graph, given, words = _leg(adapter, build, setup, api)
    return await graph.ainvoke(given, **words)


async def stream(adapter: Adapter, build: Build, setup: Setup, *, api: str = "") -> Any:
    """`astream`, of messages and states."""
    graph, given, words = _leg(adapter, build, setup, api)
    state: Any = None
    async for mode, part in graph.astream(given, stream_mode=["messages", "values"], **words):
        state = part if mode == "values" else state
    return state


def _leg(adapter: Adapter, build: Build, setup: Setup, api: str) -> tuple[Any, Any, dict[str, Any]]:
    """A graph, what it is given in this leg, and the words of its run."""
    if setup.approvals and setup.session is None:
        raise AgentfuzzError(
            "langgraph: a call that waits for a person lies in a checkpointer: "
            "approvals= wants session=True."
        )
    more, world = dict(setup.options), setup.world
    config = {"configurable": THREAD, **taken(more, CONFIG)}
    words, client = {"config": config, **taken(more, RUN)}, taken(more, CLIENT) if api else {}

    def member(name: str | None) -> Member:
        others = [to for to in setup.agents if to != name]
        transfers = [handoff(world, name, to, setup.agents) for to in others]
        model = chat_model(world, api, client) if api else adapter.model(world, agent=name)
        tools = [*adapter.offered(setup, name), *transfers]
        return Member(model, tools, performing(world, name))

    cast = {name or "": member(name) for name in setup.agents or (None,)}
    saver = None if setup.session is None else WorldSaver(world, setup.session)
    graph = build(setup, cast, saver, more)
    return graph, _given(setup, graph, config), words


def _given(setup: Setup, graph: Any, config: Any) -> Any:
    """What the user says, the decisions that have come, or nothing, where a process that died has
    left a checkpoint."""
    if setup.paused is not None and setup.decisions:
        return resumed(setup)
    if setup.world.why == "restart" and setup.session is not None:
        state = graph.get_state(config)
        if state.next or _said(state.values, setup.world.task):
            return None
    return {"messages": [("user", setup.world.task)]}


def _said(state: Any, task: str) -> bool:
    messages = state.get("messages", ()) if isinstance(state, Mapping) else ()
    return any(one.type == "human" and one.content == task for one in messages)
