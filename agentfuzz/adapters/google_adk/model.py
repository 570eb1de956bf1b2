"""Gemini as ADK knows it, whose client asks a world's model.

Law: what ADK does with a request and with a reply, streamed or not, is its own Gemini class's; here
is only what lies behind the client, and that transfers cross the world. Called by the google_adk
adapter.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

from google.adk.models.google_llm import Gemini

from agentfuzz.adapters.google_adk.client import Models
from agentfuzz.adapters.google_adk.handoffs import asks
from agentfuzz.world.world import World


class Faced(Gemini):
    """ADK's Gemini, with something else behind its client."""

    def __init__(self, models: Any) -> None:
        super().__init__(model="gemini-2.5-flash")
        self.__dict__["api_client"] = SimpleNamespace(
            vertexai=False, aio=SimpleNamespace(models=models)
        )


class WorldGemini(Faced):
    """Behind it is a world's model. `agent` is who asks; left out, whoever acts. The transfers of
    who has a name are handoffs of the world."""

    def __init__(self, world: World, agent: str | None = None) -> None:
        _ = world.model  # a scenario without a script says so here
        super().__init__(Models(world, agent))
        self.__dict__["acts_as"], self.__dict__["world"] = agent, world

    async def generate_content_async(
        self, llm_request: Any, stream: bool = False
    ) -> AsyncGenerator[Any, None]:
        """One turn, as ADK asks for it."""
        if self.__dict__["acts_as"] is not None:
            asks(self.__dict__["world"], self.__dict__["acts_as"], llm_request)
        async with aclosing(super().generate_content_async(llm_request, stream)) as answered:
            async for one in answered:
                yield one
