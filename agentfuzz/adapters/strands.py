"""Strands Agents: a world's tools and model as its own.

Law: the event loop, its retries and its error handling are the framework's, and so is the client
of a provider, behind which the world answers (`agentfuzz.wire`). Called by agents under test:

    agent = Agent(
        model=adapters.strands.model(world),
        tools=adapters.strands.tools(world),
        callback_handler=None,
    )
    return adapters.strands.outcome(await agent.invoke_async(world.task))

`model` is the framework's OpenAIModel, since 1.24; `anthropic_model(world)` is its AnthropicModel.
"""

from collections.abc import AsyncIterator, Mapping
from inspect import signature
from typing import Any
from weakref import WeakKeyDictionary

from strands import Agent
from strands.agent import AgentResult
from strands.hooks import BeforeToolCallEvent, HookProvider, HookRegistry
from strands.models.anthropic import AnthropicModel
from strands.models.openai import OpenAIModel
from strands.session.repository_session_manager import RepositorySessionManager
from strands.tools import PythonAgentTool
from strands.types.exceptions import MaxTokensReachedException

from agentfuzz.adapters._strands_session import Repository
from agentfuzz.adapters.contract.adapter import Adapter, Ended, Limit, Pause, Setup, Why
from agentfuzz.adapters.contract.bridge import Bridge, performing
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.wire import async_anthropic_client, async_openai_client
from agentfuzz.world.world import World

_WHY: Mapping[str, Why] = {
    "end_turn": "completed",
    "stop_sequence": "completed",
    "cancelled": "cancelled",
    "interrupt": "paused",
    "max_tokens": "length",
}
_LIMITS = ("turns", "output_tokens", "total_tokens")  # of one invocation
_RUNNING: WeakKeyDictionary[World, Agent] = WeakKeyDictionary()


class Strands(Adapter):
    """Strands Agents by its Agent: awaited, called, streamed, and on Anthropic's API."""

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
    sessions = typed = pauses_for = True

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

        async def called(tool_use: Mapping[str, Any], **state: Any) -> dict[str, Any]:
            text = await bridge.acall(tool_use["input"], tool_use["toolUseId"])
            content = [{"text": text}]
            return {"toolUseId": tool_use["toolUseId"], "status": "success", "content": content}

        spec = {
            "name": bridge.name,
            "description": bridge.description,
            "inputSchema": {"json": bridge.schema},
        }
        return PythonAgentTool(bridge.name, spec, called)

    def model(self, world: World, *, agent: str | None = None) -> OpenAIModel:
        """The framework's OpenAIModel, whose client asks the world."""
        return ChatModel(world, agent)

    def ended(self, result: Any) -> Ended | None:
        """By the stop reason. A reply that is too long is an exception here."""
        if isinstance(result, MaxTokensReachedException):
            return Ended(why="length")
        if isinstance(result, BaseException):
            return None
        if not isinstance(result, AgentResult):
            return Ended(result)
        value = getattr(result, "structured_output", None) or str(result)
        reason = str(result.stop_reason)
        return Ended(value, "limit" if reason.startswith("limit") else _WHY.get(reason, "error"))

    def session(self, world: World) -> Repository:
        """What a session manager writes to."""
        return Repository(world)

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        """The interrupts of a result."""
        found = getattr(result, "interrupts", None) or ()
        return tuple(Pause(one.reason["call"], one.reason["tool"], one.id) for one in found)

    def stop(self, setup: Setup) -> bool:
        """`Agent.cancel`."""
        agent = _RUNNING.get(setup.world)
        if agent is None or not hasattr(agent, "cancel"):
            return False
        agent.cancel()
        return True

    async def _invoke(self, setup: Setup) -> AgentResult:
        return await self._made(setup).invoke_async(*self._asked(setup), **self._words(setup))

    def _call(self, setup: Setup) -> AgentResult:
        return self._made(setup)(*self._asked(setup), **self._words(setup))

    async def _stream(self, setup: Setup) -> AgentResult:
        agent, result = self._made(setup), None
        async for event in agent.stream_async(*self._asked(setup), **self._words(setup)):
            result = event.get("result", result)
        return result

    async def _anthropic(self, setup: Setup) -> AgentResult:
        agent = self._made(setup, anthropic_model(setup.world))
        return await agent.invoke_async(*self._asked(setup), **self._words(setup))

    def _made(self, setup: Setup, model: Any = None) -> Agent:
        """The agent of a setup; who calls once more has the same one still."""
        if "agent" in setup.held:
            return setup.held["agent"]
        options = {name: each for name, each in setup.options.items() if name not in _LIMITS}
        if options.pop("audit", False):
            options["hooks"] = [*options.get("hooks", ()), Audit(setup.world)]
        if setup.approvals:
            options["hooks"] = [*options.get("hooks", ()), Approvals(setup.approvals)]
        if setup.session is not None:
            setup.session.world = setup.world
            options["session_manager"] = RepositorySessionManager("agentfuzz", setup.session)
        agent = Agent(
            model=model or self.model(setup.world),
            tools=self.offered(setup),
            **{"callback_handler": None, **options},
        )
        _RUNNING[setup.world] = agent
        if setup.session is None:
            setup.held["agent"] = agent
        return agent

    def _asked(self, setup: Setup) -> tuple[Any]:
        if setup.attempt > 1 and "agent" in setup.held:
            return (None,)  # go on
        if setup.paused is None:
            return (setup.world.task,)
        said = [(one.handle, setup.decisions[one.call]) for one in self.pauses(setup.paused)]
        return (
            [
                {"interruptResponse": {"interruptId": id, "response": "yes" if granted else "no"}}
                for id, granted in said
            ],
        )

    def _words(self, setup: Setup) -> dict[str, Any]:
        limits = {name: setup.options[name] for name in _LIMITS if name in setup.options}
        words: dict[str, Any] = {"limits": limits} if limits else {}
        return {**words, "structured_output_model": Completion} if setup.typed else words


