"""The world's model as a model of the OpenAI Agents SDK: native, or over a client of the wire.

Law: the native one hands items over without a protocol between; a reply that was cut off at the
token limit is what the SDK's own models make of one. Over the wire the classes are the SDK's own,
and the client OpenAI's own, with the world behind its HTTP library. Called by the openai_agents
adapter.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from agents import (
    Model,
    ModelBehaviorError,
    ModelResponse,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Usage,
)
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseIncompleteEvent,
    ResponseUsage,
)
from openai.types.responses.response import IncompleteDetails

from agentfuzz.adapters._openai_items import items, plain
from agentfuzz.adapters._openai_offer import offer_of
from agentfuzz.adapters.contract.bridge import performing, turns
from agentfuzz.wire import async_openai_client
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.world import World

OPENAI = "https://api.openai.com/v1"  # to which the SDK's models speak by default


class Asked:
    """Who asks: a base of models that ask as an agent of the world."""

    agent: str | None

    def of(self, world: World, agent: str | None) -> None:
        """The model belongs to this agent (None: to whoever acts)."""
        self.agent = agent
        self._world = world
        self._acting = performing(world, agent)

    async def get_response(
        self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """One turn."""
        ask: Any = super()
        with self._acting():
            found = await ask.get_response(system_instructions, input, *args, **kwargs)
        self._asks(input, found.output)
        return found

    async def stream_response(
        self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """One turn, by its events."""
        ask: Any = super()
        async with aclosing(
            ask.stream_response(system_instructions, input, *args, **kwargs)
        ) as stream:
            while True:
                with self._acting():
                    event = await anext(stream, None)
                if event is None:
                    return
                if isinstance(event, ResponseCompletedEvent):
                    self._asks(input, event.response.output)
                yield event

    def _asks(self, input: Any, output: Sequence[Any]) -> None:
        """Remember what this agent had been shown when it asked for a handoff."""
        if self.agent is not None:
            said = plain(input)
            names = [one.name for one in output if one.type == "function_call"]
            team_of(self._world).asking.update((name, (self.agent, said)) for name in names)


class _Native(Model):
    """A model of the SDK that asks `world.model`."""

    _ask: Any
    _world: World
    _turns = 0

    async def get_response(
        self,
        system_instructions: str | None,
        input: Any,
        model_settings: Any,
        tools: Any,
        output_schema: Any,
        handoffs: Any,
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        """One turn. It has no response id: this model keeps no conversation on a server. Raises
        ModelBehaviorError for one that was cut off at the token limit."""
        offer = offer_of(model_settings, tools, output_schema, handoffs)
        turn, _ = await self._turn(input, offer)
        if turn["stop"] == "length":
            raise ModelBehaviorError("the reply was cut off at the token limit")
        return ModelResponse(output=turn["items"], usage=_usage(turn), response_id=None)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: Any,
        model_settings: Any,
        tools: Any,
        output_schema: Any,
        handoffs: Any,
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """One turn, as the one event that the runner needs."""
        offer = offer_of(model_settings, tools, output_schema, handoffs)
        turn, serial = await self._turn(input, offer)
        cut, used = turn["stop"] == "length", _usage(turn)
        response = Response(
            id=f"resp_{serial}",
            created_at=0,
            model="agentfuzz",
            object="response",
            output=turn["items"],
            parallel_tool_calls=True,
            tool_choice="auto",
            tools=[],
            status="incomplete" if cut else "completed",
            incomplete_details=IncompleteDetails(reason="max_output_tokens") if cut else None,
            usage=ResponseUsage(
                input_tokens=used.input_tokens,
                output_tokens=used.output_tokens,
                total_tokens=used.total_tokens,
                input_tokens_details=used.input_tokens_details,
                output_tokens_details=used.output_tokens_details,
            ),
        )
        if cut:
            yield ResponseIncompleteEvent(
                type="response.incomplete", response=response, sequence_number=0
            )
        else:
            yield ResponseCompletedEvent(
                type="response.completed", response=response, sequence_number=0
            )

    async def _turn(self, input: Any, offer: Any) -> tuple[dict[str, Any], str]:
        """The next turn with its output items, and what makes their ids its own."""
        turn: dict[str, Any] = await self._ask.aio(plain(input), offer)
        self._turns += 1
        serial = f"{turns(self._world)}_{self._turns}"
        return {**turn, "items": items(turn, serial)}, serial


class Native(Asked, _Native):
    """The native model."""


class Chat(Asked, OpenAIChatCompletionsModel):
    """The SDK's model of Chat Completions."""


class Responses(Asked, OpenAIResponsesModel):
    """The SDK's model of the Responses API."""


def native(world: World, agent: str | None) -> Native:
    """Raises ScenarioError without a script."""
    made = Native()
    made.of(world, agent)
    made._ask = world.model
    return made


def wired(world: World, agent: str | None, api: str, client: dict[str, Any]) -> Chat | Responses:
    """The model of an API of OpenAI's: `client` are the words of its client."""
    kind = Chat if api == "chat" else Responses
    spoken = async_openai_client(world, **{"base_url": OPENAI, **client})
    made = kind(model="agentfuzz", openai_client=spoken)
    made.of(world, agent)
    return made


def _usage(turn: dict[str, Any]) -> Usage:
    tokens = turn.get("usage") or {"input": 0, "output": 0}
    return Usage(
        requests=1,
        input_tokens=tokens["input"],
        output_tokens=tokens["output"],
        total_tokens=sum(tokens.values()),
    )
