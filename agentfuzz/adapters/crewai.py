"""CrewAI: a world's tools and model as its own.

Law: crews, tasks, their retries and their guardrails are the framework's, and so is the client of a
provider, behind which the world answers (`agentfuzz.wire`). Called by agents under test:

    clerk = Agent(
        role="clerk", goal="Do it.", backstory="You do what you are told.",
        llm=adapters.crewai.model(world),
        tools=adapters.crewai.tools(world),
    )
    task = Task(description=world.task, expected_output="It is done.", agent=clerk)
    return adapters.crewai.outcome(Crew(agents=[clerk], tasks=[task]).kickoff())

`model` calls tools as OpenAI's do; `react_model(world)` writes its actions into its text, as the
framework has it for models that cannot. Older releases than 1.0 have the second alone. Before the
first run, once in a process: `adapters.crewai.ADAPTER.warm()`.
"""

import os
import tempfile
from collections.abc import Mapping
from typing import Any

from crewai import LLM, Agent, BaseLLM, Crew, CrewOutput, Task
from crewai.tools import BaseTool
from pydantic import PrivateAttr

from agentfuzz.adapters._crewai_text import plain, written
from agentfuzz.adapters.contract.adapter import Adapter, Ended, Setup
from agentfuzz.adapters.contract.bridge import Bridge, performing
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.providers.offer import Offer
from agentfuzz.wire import async_openai_client, openai_client
from agentfuzz.world.world import World

_STORAGE = tempfile.TemporaryDirectory(prefix="crewai-")  # two processes would wait for each other
_QUIET = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TESTING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_STORAGE_DIR": _STORAGE.name,
    "OTEL_SDK_DISABLED": "true",
}
for _name, _value in _QUIET.items():
    os.environ.setdefault(_name, _value)

_WORDS = {
    "role": "clerk",
    "goal": "Do what the task says.",
    "backstory": "You do what you are told.",
}


class CrewAI(Adapter):
    """CrewAI by a crew of one agent and one task: kicked off, awaited, and by text."""

    name = "crewai"
    package = "crewai"
    needs = ">=0.177"
    quiet = _QUIET
    meets = {
        "raised": "told",
        "soft": "told",
        "cancelled": "ended",
        "invalid": "told",
        "unknown": "told",
        "react:raised": "again",
        "react:soft": "again",
    }

    @property
    def entrypoints(self) -> Mapping[str, Any]:
        """The two ways to begin a crew, and a model without calls of its own."""
        return {"kickoff": self._kickoff, "akickoff": self._akickoff, "react": self._react}

    def tool(self, bridge: Bridge) -> BaseTool:
        """A tool of the framework's own class."""
        return WorldTool(bridge)

    def model(self, world: World, *, agent: str | None = None) -> BaseLLM:
        """The framework's LLM for OpenAI, whose client asks the world."""
        made = LLM(model="openai/gpt-4o", api_key="agentfuzz")
        if not hasattr(made, "_async_client"):
            raise AgentfuzzError(
                "crewai: before 1.0 its LLM takes no client; use adapters.crewai.react_model, or "
                "the entrypoint react."
            )
        made._client, made._async_client = openai_client(world), async_openai_client(world)
        return made

    def ended(self, result: Any) -> Ended | None:
        """By its value alone: the framework says of no ending why it ended."""
        if isinstance(result, BaseException):
            return None
        if isinstance(result, CrewOutput):
            return Ended(result.pydantic or result.raw)
        return Ended(result)

    def warm(self) -> None:
        """A crew that does nothing: the framework's event bus has a loop in a thread of its own,
        which begins with the first one."""
        _crew(Idle(model="idle"), [], "Say ok.", {}).kickoff()

    def _kickoff(self, setup: Setup) -> CrewOutput:
        return self._made(setup, self.model(setup.world)).kickoff()

    async def _akickoff(self, setup: Setup) -> CrewOutput:
        return await self._made(setup, self.model(setup.world)).akickoff()

    def _react(self, setup: Setup) -> CrewOutput:
        return self._made(setup, react_model(setup.world)).kickoff()

    def _made(self, setup: Setup, llm: BaseLLM) -> Crew:
        return _crew(llm, self.offered(setup), setup.world.task, dict(setup.options))


def _crew(llm: BaseLLM, tools: list[Any], task: str, options: dict[str, Any]) -> Crew:
    """A crew of one; an option is the task's, the agent's or the crew's, whose word it is."""
    each: tuple[dict[str, Any], ...] = ({}, {}, {})
    for name, value in options.items():
        kinds = [name in kind.model_fields for kind in (Task, Agent)]
        each[kinds.index(True) if True in kinds else 2][name] = value
    of_task, of_agent, of_crew = each
    agent = Agent(**{**_WORDS, "llm": llm, "tools": tools, "verbose": False, **of_agent})
    made = {"description": task, "expected_output": "What was done.", "agent": agent, **of_task}
    return Crew(agents=[agent], tasks=[Task(**made)], **{"verbose": False, **of_crew})


def react_model(world: World, *, agent: str | None = None) -> BaseLLM:
    """The world's model as one that writes its actions into its text."""
    made = ReactLLM(model="agentfuzz")
    made._ask, made._acting = world.model, performing(world, agent)
    return made


class Idle(BaseLLM):
    """A model that is done."""

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        """One turn."""
        return written({"content": "ok", "tool_calls": ()})

    def supports_function_calling(self) -> bool:
        """It writes text."""
        return False

    def supports_stop_words(self) -> bool:
        """It stops where its turn ends."""
        return False

    def get_context_window_size(self) -> int:
        """Tokens enough for any test."""
        return 1_000_000


class ReactLLM(Idle):
    """A model that asks `world.model`, one action at a time."""

    _ask: Any = PrivateAttr(default=None)
    _acting: Any = PrivateAttr(default=None)

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        """One turn. Raises what the model's API raises."""
        with self._acting():
            return written(self._ask(plain(messages), Offer(most_calls=1)))

    async def acall(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        """The same for an async crew."""
        with self._acting():
            return written(await self._ask.aio(plain(messages), Offer(most_calls=1)))


class WorldTool(BaseTool):
    """A tool of the framework that calls one of the world's, without knowing the id of the call."""

    _bridge: Bridge = PrivateAttr()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(
            name=bridge.name, description=bridge.description, args_schema=bridge.args_model
        )
        self._bridge = bridge

    def _run(self, **arguments: Any) -> str:
        return self._bridge.call(self._given(arguments))

    async def _arun(self, **arguments: Any) -> str:
        return await self._bridge.acall(self._given(arguments))

    def _given(self, arguments: dict[str, Any]) -> dict[str, Any]:
        needed = self._bridge.schema.get("required", ())
        return {
            name: each for name, each in arguments.items() if each is not None or name in needed
        }


ADAPTER = CrewAI()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
