"""Strands' agents in a world: one of them, or a swarm.

Law: an agent is built as its users build it, with the world's tools and model. Called by the table
of contents of this room.
"""

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from strands.tools import PythonAgentTool

from agentfuzz.adapters.contract.adapter import Adapter, Ended, Limit, Pause, Setup
from agentfuzz.adapters.contract.bridge import Bridge
from agentfuzz.adapters.strands.agents import asked, made, words
from agentfuzz.adapters.strands.endings import ended
from agentfuzz.adapters.strands.model import ChatModel, anthropic_model
from agentfuzz.adapters.strands.session import Repository
from agentfuzz.adapters.strands.tools import tool_of
from agentfuzz.world.world import World

_RUNNING: WeakKeyDictionary[World, Any] = WeakKeyDictionary()


class Strands(Adapter):
    """Strands Agents by its Agent: awaited, called, streamed, and on Anthropic's API. Several
    agents are a Swarm."""

    name = "strands"
    package = "strands-agents"
    needs = ">=1.13"
    quiet = {"OTEL_SDK_DISABLED": "true"}
    limits = {"turns": Limit("turns", None)}
    meets = {
        "raised": "told",
        "soft": "told",
        "cancelled": "raised",
        "invalid": "told",
        "unknown": "told",
    }
    sessions = typed = pauses_for = hands_over = True

    @property
    def entrypoints(self) -> Mapping[str, Any]:
        """The three ways to ask an agent, and the first of them with another provider."""
        return {
            "invoke": self._invoke,
            "call": self._call,
            "stream": self._stream,
            "anthropic": self._anthropic,
        }

    def tool(self, bridge: Bridge) -> PythonAgentTool:
        """A tool of the framework, which knows the id of its call."""
        return tool_of(bridge)

    def model(self, world: World, *, agent: str | None = None) -> ChatModel:
        """The framework's OpenAIModel, whose client asks the world."""
        return ChatModel(world, agent)

    def ended(self, result: Any) -> Ended | None:
        """By the stop reason, or the status of a swarm."""
        return ended(result)

    def session(self, world: World) -> Repository:
        """What a session manager writes to."""
        return Repository(world)

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        """The interrupts of a result."""
        found = getattr(result, "interrupts", None) or ()
        return tuple(Pause(one.reason["call"], one.reason["tool"], one.id) for one in found)

    def handoff(self, to: str) -> tuple[str, Mapping[str, Any]]:
        """A Swarm has one tool for all its handoffs."""
        return "handoff_to_agent", {"agent_name": to, "message": "It is theirs."}

    def stop(self, setup: Setup) -> bool:
        """`Agent.cancel`."""
        agent = _RUNNING.get(setup.world)
        if agent is None or not hasattr(agent, "cancel"):
            return False
        agent.cancel()
        return True

    async def _invoke(self, setup: Setup) -> Any:
        return await self._made(setup).invoke_async(*self._asked(setup), **words(setup))

    def _call(self, setup: Setup) -> Any:
        return self._made(setup)(*self._asked(setup), **words(setup))

    async def _stream(self, setup: Setup) -> Any:
        agent, result = self._made(setup), None
        async for event in agent.stream_async(*self._asked(setup), **words(setup)):
            result = event.get("result", result)
        return result

    async def _anthropic(self, setup: Setup) -> Any:
        agent = self._made(setup, anthropic_model)
        return await agent.invoke_async(*self._asked(setup), **words(setup))

    def _made(self, setup: Setup, model: Any = None) -> Any:
        agent = _RUNNING[setup.world] = made(self, setup, model or self.model)
        return agent

    def _asked(self, setup: Setup) -> tuple[Any]:
        return asked(setup, self.pauses(setup.paused))
