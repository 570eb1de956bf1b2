"""Microsoft Agent Framework: agents and handoffs over a world's tools.

Law: the agent, its loop of tools, its history and its workflows are the framework's; the model
answers by the wire. Works from agent-framework-core 1.0 on, with agent-framework-openai (and
agent-framework-orchestrations for handoffs). Called by agents under test:

    agent = Agent(
        client=adapters.agent_framework.model(world), tools=adapters.agent_framework.tools(world)
    )
    return adapters.agent_framework.outcome(await agent.run(world.task))

The default loop, `contract.agent(adapters.agent_framework.ADAPTER)`, takes the words of `Agent`, of
its `function_invocation_configuration` (`max_iterations`, ...) and of the client (`max_retries`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import (
    Agent,
    AgentResponse,
    AgentSession,
    FunctionTool,
    InMemoryCheckpointStorage,
    InMemoryHistoryProvider,
    Message,
)
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient

from agentfuzz.adapters._http_hands import hands_of
from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Pause, Setup
from agentfuzz.adapters.contract.adapter import Entrypoint, Why
from agentfuzz.core.completion import Completion
from agentfuzz.wire.client import async_openai_client
from agentfuzz.world.world import World

_WHY: Mapping[str, Why] = {"length": "length", "content_filter": "error"}
_CLIENT = ("max_retries", "timeout")
_CALLS = (
    "max_iterations",
    "max_function_calls",
    "max_duration_seconds",
    "max_consecutive_errors_per_request",
    "terminate_on_unknown_calls",
    "include_detailed_errors",
    "allow_concurrent_invocation",
)


class AgentFramework(Adapter):
    """Agents, and workflows in which they hand over to each other."""

    name = "agent_framework"
    package = "agent-framework-core"
    needs = ">=1.0"
    quiet: Mapping[str, str] = {"ENABLE_INSTRUMENTATION": "false"}
    limits: Mapping[str, Limit] = {
        "max_consecutive_errors_per_request": Limit("retries", 3),
        "max_duration_seconds": Limit("seconds"),
    }
    meets: Mapping[str, str] = {
        "raised": "told",
        "soft": "told",
        "cancelled": "ended",
        "invalid": "told",
        "unknown": "told",
    }
    sessions = True
    typed = True
    pauses_for = True
    hands_over = True

    @property
    def entrypoints(self) -> Mapping[str, Entrypoint]:
        """`run` and `stream` by the Responses API, `chat` and `chat_stream` by Chat Completions.
        Several agents are a handoff workflow."""
        return {
            "run": self.run,
            "stream": self.stream,
            "chat": self.chat,
            "chat_stream": self.chat_stream,
        }

    def tool(self, bridge: Bridge) -> Any:
        async def call(**arguments: Any) -> str:
            return await bridge.acall(arguments)

        return FunctionTool(
            name=bridge.name,
            description=bridge.description,
            func=call,
            input_model=bridge.schema,
        )

    def model(
        self, world: World, *, agent: str | None = None, chat: bool = False, **options: Any
    ) -> Any:
        kind: Any = OpenAIChatCompletionClient if chat else OpenAIChatClient
        words = {name: options.pop(name) for name in _CLIENT if name in options}
        client = async_openai_client(world, **words)
        return kind(
            model="agentfuzz",
            async_client=client.with_options(http_client=hands_of(world, agent)),
            function_invocation_configuration=options or None,
        )

    def ended(self, result: Any) -> Ended | None:
        if not isinstance(result, AgentResponse):
            return None
        if isinstance(result.value, Completion):
            return Ended(result.value)
        return Ended(result.text, _WHY.get(str(result.finish_reason), "completed"))

    def session(self, world: World) -> Any:
        return Session()

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        waiting = [one for one in result.user_input_requests if one.function_call is not None]
        return tuple(
            Pause(one.function_call.call_id, one.function_call.name, one) for one in waiting
        )

    def handoff(self, to: str) -> tuple[str, Mapping[str, Any]]:
        return f"handoff_to_{to}", {}

    async def run(self, setup: Setup) -> Any:
        """The Responses API."""
        return await self._run(setup)

    async def stream(self, setup: Setup) -> Any:
        """The same, streamed."""
        return await self._run(setup, stream=True)

    async def chat(self, setup: Setup) -> Any:
        """Chat Completions."""
        return await self._run(setup, chat=True)

    async def chat_stream(self, setup: Setup) -> Any:
        """The same, streamed."""
        return await self._run(setup, chat=True, stream=True)

    async def _run(self, setup: Setup, *, chat: bool = False, stream: bool = False) -> Any:
        if setup.agents:
            return await self._workflow(setup, chat, stream)
        words: dict[str, Any] = {"session": setup.session and setup.session.agent}
        if setup.typed:
            words["options"] = {"response_format": Completion}
        said: Any = setup.world.task
        if setup.paused is not None:
            decided = [
                pause.handle.to_function_approval_response(setup.decisions[pause.call])
                for pause in self.pauses(setup.paused)
            ]
            said = [Message("user", decided)]
        agent = self._agent(setup, None, chat)
        if not stream:
            return await agent.run(said, **words)
        return await agent.run(said, stream=True, **words).get_final_response()

    async def _workflow(self, setup: Setup, chat: bool, stream: bool) -> Any:
        from agent_framework.orchestrations import HandoffAgentUserRequest, HandoffBuilder

        members = [self._agent(setup, name, chat) for name in setup.agents]
        kept: Session = setup.session or Session()
        storage = WorldCheckpoints(setup.world, kept)
        workflow = (
            HandoffBuilder(name="desk", participants=members, checkpoint_storage=storage)
            .with_start_agent(members[0])
            .build()
        )
        words: dict[str, Any] = {"message": setup.world.task}
        if kept.waits:
            answer = HandoffAgentUserRequest.create_response(setup.world.task)
            words = {"responses": dict.fromkeys(kept.waits, answer), "checkpoint_id": kept.last}
        if stream:
            events = workflow.run(stream=True, **words)
            async for _ in events:
                pass
            result = await events.get_final_response()
        else:
            result = await workflow.run(**words)
        kept.waits = [event.request_id for event in result.get_request_info_events()]
        said = [one for one in result.get_outputs() if isinstance(one, AgentResponse)]
        return said[-1] if said else AgentResponse(messages=[])

    def _agent(self, setup: Setup, agent: str | None, chat: bool) -> Any:
        client = {n: v for n, v in setup.options.items() if n in (*_CLIENT, *_CALLS)}
        own = {n: v for n, v in setup.options.items() if n not in client}
        tools = self.offered(setup, agent)
        for tool in tools:
            if tool.name in setup.approvals:
                tool.approval_mode = "always_require"
        kept = [WorldHistory(setup.world)] if setup.session is not None else []
        if agent is not None:
            own = {"require_per_service_call_history_persistence": True, **own}
        return Agent(
            client=self.model(setup.world, agent=agent, chat=chat, **client),
            name=agent or "assistant",
            tools=tools,
            **{"context_providers": kept, "default_options": _options(chat), **own},
        )


def _options(chat: bool) -> dict[str, Any]:
    """The history is the application's own, by either API."""
    return {} if chat else {"store": False}


class Session:
    """A conversation, and the last checkpoint of a workflow with what it waits for."""

    def __init__(self) -> None:
        self.agent = AgentSession(session_id="session")
        self.storage = InMemoryCheckpointStorage()
        self.last: str | None = None
        self.waits: list[str] = []


class WorldHistory(InMemoryHistoryProvider):
    """The framework's history in memory, in a world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    async def save_messages(
        self, session_id: str | None, messages: Sequence[Message], **words: Any
    ) -> None:
        """Keep what was said."""
        with self._world.saving("history"):
            await super().save_messages(session_id, messages, **words)


class WorldCheckpoints:
    """The framework's checkpoints in memory, in a world."""

    def __init__(self, world: World, kept: Session) -> None:
        self._world, self._kept = world, kept

    async def save(self, checkpoint: Any) -> Any:
        """Keep one."""
        with self._world.saving("checkpoint"):
            self._kept.last = await self._kept.storage.save(checkpoint)
        return self._kept.last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept.storage, name)


ADAPTER = AgentFramework()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
