"""The world's model as a model of the OpenAI Agents SDK, without a protocol between.

Law: items are handed over as the SDK has them; a reply that was cut off at the token limit is what
the SDK's own models make of one. Called by `model`.
"""

from collections.abc import AsyncIterator
from typing import Any

from agents import Model, ModelBehaviorError, ModelResponse, Usage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseIncompleteEvent,
    ResponseUsage,
)
from openai.types.responses.response import IncompleteDetails

from agentfuzz.adapters.contract import Asking
from agentfuzz.adapters.openai_agents.items import items, plain
from agentfuzz.adapters.openai_agents.offers import offer_of


class NativeModel(Model):
    """A model of the SDK that asks `world.model`."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

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
        turn = await self._asking.aturn(plain(input), offer)
        if turn["stop"] == "length":
            raise ModelBehaviorError("the reply was cut off at the token limit")
        return ModelResponse(output=items(turn), usage=_usage(turn), response_id=None)

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
        turn = await self._asking.aturn(plain(input), offer)
        cut, used = turn["stop"] == "length", _usage(turn)
        response = Response(
            id=f"resp_{turn['serial']}",
            created_at=0,
            model="agentfuzz",
            object="response",
            output=items(turn),
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


def _usage(turn: dict[str, Any]) -> Usage:
    used = turn["usage"]
    return Usage(
        requests=1,
        input_tokens=used["input"],
        output_tokens=used["output"],
        total_tokens=used["total"],
    )
