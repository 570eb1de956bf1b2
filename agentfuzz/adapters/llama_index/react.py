"""The model of a ReActAgent: it writes its actions and its answer into its text.

Law: a request without tools is one of ReAct, which offers them in words; any other goes the usual
way, as that for a typed output does. Called by the llama_index adapter, and by agents under test:

    agent = ReActAgent(
        llm=adapters.llama_index.react_model(world), tools=adapters.llama_index.tools(world)
    )
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from llama_index.core.llms import ChatMessage, ChatResponse
from llama_index.llms.openai_like import OpenAILike
from pydantic import PrivateAttr

from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.adapters.llama_index.model import model_of
from agentfuzz.adapters.llama_index.text import offer_of, plain, written
from agentfuzz.world.world import World


class ReactLLM(OpenAILike):
    """LlamaIndex's model, which asks `world.model` for one action at a time."""

    _ask: Any = PrivateAttr(default=None)
    _acting: Any = PrivateAttr(default=None)

    async def achat(self, messages: Sequence[Any], **words: Any) -> Any:
        """One turn. Raises what the model's API raises."""
        if "tools" in words or "response_format" in words:
            return await super().achat(messages, **words)
        text = await self._turn(messages)
        return ChatResponse(message=ChatMessage(role="assistant", content=text))

    async def astream_chat(self, messages: Sequence[Any], **words: Any) -> Any:
        """The same, as a stream of one piece."""
        if "tools" in words or "response_format" in words:
            return await super().astream_chat(messages, **words)
        text = await self._turn(messages)

        async def pieces() -> AsyncIterator[ChatResponse]:
            said = ChatMessage(role="assistant", content=text)
            yield ChatResponse(message=said, delta=text)

        return pieces()

    async def _turn(self, messages: Sequence[Any]) -> str:
        said = [(str(one.role.value), str(one.content or "")) for one in messages]
        with self._acting():
            return written(await self._ask.aio(plain(said), offer_of(said)))


def react_model(world: World, *, agent: str | None = None, **options: Any) -> ReactLLM:
    """The model of a ReActAgent; `options` are LlamaIndex's own."""
    made = model_of(world, agent, options, ReactLLM)
    assert isinstance(made, ReactLLM)
    made._ask, made._acting = world.model, performing(world, agent)
    return made
