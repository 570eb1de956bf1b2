"""smolagents: a world's tools and model as its own.

Law: the steps, the memory and the error handling are the framework's; this file only puts messages
into other words (see `_smolagents_words`). A closing in words is a call of `final_answer`, as the
framework ends by one. Called by agents under test:

    agent = ToolCallingAgent(
        tools=adapters.smolagents.tools(world),
        model=adapters.smolagents.model(world),
        return_full_result=True,
        verbosity_level=LogLevel.OFF,
    )
    return adapters.smolagents.outcome(agent.run(world.task))

A managed agent is a tool of the agent that has it in `managed_agents`, with a conversation of its
own: give it `model(world, agent="name")`. The framework is sync; the calls of one turn run in a
pool of threads, which is ordered as all are.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from smolagents import LogLevel, Tool, ToolCallingAgent
from smolagents.agents import FinalAnswerStep, RunResult
from smolagents.memory import AgentMemory
from smolagents.models import (
    ChatMessage,
    ChatMessageStreamDelta,
    ChatMessageToolCall,
    ChatMessageToolCallFunction,
    ChatMessageToolCallStreamDelta,
    MessageRole,
    Model,
)
from smolagents.monitoring import TokenUsage
from smolagents.utils import AgentMaxStepsError

from agentfuzz.adapters._smolagents_words import FINAL, calls_of, offer_of, plain
from agentfuzz.adapters.contract.adapter import Adapter, Ended, Limit, Setup
from agentfuzz.adapters.contract.bridge import Bridge, performing, turns
from agentfuzz.core.completion import Completion
from agentfuzz.world.world import World

_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")


def _input(kind: Any, description: str, required: bool) -> dict[str, Any]:
    made = {"type": kind if kind in _TYPES else "any", "description": description}
    return made if required else {**made, "nullable": True}


class Smolagents(Adapter):
    """smolagents by its ToolCallingAgent, `run` plain and streamed."""

    name = "smolagents"
    package = "smolagents"
    needs = ">=1.19"
    limits = {"max_steps": Limit("turns", 20)}
    meets = {
        "raised": "told",
        "soft": "told",
        "cancelled": "ended",
        "invalid": "told",
        "unknown": "told",
    }
    sessions = typed = True

    @property
    def entrypoints(self) -> Mapping[str, Any]:
        """`run`, and the same with everything streamed."""
        return {"run": self._run, "stream": self._stream}

    def tool(self, bridge: Bridge) -> Tool:
        """A tool of the framework's own class."""
        return WorldTool(bridge)

    def model(self, world: World, *, agent: str | None = None) -> Model:
        """The simulated model as a Model."""
        return SimulatedModel(world, agent)

    def ended(self, result: Any) -> Ended | None:
        """By the state of a RunResult; a plain value says no more than itself."""
        if isinstance(result, RunResult):
            return Ended(result.output, "limit" if result.state != "success" else "completed")
        if isinstance(result, BaseException):
            return None
        return result if isinstance(result, Ended) else Ended(result)

    def session(self, world: World) -> AgentMemory:
        """The memory of an agent that goes on (`reset=False`)."""
        return Memory(world)

    def _run(self, setup: Setup) -> RunResult:
        result: RunResult = self._agent(setup).run(setup.world.task, reset=setup.session is None)
        return result

    def _stream(self, setup: Setup) -> Ended:
        agent = self._agent(setup, stream_outputs=True)
        *_, last = agent.run(setup.world.task, stream=True, reset=setup.session is None)
        assert isinstance(last, FinalAnswerStep)  # what ends every stream that does not raise
        error = getattr(agent.memory.steps[-1], "error", None)
        limit = isinstance(error, AgentMaxStepsError)
        return Ended(last.output, "limit" if limit else "completed")

    def _agent(self, setup: Setup, **words: Any) -> ToolCallingAgent:
        tools = self.offered(setup) + ([TypedAnswer()] if setup.typed else [])
        words = {"verbosity_level": LogLevel.OFF, **words, **setup.options}
        model = self.model(setup.world)
        agent = ToolCallingAgent(tools, model, return_full_result=True, **words)
        agent.logger.console.quiet = True  # a stream is drawn whatever the level
        if setup.session is not None:
            setup.session.goes_on(setup.world)
            agent.memory = setup.session
        return agent


class SimulatedModel(Model):
    """A model of the framework that asks `world.model`."""

    def __init__(self, world: World, agent: str | None = None) -> None:
        super().__init__(model_id="agentfuzz")
        self._world = world
        self._acting = performing(world, agent)
        self._ask = world.model

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
        with self._acting():
            turn = self._ask(plain(messages), offer_of(tools))
        calls = [
            (id or f"final_{turns(self._world)}", ChatMessageToolCallFunction(arguments, name))
            for id, name, arguments in calls_of(turn, tools)
        ]
        closes = bool(calls) and not turn["tool_calls"]
        text = None if closes else turn["content"]
        usage = turn.get("usage") or {"input": 0, "output": 0}
        return (text or "" if not calls else text), calls, (usage["input"], usage["output"])


class WorldTool(Tool):
    """A tool of the framework that calls one of the world's."""

    skip_forward_signature_validation = True
    output_type = "string"

    def __init__(self, bridge: Bridge) -> None:
        self.name, self.description = bridge.name, bridge.description
        required = bridge.schema.get("required", ())
        self.inputs = {
            name: _input(part.get("type"), part.get("description", name), name in required)
            for name, part in bridge.inputs.items()
        }
        self._bridge = bridge
        super().__init__()

    def forward(self, **arguments: Any) -> str:
        """One call, of which the framework does not tell the id."""
        return self._bridge.call(arguments)


class TypedAnswer(Tool):
    """The tool that ends a task, with a Completion as its arguments."""

    name, description, output_type = FINAL, "How the task ended.", "any"
    skip_forward_signature_validation = True
    inputs = {
        "status": _input("string", "how", True),
        "reason": _input("string", "why", False),
        "handle": _input("string", "what a caller can go on with", False),
        "detail": _input("string", "in words", False),
    }

    def forward(self, **arguments: Any) -> Completion:
        """The Completion. Raises ValidationError."""
        return Completion(**{name: value for name, value in arguments.items() if value is not None})


class Memory(AgentMemory):
    """The memory of an agent, in which each step is a save of the world."""

    def __init__(self, world: World) -> None:
        super().__init__("")
        self.steps = _Steps()
        self.goes_on(world)

    def goes_on(self, world: World) -> None:
        """It goes on in this leg."""
        self.steps.world = world


class _Steps(list[Any]):
    world: World

    def append(self, step: Any) -> None:
        with self.world.saving("memory"):
            super().append(step)


ADAPTER = Smolagents()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
