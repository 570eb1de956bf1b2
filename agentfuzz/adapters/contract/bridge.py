"""What all adapters share: how a framework's call of a tool becomes a call in the world.

Law: the arguments pass as the model sent them; only the idempotency key may be the loop's own. A
call of which the framework does not tell the id is the oldest one that the model asked for and that
nobody has made, of those with these arguments first. Called by the adapters.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, create_model

from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import AgentfuzzError, InvalidArguments, ScenarioError
from agentfuzz.core.events import Called, Json, ModelTurn
from agentfuzz.world.acting import named
from agentfuzz.world.reply_faults import as_text
from agentfuzz.world.toolbox import DONE
from agentfuzz.world.tools import KEY
from agentfuzz.world.world import World

TYPES: dict[Any, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}

# How a loop mints the idempotency key of a call: not at all (whatever the model sends), the id
# of the tool call, or a function of (tool, arguments, call id).
Key = Literal["call_id"] | Callable[[str, Mapping[str, Any], str], str] | None


class Bridge:
    """One tool of a world, seen from a framework: its `name`, `description` and `schema`. `failing`
    makes what the framework meets of a tool's failure, `invalid` of arguments that do not fit;
    left as they are, it meets what the tool raises."""

    failing: Callable[[Exception], BaseException] | None = None
    invalid: Callable[[InvalidArguments], BaseException] | None = None

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

    @property
    def inputs(self) -> dict[str, Any]:
        """The parameters by name, each with its JSON schema."""
        return dict(self.schema["properties"])

    @property
    def args_model(self) -> type[BaseModel]:
        """The parameters as a pydantic model, for frameworks that want one."""
        required = self.schema.get("required", ())
        fields: dict[str, Any] = {
            name: (TYPES.get(part.get("type"), Any), ... if name in required else None)
            for name, part in self.inputs.items()
        }
        return create_model(self.name, **fields)

    def sent(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What the model sent, of arguments that a framework has filled up with None."""
        needed = self.schema.get("required", ())
        return {n: each for n, each in arguments.items() if each is not None or n in needed}

    def call(self, arguments: Mapping[str, Any], call_id: str | None = None) -> str:
        """The reply as a text for the model. Raises what the tool raises, and ScenarioError for an
        async tool."""
        if self.is_async:
            raise ScenarioError(f"{self.name} is async and this loop is not: use an async one.")
        with self._acting():
            if self.name == DONE:
                return as_text(self._world.tools[DONE](**arguments))
            call_id = call_id or asked_for(self._world, self.name, arguments)
            given = self._arguments(arguments, call_id)
            try:
                return as_text(self._world.call(self.name, given, asked=call_id))
            except Exception as error:
                met = self._met(error)
                if met is error:
                    raise
                raise met from error

    async def acall(self, arguments: Mapping[str, Any], call_id: str | None = None) -> str:
        """The same for an async loop."""
        if self.name == DONE:
            return self.call(arguments, call_id)
        with self._acting():
            call_id = call_id or asked_for(self._world, self.name, arguments)
            given = self._arguments(arguments, call_id)
            try:
                return as_text(await self._world.acall(self.name, given, asked=call_id))
            except Exception as error:
                met = self._met(error)
                if met is error:
                    raise
                raise met from error

    def _met(self, error: Exception) -> BaseException:
        if isinstance(error, AgentfuzzError):
            return error
        if isinstance(error, InvalidArguments):
            return self.invalid(error) if self.invalid is not None else error
        return self.failing(error) if self.failing is not None else error

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


def asked_for(world: World, tool: str, arguments: Mapping[str, Any]) -> str | None:
    """The id under which the model asked for a call that is made now, where the framework does not
    tell it: of the last turn that asked for this tool, the oldest one that nobody has made, of
    those with these arguments first; else, of those made already, the one with these arguments,
    which is being made again."""
    made = set[str | None]()
    for event in reversed(world.gateway.log):
        if type(event) is Called:
            made.add(event.asked)
        elif type(event) is ModelTurn:
            calls = [(given == arguments, id) for id, name, given in event.calls if name == tool]
            if calls:
                waiting = [call for call in calls if call[1] not in made]
                same, id = max(waiting or calls, key=lambda call: call[0])
                return id if waiting or same else None
    return None


def turns(world: World) -> int:
    """How many turns the model has had in this run: what makes the ids of its messages their own,
    and tells the agent nothing that it has not seen."""
    return sum(type(event) is ModelTurn for event in world.gateway.log)


def completion(value: Any) -> Completion | None:
    """The value itself if it is a completion event, None for anything else."""
    return value if isinstance(value, Completion) else None
