"""The client behind ADK's Gemini, which asks a world's model.

Law: a reply that is cut off in its stream ends as `model.endings` says. Called by `model`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from google.genai import types

from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.adapters.google_adk.replies import api_error, finish_of, reply
from agentfuzz.adapters.google_adk.requests import FORCED, messages, offer_of, typed
from agentfuzz.core.errors import ModelError
from agentfuzz.model.endings import CLOSED, broken
from agentfuzz.providers.offer import Offer
from agentfuzz.providers.turns import made_id, pieces
from agentfuzz.world.world import World


class Models:
    """What ADK uses of `google.genai.Client().aio.models`."""

    def __init__(self, world: World, agent: str | None) -> None:
        self._world = world
        self._acting = performing(world, agent)
        self._forced = 0

    async def generate_content(self, *, model: str, contents: Any, config: Any) -> Any:
        """One turn. Raises what the client raises."""
        said, offer = messages(contents, config), offer_of(config)
        with self._acting():
            try:
                turn = await self._world.model.aio(said, typed(offer))
            except ModelError as error:
                raise api_error(error) from error
        return reply(self._parts(turn, offer), finish_of(turn), turn)

    async def generate_content_stream(
        self, *, model: str, contents: Any, config: Any
    ) -> AsyncIterator[Any]:
        """One turn, piece by piece."""
        said, offer = messages(contents, config), offer_of(config)
        await asyncio.sleep(0)
        with self._acting():
            try:
                turn = self._world.model.turn(said, typed(offer), stream=True)
            except ModelError as error:
                raise api_error(error) from error
        return self._streamed(turn, offer)

    async def _streamed(self, turn: Mapping[str, Any], offer: Offer) -> AsyncIterator[Any]:
        finish = finish_of(turn)
        for part in self._parts(turn, offer):
            for piece in pieces(part.text) if part.text else (part,):
                yield reply([types.Part(text=piece) if part.text else piece])
                await asyncio.sleep(0)
        if finish is not None:
            yield reply([], finish, turn)
        elif turn.get("ending", CLOSED) != CLOSED:
            raise broken(turn["ending"])

    def _parts(self, turn: Mapping[str, Any], offer: Offer) -> list[Any]:
        """The content of a turn, without calls that are torn; a typed answer is a call of ADK's own
        tool for it."""
        text, calls = turn["content"], turn["tool_calls"]
        made = [
            types.Part(
                function_call=types.FunctionCall(
                    id=one["id"], name=one["name"], args=one["arguments"]
                )
            )
            for one in calls
            if isinstance(one["arguments"], Mapping)
        ]
        if text and not calls and FORCED in (offer.names or ()):
            typed = _object(text)
            if typed is not None:
                self._forced += 1
                id = made_id("call_", self._forced)
                call = types.FunctionCall(id=id, name=FORCED, args=typed)
                return [types.Part(function_call=call)]
        return [types.Part(text=text), *made] if text else made


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
