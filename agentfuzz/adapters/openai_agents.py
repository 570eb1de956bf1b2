"""The OpenAI Agents SDK: a world's tools and model as the SDK's own.

Law: the runner and its error handling are the SDK's; this file only puts items into other words.
Works with `Runner.run`, `Runner.run_streamed` and `Runner.run_sync`. Called by agents under test:

    agent = Agent(
        name="billing",
        model=adapters.openai_agents.model(world),
        tools=adapters.openai_agents.tools(world),
    )
    return adapters.openai_agents.outcome(await Runner.run(agent, world.task))

Naming the model switches the SDK's tracing off, in this process: its exporter wants the network.
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from agents import (
    FunctionTool,
    Model,
    ModelBehaviorError,
    ModelResponse,
    Tool,
    Usage,
    set_tracing_disabled,
)
from agents.tool import with_function_tool_failure_error_handler
from agents.tool_context import ToolContext
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputItem,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseStreamEvent,
)

from agentfuzz.adapters._bridge import Bridge, Key, bridges, completion
from agentfuzz.completion import Completion
from agentfuzz.world import World


def model(world: World) -> Model:
    """The world's simulated model as a model of the SDK. Raises ScenarioError without a script."""
    set_tracing_disabled(True)
    return SimulatedModel(world)


def tools(world: World, *, key: Key = None) -> list[Tool]:
    """The world's tools as function tools that fail as `@function_tool` fails by default. `key`
    says where the idempotency key of a tool with `dedup="key"` comes from: the model (None),
    `"call_id"`, or a function of (tool, arguments, call_id)."""
    return [_function_tool(bridge) for bridge in bridges(world, key)]


def outcome(result: Any) -> Completion | None:
    """The Completion that a run ended with (`output_type=Completion`); None for prose."""
    return completion(getattr(result, "final_output", result))


class SimulatedModel(Model):
    """A model of the SDK that asks `world.model`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ask = world.model
        self._turns = 0

    async def get_response(
        self, system_instructions: str | None, input: str | list[Any], *args: Any, **kwargs: Any
    ) -> ModelResponse:
        """One turn. It has no response id: this model keeps no conversation on a server."""
        output, _ = await self._turn(input)
        return ModelResponse(output=output, usage=Usage(), response_id=None)

    async def stream_response(
        self, system_instructions: str | None, input: str | list[Any], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ResponseStreamEvent]:
        """One turn, as the one event that the runner needs."""
        output, serial = await self._turn(input)
        response = Response(
            id=f"resp_{serial}",
            created_at=0,
            model="agentfuzz",
            object="response",
            output=output,
            parallel_tool_calls=True,
            tool_choice="auto",
            tools=[],
        )
        yield ResponseCompletedEvent(
            type="response.completed", response=response, sequence_number=0
        )

    async def _turn(self, input: str | list[Any]) -> tuple[list[ResponseOutputItem], str]:
        """The output items of the next turn, and what makes their ids its own."""
        turn = await self._ask.aio(_plain(input))
        self._turns += 1
        serial = f"{len(self._world.events)}_{self._turns}"
        return _items(turn, serial), serial


def _function_tool(bridge: Bridge) -> FunctionTool:
    async def invoke(context: ToolContext[Any], text: str) -> str:
        return await bridge.acall(_arguments(bridge.name, text), context.tool_call_id)

    return FunctionTool(
        name=bridge.name,
        description=bridge.description,
        params_json_schema=bridge.schema,
        on_invoke_tool=with_function_tool_failure_error_handler(invoke, lambda *_: None),
        strict_json_schema=False,
    )


def _arguments(tool: str, text: str) -> dict[str, Any]:
    """What the SDK makes of a call's arguments. Raises ModelBehaviorError as it does."""
    try:
        found = json.loads(text) if text else {}
    except ValueError as error:
        raise ModelBehaviorError(f"Invalid JSON input for tool {tool}: {text}") from error
    if not isinstance(found, dict):
        raise ModelBehaviorError(f"Invalid JSON input for tool {tool}: expected a JSON object")
    return found


def _plain(items: str | list[Any]) -> list[dict[str, Any]]:
    """The SDK's input items in the words of `world.model`."""
    found: list[dict[str, Any]] = []
    for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
        kind = item.get("type", "message")
        if kind == "function_call":
            call = {
                "id": item["call_id"],
                "name": item["name"],
                "arguments": _read(item["arguments"]),
            }
            found.append({"role": "assistant", "content": None, "tool_calls": [call]})
        elif kind == "function_call_output":
            content = _text(item["output"])
            found.append({"role": "tool", "tool_call_id": item["call_id"], "content": content})
        elif kind == "message":
            found.append({"role": item["role"], "content": _text(item["content"])})
    return found


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, Mapping))


def _read(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _items(turn: Mapping[str, Any], serial: str) -> list[ResponseOutputItem]:
    """A turn of the simulated model as output items, each with an id of its own."""
    items: list[ResponseOutputItem] = []
    if turn["content"] is not None or not turn["tool_calls"]:
        text = ResponseOutputText(type="output_text", text=turn["content"] or "", annotations=[])
        items.append(
            ResponseOutputMessage(
                id=f"msg_{serial}",
                type="message",
                role="assistant",
                status="completed",
                content=[text],
            )
        )
    for i, call in enumerate(turn["tool_calls"]):
        arguments = call["arguments"]
        items.append(
            ResponseFunctionToolCall(
                id=f"fc_{serial}_{i}",
                type="function_call",
                call_id=call["id"],
                name=call["name"],
                arguments=arguments if isinstance(arguments, str) else json.dumps(arguments),
            )
        )
    return items
