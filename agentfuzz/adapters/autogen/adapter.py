"""AutoGen's agents and teams in a world.

Law: an agent is built as its users build it, with the world's tools and model. Called by the table
of contents of this room.
"""

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import ToolCallSummaryMessage
from autogen_core import CancellationToken

from agentfuzz.adapters.autogen.agents import alone, assistant, swarm
from agentfuzz.adapters.autogen.model import client_of
from agentfuzz.adapters.autogen.session import Session, restored, saved
from agentfuzz.adapters.autogen.tools import WorldTool
from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Setup
from agentfuzz.adapters.contract.adapter import Entrypoint
from agentfuzz.world.world import World


class AutoGen(Adapter):
    """AgentChat's agents and teams."""

    name = "autogen"
    package = "autogen-agentchat"
    needs = ">=0.4.2"
    quiet: Mapping[str, str] = {"AUTOGEN_DISABLE_RUNTIME_TRACING": "true"}
    limits: Mapping[str, Limit] = {"max_tool_iterations": Limit("turns", 1)}
    meets: Mapping[str, str] = {
        "raised": "told",
        "soft": "told",
        "cancelled": "ended",
        "invalid": "told",
        "unknown": "told",
    }
    sessions = hands_over = typed = True

    def __init__(self) -> None:
        self._tokens = WeakKeyDictionary[World, CancellationToken]()

    @property
    def entrypoints(self) -> Mapping[str, Entrypoint]:
        """One agent by `run` and `run_stream`; `team`: alone in a round-robin team, with AutoGen's
        one round of tools a turn, until it says a text. Several agents are a Swarm."""
        return {"run": self.run, "stream": self.stream, "team": self.team}

    def tool(self, bridge: Bridge) -> Any:
        return WorldTool(bridge)

    def model(self, world: World, *, agent: str | None = None, **options: Any) -> Any:
        return client_of(world, agent, options)

    def ended(self, result: Any) -> Ended | None:
        if not isinstance(result, TaskResult):
            return None
        last: Any = result.messages[-1]
        if isinstance(last, ToolCallSummaryMessage) or "Maximum number" in (
            result.stop_reason or ""
        ):
            return Ended(last.content, "limit")
        return Ended(last.content)

    def session(self, world: World) -> Any:
        return Session()

    def stop(self, setup: Setup) -> bool:
        token = self._tokens.get(setup.world)
        if token is not None:
            token.cancel()
        return token is not None

    async def run(self, setup: Setup) -> TaskResult:
        """An agent, or a Swarm."""
        make = swarm if setup.agents else assistant
        return await self._kept(setup, make(self, setup))

    async def stream(self, setup: Setup) -> TaskResult:
        """The same, streamed, by a client that streams."""
        make = swarm if setup.agents else assistant
        runner = make(self, setup, model_client_stream=True)
        return await self._kept(setup, runner, streams=True)

    async def team(self, setup: Setup) -> TaskResult:
        """One agent in a team, or a Swarm."""
        make = swarm if setup.agents else alone
        return await self._kept(setup, make(self, setup))

    async def _kept(self, setup: Setup, runner: Any, streams: bool = False) -> TaskResult:
        """A run, whose state is the session's."""
        await restored(setup, runner)
        token = self._tokens[setup.world] = CancellationToken()
        words = {"task": setup.world.task, "cancellation_token": token}
        if streams:
            made: TaskResult = [one async for one in runner.run_stream(**words)][-1]
        else:
            made = await runner.run(**words)
        await saved(setup, runner)
        return made
