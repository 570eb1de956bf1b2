"""CrewAI's crews in a world: by calls of tools, and by text.

Law: a crew is built as its users build it, with the world's tools and model. Called by the table of
contents of this room.
"""

from collections.abc import Mapping
from typing import Any

from crewai import BaseLLM, CrewOutput
from crewai.tools import BaseTool

from agentfuzz.adapters.contract.adapter import Adapter, Ended, Setup
from agentfuzz.adapters.contract.bridge import Bridge
from agentfuzz.adapters.crewai.crews import crew, crew_of
from agentfuzz.adapters.crewai.model import model_of
from agentfuzz.adapters.crewai.quiet import QUIET
from agentfuzz.adapters.crewai.react import Idle, react_model
from agentfuzz.adapters.crewai.tools import WorldTool
from agentfuzz.world.world import World


class CrewAI(Adapter):
    """CrewAI by a crew of one task: kicked off, awaited, and by text. Several agents delegate."""

    name = "crewai"
    package = "crewai"
    needs = ">=0.177"
    quiet = QUIET
    meets = {
        "raised": "told",
        "soft": "told",
        "cancelled": "ended",
        "invalid": "told",
        "unknown": "told",
        "react:raised": "again",
        "react:soft": "again",
    }

    typed = hands_over = True

    @property
    def entrypoints(self) -> Mapping[str, Any]:
        """The two ways to begin a crew, and a model without calls of its own."""
        return {"kickoff": self._kickoff, "akickoff": self._akickoff, "react": self._react}

    def tool(self, bridge: Bridge) -> BaseTool:
        """A tool of the framework's own class."""
        return WorldTool(bridge)

    def model(self, world: World, *, agent: str | None = None) -> BaseLLM:
        """The framework's LLM for OpenAI, whose client asks the world."""
        return model_of(world, agent)

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
        crew([({}, Idle(model="idle"), [])], "Say ok.", {}).kickoff()

    def handoff(self, to: str) -> tuple[str, Mapping[str, Any]]:
        """An agent delegates to a coworker, and is told what came of it."""
        told = {"task": "Do what the customer asks.", "context": "It is theirs.", "coworker": to}
        return "delegate_work_to_coworker", told

    def _kickoff(self, setup: Setup) -> CrewOutput:
        return crew_of(self, setup, self.model).kickoff()

    async def _akickoff(self, setup: Setup) -> CrewOutput:
        return await crew_of(self, setup, self.model).akickoff()

    def _react(self, setup: Setup) -> CrewOutput:
        return crew_of(self, setup, react_model).kickoff()
