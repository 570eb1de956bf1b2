"""What a setup asks for, as agents and teams of AutoGen.

Law: a word of the setup becomes one of the agent's, of its client's or of its team's. Called by the
entrypoints of the autogen adapter.
"""

import inspect
from collections.abc import Sequence
from typing import Any

from autogen_agentchat import messages
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TerminationCondition
from autogen_agentchat.messages import StopMessage, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat

from agentfuzz.adapters.autogen.model import client_of
from agentfuzz.adapters.autogen.swarm import swarm as swarm_of
from agentfuzz.adapters.contract import Adapter, Setup
from agentfuzz.core.completion import Completion

ROUNDS = 12
_CLIENT = ("max_retries", "timeout", "parallel_tool_calls")
_TEAM = ("max_turns",)
_Structured: Any = getattr(messages, "StructuredMessage", ())  # since 0.5


def assistant(
    adapter: Adapter, setup: Setup, agent: str | None = None, *, rounds: int = ROUNDS, **words: Any
) -> Any:
    """One agent, with a dozen rounds of tools."""
    own = {n: v for n, v in setup.options.items() if n not in (*_CLIENT, *_TEAM)}
    if "max_tool_iterations" in inspect.signature(AssistantAgent).parameters:  # since 0.6.2
        words["max_tool_iterations"] = rounds
    tools = adapter.offered(setup, agent)
    if setup.typed:
        words["output_content_type"] = Completion
        words["reflect_on_tool_use"] = rounds > 1  # in a team the next turn goes on
        tools = [tool.strict() for tool in tools]
    return AssistantAgent(
        agent or "assistant",
        model_client=client_of(setup.world, agent, _some(setup, _CLIENT)),
        tools=tools,
        **{**words, **own},
    )


def alone(adapter: Adapter, setup: Setup) -> Any:
    """One agent in a round-robin team, with AutoGen's one round of tools a turn."""
    member: Any = assistant(adapter, setup, rounds=1)
    words = {"termination_condition": SaysText(), **_some(setup, _TEAM)}
    if setup.typed:
        words["custom_message_types"] = [_Structured[Completion]]
    return RoundRobinGroupChat([member], **words)


def swarm(adapter: Adapter, setup: Setup, **words: Any) -> Any:
    """All agents of a setup; each may hand over to the others."""
    members: list[Any] = []
    for agent in setup.agents:
        others = [other for other in setup.agents if other != agent]
        members.append(assistant(adapter, setup, agent, rounds=1, handoffs=others, **words))
    ends = {"termination_condition": SaysText(), **_some(setup, _TEAM)}
    return swarm_of(setup.world, members, **ends)


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
        said = [one for one in messages if _text(one) and one.source != "user"]
        self._over = bool(said)
        return StopMessage(content="A text was said", source="SaysText") if said else None

    async def reset(self) -> None:
        """It goes on."""
        self._over = False


def _text(message: Any) -> bool:
    return type(message) is TextMessage or isinstance(message, _Structured)


def _some(setup: Setup, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in setup.options.items() if name in names}
