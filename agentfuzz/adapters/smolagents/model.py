"""The model of a ToolCallingAgent: one that asks `world.model`.

Law: a turn is the world's, and whether it is asked for again after a 429 the framework's; its text
and its calls are handed on as the framework has them, whole or in pieces. Called by the smolagents
adapter.
"""

import json
from collections.abc import Iterator
from typing import Any

from smolagents.models import (
    ApiModel,
    ChatMessage,
    ChatMessageStreamDelta,
    ChatMessageToolCall,
    ChatMessageToolCallFunction,
    ChatMessageToolCallStreamDelta,
    MessageRole,
)
from smolagents.monitoring import TokenUsage

from agentfuzz.adapters.contract.bridge import performing, turns
from agentfuzz.adapters.smolagents.turns import calls_of, offer_of
from agentfuzz.adapters.smolagents.words import plain
from agentfuzz.world.world import World


class AsksWorld(ApiModel):
    """A model of the framework's kind for an API, which is the world's."""

    def __init__(self, world: World, agent: str | None = None) -> None:
        super().__init__(model_id="agentfuzz", client=world.model)
        self._world = world
        self._acting = performing(world, agent)

    def asked(self, *said: Any) -> Any:
        """One turn, after as many requests as the framework makes (older releases: one)."""
        retryer = getattr(self, "retryer", None)
        with self._acting():
            return self.client(*said) if retryer is None else retryer(self.client, *said)


class SimulatedModel(AsksWorld):
    """A model of the framework that asks `world.model`."""

    def generate(
        self,
        messages: list[Any],
        stop_sequences: list[str] | None = None,
        response_format: Any = None,
        tools_to_call_from: list[Any] | None = None,
        **kwargs: Any,
    ) -> ChatMessage:
        """One turn. Raises what the model's API raises."""
        text, calls, used = self._turn(messages, tools_to_call_from)
        made = [ChatMessageToolCall(function, id, "function") for id, function in calls]
        return ChatMessage(MessageRole.ASSISTANT, text, made or None, token_usage=TokenUsage(*used))

    def generate_stream(
        self,
        messages: list[Any],
        stop_sequences: list[str] | None = None,
        response_format: Any = None,
        tools_to_call_from: list[Any] | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatMessageStreamDelta]:
        """One turn, as a piece for its text and one for each of its calls."""
        text, calls, used = self._turn(messages, tools_to_call_from)
        yield ChatMessageStreamDelta(text, token_usage=TokenUsage(*used))
        for i, (id, function) in enumerate(calls):
            if not isinstance(function.arguments, str):
                function.arguments = json.dumps(function.arguments)
            yield ChatMessageStreamDelta(
                tool_calls=[ChatMessageToolCallStreamDelta(i, id, "function", function)]
            )

    def _turn(
        self, messages: list[Any], tools: list[Any] | None
    ) -> tuple[str | None, list[tuple[str, ChatMessageToolCallFunction]], tuple[int, int]]:
        turn = self.asked(plain(messages), offer_of(tools))
        calls = [
            (id or f"final_{turns(self._world)}", ChatMessageToolCallFunction(arguments, name))
            for id, name, arguments in calls_of(turn, tools)
        ]
        closes = bool(calls) and not turn["tool_calls"]
        text = None if closes else turn["content"]
        usage = turn.get("usage") or {"input": 0, "output": 0}
        return (text or "" if not calls else text), calls, (usage["input"], usage["output"])
