"""smolagents' agents in a world: calls of tools, plain and streamed, and code.

Law: an agent is built as its users build it, with the world's tools and model. Called by the table
of contents of this room.
"""

from collections.abc import Mapping
from typing import Any

from smolagents import CodeAgent, LogLevel, Tool, ToolCallingAgent
from smolagents.agents import FinalAnswerStep, RunResult
from smolagents.memory import AgentMemory
from smolagents.models import Model
from smolagents.utils import AgentMaxStepsError

from agentfuzz.adapters.contract.adapter import Adapter, Ended, Limit, Setup
from agentfuzz.adapters.contract.bridge import Bridge
from agentfuzz.adapters.smolagents.code import CodeModel
from agentfuzz.adapters.smolagents.memory import Memory
from agentfuzz.adapters.smolagents.model import SimulatedModel
from agentfuzz.adapters.smolagents.tools import TypedAnswer, WorldTool
from agentfuzz.world.world import World


class Smolagents(Adapter):
    """smolagents by its ToolCallingAgent, `run` plain and streamed, and by its CodeAgent, whose
    code is run by the framework's local executor."""

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
        """`run`, the same with everything streamed, and `code` of a CodeAgent."""
        return {"run": self._run, "stream": self._stream, "code": self._code}

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
        return _kept(setup, self._agent(setup))

    def _code(self, setup: Setup) -> RunResult:
        model = CodeModel(setup.world, typed=setup.typed)
        return _kept(setup, self._agent(setup, CodeAgent, model))

    def _stream(self, setup: Setup) -> Ended:
        agent = self._agent(setup, stream_outputs=True)
        *_, last = agent.run(setup.world.task, stream=True, reset=setup.session is None)
        assert isinstance(last, FinalAnswerStep)  # what ends every stream that does not raise
        error = getattr(agent.memory.steps[-1], "error", None)
        limit = isinstance(error, AgentMaxStepsError)
        return Ended(last.output, "limit" if limit else "completed")

    def _agent(
        self, setup: Setup, kind: Any = ToolCallingAgent, model: Model | None = None, **words: Any
    ) -> Any:
        tools = self.offered(setup) + ([TypedAnswer()] if setup.typed else [])
        words = {"verbosity_level": LogLevel.OFF, **words, **setup.options}
        asked = self.model(setup.world) if model is None else model
        agent = kind(tools, asked, return_full_result=True, **words)
        agent.logger.console.quiet = True  # a stream is drawn whatever the level
        if setup.session is not None:
            setup.session.goes_on(setup.world)
            agent.memory = setup.session
        return agent


def _kept(setup: Setup, agent: Any) -> RunResult:
    """One run; an agent with a session goes on."""
    result: RunResult = agent.run(setup.world.task, reset=setup.session is None)
    return result
