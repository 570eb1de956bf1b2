"""The runs of Pydantic AI's Agent: what an agent is made of, and what its run begins with.

Law: agent and run are Pydantic AI's, with its defaults. Called by the pydantic_ai adapter.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from pydantic_ai import Agent, RunContext, ToolOutput, UsageLimits
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults

from agentfuzz.adapters.contract import CLIENT, Adapter, Bridge, Setup, kept, taken
from agentfuzz.adapters.contract.bridge import bridges
from agentfuzz.adapters.pydantic_ai.model import MODEL, call_id, model_of
from agentfuzz.core.completion import Completion

_USAGE = [one.name for one in fields(UsageLimits)]
_AGENT = list(inspect.signature(Agent.__init__).parameters)


async def run(adapter: Adapter, api: str, setup: Setup, **more: Any) -> Any:
    """`Agent.run`."""
    agent, words = _made(adapter, api, setup, more)
    return _kept(setup, await agent.run(**words))


def sync(adapter: Adapter, setup: Setup) -> Any:
    """`Agent.run_sync`."""
    agent, words = _made(adapter, "chat", setup, {})
    return _kept(setup, agent.run_sync(**words))


async def stream(adapter: Adapter, api: str, setup: Setup) -> Any:
    """`Agent.run_stream`, to the end of its output."""
    agent, words = _made(adapter, api, setup, {})
    async with agent.run_stream(**words) as result:
        async for _ in result.stream_output(debounce_by=None):
            pass
        return _kept(setup, Streamed(await result.get_output(), result))


async def drain(_: Any, events: Any) -> None:
    """A handler that lets every event pass."""
    async for _ in events:
        pass


class Streamed:
    """What is left of a streamed run: its output, and its messages."""

    def __init__(self, output: Any, result: Any) -> None:
        self.output = output
        self.all_messages = result.all_messages


def _kept(setup: Setup, result: Any) -> Any:
    kept(setup, "messages", result.all_messages())
    return result


def _made(
    adapter: Adapter, api: str, setup: Setup, more: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The agent of a setup, and the words for its run."""
    options = {**setup.options, **more}
    at_model, usage = taken(options, (*MODEL, *CLIENT)), taken(options, _USAGE)
    own, ends = taken(options, _AGENT), options.pop("ends_with", ())
    tools = [tool for tool in adapter.offered(setup) if tool.name not in ends]
    for tool in tools:
        tool.requires_approval = tool.name in setup.approvals
    output: Any = Completion if setup.typed else str
    if ends:
        made = [one for one in bridges(setup.world, setup.key) if one.name in ends]
        output = [ToolOutput(_output(one), name=one.name) for one in made]
    agent = Agent(
        model_of(setup.world, api, at_model),
        tools=tools,
        output_type=[output, DeferredToolRequests] if setup.approvals else output,
        **own,
    )
    words: dict[str, Any] = {"user_prompt": setup.world.task, **options}
    if usage:
        words["usage_limits"] = UsageLimits(**usage)
    if setup.session:
        words["message_history"] = list(setup.session)
    return agent, {**words, **_decided(setup)} if setup.decisions else words


def _decided(setup: Setup) -> dict[str, Any]:
    """A run goes on with what has been decided."""
    asked = [one.tool_call_id for one in setup.paused.output.approvals]
    decided = {name: setup.decisions[call_id(name)] for name in asked}
    return {
        "user_prompt": None,
        "message_history": setup.paused.all_messages(),
        "deferred_tool_results": DeferredToolResults(approvals=decided),
    }


def _output(bridge: Bridge) -> Callable[..., Any]:
    """A tool as an output function, which is called with what is there of a reply so far, too."""

    async def output(ctx: RunContext[Any], given: Any) -> Any:
        if ctx.partial_output:
            return given
        sent = given.model_dump(exclude_none=True)
        return await bridge.acall(sent, call_id(ctx.tool_call_id or ""))

    output.__annotations__["given"] = bridge.args_model
    return output
