"""The model of a CodeAgent: one that asks `world.model`, and writes its turns as Python.

Law: a turn is the world's, and a block is what it says, no more. Called by the smolagents adapter,
and by agents under test:

    agent = CodeAgent(adapters.smolagents.tools(world), adapters.smolagents.code_model(world))
"""

from typing import Any

from smolagents.models import ChatMessage, MessageRole
from smolagents.monitoring import TokenUsage

from agentfuzz.adapters.smolagents.blocks import plain, written
from agentfuzz.adapters.smolagents.model import AsksWorld
from agentfuzz.world.world import World


class CodeModel(AsksWorld):
    """A model of the framework that asks `world.model`. `typed` is whether its final answer is a
    Completion."""

    def __init__(self, world: World, agent: str | None = None, *, typed: bool = False) -> None:
        super().__init__(world, agent)
        self._typed = typed

    def generate(
        self,
        messages: list[Any],
        stop_sequences: list[str] | None = None,
        response_format: Any = None,
        tools_to_call_from: list[Any] | None = None,
        **kwargs: Any,
    ) -> ChatMessage:
        """One turn. Raises what the model's API raises."""
        turn = self.asked(plain(messages))
        usage = turn.get("usage") or {"input": 0, "output": 0}
        used = TokenUsage(usage["input"], usage["output"])
        return ChatMessage(MessageRole.ASSISTANT, written(turn, self._typed), token_usage=used)
