"""The world's model as a model of the OpenAI Agents SDK: native, or over a client of the wire.

Law: over the wire the classes are the SDK's own, and the client OpenAI's own, with the world behind
its HTTP library. Called by the openai_agents adapter.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from agents import Model, OpenAIChatCompletionsModel, OpenAIResponsesModel, set_tracing_disabled
from openai.types.responses import ResponseCompletedEvent

from agentfuzz.adapters.contract import Asking
from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.adapters.openai_agents.items import plain
from agentfuzz.adapters.openai_agents.native import NativeModel
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.wire import async_openai_client
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.world import World

APIS = ("native", "chat", "responses")
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


class Native(Asked, NativeModel):
    """The native model."""


class Chat(Asked, OpenAIChatCompletionsModel):
    """The SDK's model of Chat Completions."""


class Responses(Asked, OpenAIResponsesModel):
    """The SDK's model of the Responses API."""


def model_of(world: World, agent: str | None, api: str, client: Mapping[str, Any]) -> Model:
    """The model of an API, asked by this agent; `client` are the words of its client. Raises
    ScenarioError without a script, and AgentfuzzError for another API."""
    set_tracing_disabled(True)
    if api not in APIS or (api == "native" and client):
        raise AgentfuzzError(
            f"openai_agents.model(api={api!r}): there is {', '.join(APIS)}, and only the last "
            "two have a client whose words could be given."
        )
    made: Native | Chat | Responses
    if api == "native":
        made = Native(Asking(world))
    else:
        spoken = async_openai_client(world, **{"base_url": OPENAI, **client})
        made = (Chat if api == "chat" else Responses)(model="agentfuzz", openai_client=spoken)
    made.of(world, agent)
    return made
