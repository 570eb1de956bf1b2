"""The world's tools as function tools of the OpenAI Agents SDK, as `@function_tool` makes them.

Law: what fails, fails as a decorated function does: by default the model is told to try again; with
`failure_error_function=None` the run ends. Called by the openai_agents adapter.
"""

import inspect
import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import fields
from importlib.metadata import version
from typing import Any

import agents.tool as sdk
from agents import Agent, FunctionTool, ModelBehaviorError

from agentfuzz.adapters.contract.bridge import Bridge
from agentfuzz.core.errors import AgentfuzzError

Invoked = Callable[[Any, str], Awaitable[Any]]
UNSET: Any = object()  # the SDK's own default
APPROVES = "needs_approval" in {one.name for one in fields(FunctionTool)}


def function_tool(bridge: Bridge) -> FunctionTool:
    """One tool."""

    async def invoke(context: Any, text: str) -> str:
        return await bridge.acall(arguments_of(bridge.name, text), context.tool_call_id)

    handled = getattr(sdk, "with_function_tool_failure_error_handler", None)
    return FunctionTool(
        name=bridge.name,
        description=bridge.description,
        params_json_schema=bridge.schema,
        on_invoke_tool=handled(invoke, lambda *_: None) if handled else _Handled(invoke),
        strict_json_schema=False,
    )


def as_tool(agent: Agent[Any], task: str) -> FunctionTool:
    """An agent as a tool of another one: whatever it is called with, it is told the task."""
    made: Any = agent.as_tool(f"transfer_to_{agent.name}", f"Ask {agent.name}.")

    async def invoke(context: Any, text: str) -> Any:
        return await made.on_invoke_tool(context, json.dumps({"input": task}))

    return FunctionTool(made.name, made.description, {"type": "object", "properties": {}}, invoke)


def set_up(
    tools: list[FunctionTool], needs_approval: Collection[str], failure_error_function: Any
) -> list[Any]:
    """The tools, of which these wait for a person; UNSET, or what all make of a failure: see the
    decorator's `failure_error_function`."""
    for tool in tools:
        if failure_error_function is not UNSET:
            _fails(tool, failure_error_function)
        if tool.name in needs_approval:
            _waits(tool)
    return tools


def _fails(tool: FunctionTool, failure_error_function: Any) -> None:
    if isinstance(tool.on_invoke_tool, _Handled):
        tool.on_invoke_tool.says = failure_error_function
    else:
        sdk.set_function_tool_failure_error_function(tool, failure_error_function)


def _waits(tool: FunctionTool) -> None:
    if not APPROVES:
        raise AgentfuzzError(
            f"needs_approval of {tool.name}: calls wait for a person from openai-agents 0.8 on; "
            f"this is {version('openai-agents')}."
        )
    tool.needs_approval = True


class _Handled:
    """A tool as the decorator of releases before 0.13 makes it."""

    says: Any = staticmethod(sdk.default_tool_error_function)

    def __init__(self, invoke: Invoked) -> None:
        self._invoke = invoke

    async def __call__(self, context: Any, text: str) -> Any:
        try:
            return await self._invoke(context, text)
        except Exception as error:
            if self.says is None:
                raise
            said = self.says(context, error)
            return await said if inspect.isawaitable(said) else said


def arguments_of(tool: str, text: str) -> dict[str, Any]:
    """What the SDK makes of a call's arguments. Raises ModelBehaviorError as it does."""
    try:
        found = json.loads(text) if text else {}
    except ValueError as error:
        raise ModelBehaviorError(f"Invalid JSON input for tool {tool}: {text}") from error
    if not isinstance(found, dict):
        raise ModelBehaviorError(f"Invalid JSON input for tool {tool}: expected a JSON object")
    return found
