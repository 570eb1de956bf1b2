"""What all adapters share: how a framework's call of a tool becomes a call in the world.

Law: the arguments pass as the model sent them; only the idempotency key may be the loop's own.
Called by the adapters.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Literal

from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Json, ModelTurn
from agentfuzz.world.acting import named
from agentfuzz.world.reply_faults import as_text
from agentfuzz.world.toolbox import DONE
from agentfuzz.world.tools import KEY
from agentfuzz.world.world import World

# How a loop mints the idempotency key of a call: not at all (whatever the model sends), the id
# of the tool call, or a function of (tool, arguments, call id).
Key = Literal["call_id"] | Callable[[str, Mapping[str, Any], str], str] | None


class Bridge:
    """One tool of a world, seen from a framework."""

    def __init__(self, world: World, name: str, key: Key, agent: str | None = None) -> None:
        if isinstance(key, str) and key != "call_id":
            raise ScenarioError(
                f'tools(world, key={key!r}): say "call_id", or give a function of (tool, '
                "arguments, call_id); left out, the model's own argument is the key."
            )
        self.name = name
        self.description = world.tools[name].description or name
        self._world = world
        self._acting = performing(world, agent)
        self._mint = key if name != DONE and world.gateway.specs[name].dedup == "key" else None

    @property
    def is_async(self) -> bool:
        """Whether the tool's own function is a coroutine function."""
        return self._world.tools[self.name].is_async

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON schema that the model is shown: no key where the loop mints it."""
        schema: dict[str, Any] = dict(self._world.tools[self.name].schema)
        if self._mint is not None:
            shown = {name: part for name, part in schema["properties"].items() if name != KEY}
            schema["properties"] = shown
            if KEY in schema.get("required", ()):
                schema["required"] = [name for name in schema["required"] if name != KEY]
        return schema

    def call(self, arguments: Mapping[str, Any], call_id: str | None) -> str:
        """The reply as a text for the model. Raises what the tool raises."""
        with self._acting():
            if self.name == DONE:
                return as_text(self._world.tools[DONE](**arguments))
            given = self._arguments(arguments, call_id)
            return as_text(self._world.call(self.name, given, asked=call_id))

    async def acall(self, arguments: Mapping[str, Any], call_id: str | None) -> str:
        """The same for an async loop."""
        if self.name == DONE:
            return self.call(arguments, call_id)
        given = self._arguments(arguments, call_id)
        with self._acting():
            return as_text(await self._world.acall(self.name, given, asked=call_id))

    def _arguments(self, arguments: Mapping[str, Any], call_id: str | None) -> Mapping[str, Any]:
        mint = self._mint
        if mint is None:
            return arguments
        own = {name: value for name, value in arguments.items() if name != KEY}
        key = call_id if mint == "call_id" else mint(self.name, own, call_id or "")
        return {**own, KEY: key}


def bridges(world: World, key: Key, agent: str | None = None) -> list[Bridge]:
    """Every tool that the world offers, in the hands of an agent."""
    return [Bridge(world, name, key, agent) for name in world.tools]


def performing(world: World, agent: str | None) -> Callable[[], AbstractContextManager[None]]:
    """What to enter to act as this agent; without a name, as whoever acts already."""
    if agent is None:
        return nullcontext
    world.acting(agent)  # a wrong name says so now
    return partial(named, agent)


def turns(world: World) -> int:
    """How many turns the model has had in this run: what makes the ids of its messages their own,
    and tells the agent nothing that it has not seen."""
    return sum(type(event) is ModelTurn for event in world.gateway.log)


def completion(value: Any) -> Completion | None:
    """The value itself if it is a completion event, None for anything else."""
    return value if isinstance(value, Completion) else None
