"""AutoGen: agents and teams of AgentChat over a world's model and tools.

Law: agents, teams, their workbench and their client are AutoGen's; the model answers by the wire.
Works from autogen-agentchat 0.4.2 on. Called by agents under test:

    agent = AssistantAgent(
        "billing",
        model_client=adapters.autogen.model(world),
        tools=adapters.autogen.tools(world),
        max_tool_iterations=12,
    )
    return adapters.autogen.outcome(await agent.run(task=world.task))

The default loop, `contract.agent(adapters.autogen.ADAPTER)`, takes the words of `AssistantAgent`,
of its client (`max_retries`) and of a team (`max_turns`). It allows twelve rounds of tools, for
AutoGen's own default is one, whose raw result is the answer.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult, TerminationCondition
from autogen_agentchat.messages import StopMessage, TextMessage, ToolCallSummaryMessage
from autogen_agentchat.teams import RoundRobinGroupChat, Swarm
from autogen_core import CancellationToken
from autogen_core.tools import BaseTool
from autogen_ext.models.openai import OpenAIChatCompletionClient
from pydantic import BaseModel

from agentfuzz.adapters._http_hands import hands_of
from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Setup
from agentfuzz.adapters.contract.adapter import Entrypoint
from agentfuzz.wire.client import HOST
from agentfuzz.world.world import World

ROUNDS = 12
_CLIENT = ("max_retries", "timeout", "parallel_tool_calls")
_TEAM = ("max_turns",)
_INFO = {
    "function_calling": True,
    "vision": False,
    "json_output": True,
    "structured_output": True,
    "family": "unknown",
}


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
    sessions = True
    hands_over = True

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
        return OpenAIChatCompletionClient(
            model="agentfuzz",
            api_key="agentfuzz",
            base_url=f"{HOST}/v1",
            http_client=hands_of(world, agent),
            model_info=_INFO,
            **options,
        )

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
        runner = self._swarm(setup) if setup.agents else self._assistant(setup)
        return await self._kept(setup, runner)

    async def stream(self, setup: Setup) -> TaskResult:
        """The same, streamed, by a client that streams."""
        runner = (
            self._swarm(setup, model_client_stream=True)
            if setup.agents
            else self._assistant(setup, model_client_stream=True)
        )
        return await self._kept(setup, runner, streams=True)

    async def team(self, setup: Setup) -> TaskResult:
        """One agent in a team."""
        if setup.agents:
            return await self._kept(setup, self._swarm(setup))
        member: Any = self._assistant(setup, rounds=1)
        words = _some(setup, _TEAM)
        team = RoundRobinGroupChat([member], termination_condition=SaysText(), **words)
        return await self._kept(setup, team)

    async def _kept(self, setup: Setup, runner: Any, streams: bool = False) -> TaskResult:
        """A run, whose state is the session's."""
        kept: Session | None = setup.session
        if kept is not None and kept.state is not None:
            await runner.load_state(kept.state)
        token = self._tokens[setup.world] = CancellationToken()
        words = {"task": setup.world.task, "cancellation_token": token}
        if streams:
            made: TaskResult = [one async for one in runner.run_stream(**words)][-1]
        else:
            made = await runner.run(**words)
        if kept is not None:
            state = await runner.save_state()
            with setup.world.saving("state"):
                kept.state = state
        return made

    def _swarm(self, setup: Setup, **words: Any) -> Any:
        members: list[Any] = []
        for agent in setup.agents:
            others = [other for other in setup.agents if other != agent]
            members.append(self._assistant(setup, agent, rounds=1, handoffs=others, **words))
        return Swarm(members, termination_condition=SaysText(), **_some(setup, _TEAM))

    def _assistant(
        self, setup: Setup, agent: str | None = None, *, rounds: int = ROUNDS, **words: Any
    ) -> Any:
        own = {n: v for n, v in setup.options.items() if n not in (*_CLIENT, *_TEAM)}
        if "max_tool_iterations" in inspect.signature(AssistantAgent).parameters:  # since 0.6.2
            words["max_tool_iterations"] = rounds
        return AssistantAgent(
            agent or "assistant",
            model_client=self.model(setup.world, agent=agent, **_some(setup, _CLIENT)),
            tools=self.offered(setup, agent),
            **{**words, **own},
        )


class Session:
    """What `save_state` gave after the last run, for `load_state` before the next one."""

    state: Mapping[str, Any] | None = None


class SaysText(TerminationCondition):
    """The end of a team: one of its members has said a text. (AutoGen's own condition for that is
    younger than its teams.)"""

    _over = False

    @property
    def terminated(self) -> bool:
        """Whether it has ended."""
        return self._over

    async def __call__(self, messages: Sequence[Any]) -> StopMessage | None:
        """Look at what was said last."""
        said = [one for one in messages if type(one) is TextMessage and one.source != "user"]
        self._over = bool(said)
        return StopMessage(content="A text was said", source="SaysText") if said else None

    async def reset(self) -> None:
        """It goes on."""
        self._over = False


class WorldTool(BaseTool[BaseModel, str]):
    """A tool of a world as AutoGen's own."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge.args_model, str, bridge.name, bridge.description)
        self._bridge = bridge

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> str:
        """What AutoGen has made of the model's arguments."""
        return await self._bridge.acall(args.model_dump(exclude_unset=True))


def _some(setup: Setup, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in setup.options.items() if name in names}


ADAPTER = AutoGen()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