class ChatModel(OpenAIModel):
    """The framework's own, asked by an agent."""

    def __init__(self, world: World, agent: str | None = None) -> None:
        if "client" not in signature(OpenAIModel.__init__).parameters:
            raise AgentfuzzError(
                "strands-agents: before 1.24 its OpenAIModel takes no client; use "
                "adapters.strands.anthropic_model, or the entrypoint anthropic."
            )
        super().__init__(client=async_openai_client(world), model_id="agentfuzz")
        self._acting = performing(world, agent)

    async def stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """One turn."""
        with self._acting():
            async for event in super().stream(*args, **kwargs):
                yield event


def anthropic_model(world: World) -> AnthropicModel:
    """The framework's AnthropicModel, whose client asks the world."""
    made = AnthropicModel(
        client_args={"api_key": "agentfuzz"}, model_id="agentfuzz", max_tokens=4096
    )
    made.client = async_anthropic_client(world)
    return made


class Audit(HookProvider):
    """What was done is written down after the tools of a turn: a save of the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        """After each turn's calls."""
        from strands.hooks import AfterToolsEvent  # which old releases have not

        registry.add_callback(AfterToolsEvent, self._writes)

    def _writes(self, event: object) -> None:
        with self._world.saving("audit"):
            pass


class Approvals(HookProvider):
    """These tools wait for a person: an interrupt for each call of theirs."""

    def __init__(self, tools: tuple[str, ...]) -> None:
        self._tools = tools

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        """Before each call."""
        registry.add_callback(BeforeToolCallEvent, self._asks)

    def _asks(self, event: BeforeToolCallEvent) -> None:
        tool, call = event.tool_use["name"], event.tool_use["toolUseId"]
        if tool in self._tools:
            said = event.interrupt("approval", reason={"tool": tool, "call": call})
            if said != "yes":
                event.cancel_tool = "A person has refused this call."


ADAPTER = Strands()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
