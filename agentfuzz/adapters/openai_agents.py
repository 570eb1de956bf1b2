"""The OpenAI Agents SDK: a world's tools and model as the SDK's own.

Law: the runner and its error handling are the SDK's; this file only puts items into other words.
Works with `Runner.run`, `Runner.run_streamed` and `Runner.run_sync`. Called by agents under test:

    agent = Agent(
        name="billing",
        model=adapters.openai_agents.model(world),
        tools=adapters.openai_agents.tools(world),
    )
    return adapters.openai_agents.outcome(await Runner.run(agent, world.task))

Of several agents each says who it is, and hands over with `handoff`:

    billing = Agent(name="billing", model=model(world, agent="billing"), ...)
    triage = Agent(name="triage", model=model(world, agent="triage"), handoffs=[
        handoff(world, billing)])

Naming the model switches the SDK's tracing off, in this process: its exporter wants the network.
"""

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

from agents import (
    Agent,
    FunctionTool,
    Handoff,
    Model,
    ModelBehaviorError,
    ModelResponse,
    ModelSettings,
    Tool,
    Usage,
    set_tracing_disabled,
)
from agents.agent_output import AgentOutputSchemaBase
from agents.tool import with_function_tool_failure_error_handler
from agents.tool_context import ToolContext
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseOutputItem,
    ResponseStreamEvent,
    ResponseUsage,
)

from agentfuzz.adapters._openai_handoffs import handoff as crossing
from agentfuzz.adapters._openai_items import items, plain
from agentfuzz.adapters._openai_offer import offer_of
from agentfuzz.adapters.contract.bridge import Bridge, Key, bridges, completion, performing, turns
from agentfuzz.core.completion import Completion
from agentfuzz.providers.offer import Offer
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.world import World


def model(world: World, *, agent: str | None = None) -> Model:
    """The world's simulated model as a model of the SDK, asked by this agent (left out: by whoever
    acts). Raises ScenarioError without a script."""
    set_tracing_disabled(True)
    return SimulatedModel(world, agent)


def tools(world: World, *, key: Key = None, agent: str | None = None) -> list[Tool]:
    """The world's tools as function tools that fail as `@function_tool` fails by default. `key`
    says where the idempotency key of a tool with `dedup="key"` comes from: the model (None),
    `"call_id"`, or a function of (tool, arguments, call_id). `agent` is who calls them (left out:
    whoever acts)."""
    return [_function_tool(bridge) for bridge in bridges(world, key, agent)]


def handoff(
    world: World, agent: Agent[Any], *, carry: Iterable[str] = (), **options: Any
) -> Handoff[Any, Agent[Any]]:
    """The SDK's `agents.handoff(agent, **options)`, as a handoff of this world: it may get lost
    (TimeoutError), take control to another of the agents that this function was given, or arrive
    spoilt: the typed input, or, without an `input_type`, what has been said. `carry` names the
    fields of the typed input that must arrive as they are. Raises ScenarioError for an agent whose
    model says no name."""
    return crossing(world, agent, carry, options)


def outcome(result: Any) -> Completion | None:
    """The Completion that a run ended with (`output_type=Completion`); None for prose."""
    return completion(getattr(result, "final_output", result))


class SimulatedModel(Model):
    """A model of the SDK that asks `world.model`."""

    def __init__(self, world: World, agent: str | None = None) -> None:
        self.agent = agent
        self._world = world
        self._acting = performing(world, agent)
        self._ask = world.model
        self._turns = 0

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[Any],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        """One turn. It has no response id: this model keeps no conversation on a server."""
        offer = offer_of(model_settings, tools, output_schema, handoffs)
        output, _, used = await self._turn(input, offer)
        return ModelResponse(output=output, usage=used, response_id=None)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[Any],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[ResponseStreamEvent]:
        """One turn, as the one event that the runner needs."""
        offer = offer_of(model_settings, tools, output_schema, handoffs)
        output, serial, used = await self._turn(input, offer)
        response = Response(
            id=f"resp_{serial}",
            created_at=0,
            model="agentfuzz",
            object="response",
            output=output,
            parallel_tool_calls=True,
            tool_choice="auto",
            tools=[],
            usage=ResponseUsage(
                input_tokens=used.input_tokens,
                output_tokens=used.output_tokens,
                total_tokens=used.total_tokens,
                input_tokens_details=used.input_tokens_details,
                output_tokens_details=used.output_tokens_details,
            ),
        )
        yield ResponseCompletedEvent(
            type="response.completed", response=response, sequence_number=0
        )

    async def _turn(
        self, input: str | list[Any], offer: Offer
    ) -> tuple[list[ResponseOutputItem], str, Usage]:
        """The output items of the next turn, what makes their ids its own, and the usage."""
        said = plain(input)
        with self._acting():
            turn = await self._ask.aio(said, offer)
        if self.agent is not None:
            asking = team_of(self._world).asking
            asking.update((call["name"], (self.agent, said)) for call in turn["tool_calls"])
        self._turns += 1
        serial = f"{turns(self._world)}_{self._turns}"
        tokens = turn.get("usage") or {"input": 0, "output": 0}
        used = Usage(
            requests=1,
            input_tokens=tokens["input"],
            output_tokens=tokens["output"],
            total_tokens=sum(tokens.values()),
        )
        return items(turn, serial), serial, used


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
