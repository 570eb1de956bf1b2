"""AutoGen's Swarm, whose handoffs are handoffs of a world.

Law: who may hand over, with which tool, and who is shown what has been said is the framework's;
only what a fault of the plan says becomes of a HandoffMessage differs. Called by the autogen
adapter, and by agents under test:

    triage = AssistantAgent("triage", model_client=model(world, agent="triage"),
                            tools=tools(world, agent="triage"), handoffs=["billing"])
    team = adapters.autogen.swarm(world, [triage, billing], termination_condition=...)
    return adapters.autogen.outcome(await team.run(task=world.task))
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, NamedTuple

from autogen_agentchat.base import ChatAgent, Response
from autogen_agentchat.messages import HandoffMessage
from autogen_agentchat.teams import Swarm

from agentfuzz.adapters.autogen.handed import kept, sent_with, spoilt
from agentfuzz.world.acting import named
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.team.transfers import arrives, is_lost_aio, leaves
from agentfuzz.world.world import World


def swarm(
    world: World, participants: Sequence[ChatAgent], carry: Iterable[str] = (), **options: Any
) -> Swarm:
    """The framework's Swarm of these agents, whose names are those of the world. A handoff may get
    lost (its sender fails with TimeoutError), take control to another of them, or arrive spoilt.
    `carry` names what of a message that is a JSON object must arrive as it is; `options` are the
    framework's. A handoff to somebody who is no participant is left as it is."""
    names = tuple(one.name for one in participants)
    for each in participants:
        world.acting(each.name)  # a wrong name says so now
        agent: Any = each
        own = agent.on_messages_stream
        own = getattr(own, "inner", own)  # the agent has been in another swarm
        agent.on_messages_stream = _Crossing(world, each.name, own, names, tuple(carry))
    return Swarm(list(participants), **options)


class _Crossing(NamedTuple):
    """What the team calls when it is an agent's turn."""

    world: World
    agent: str
    inner: Callable[..., Any]
    names: tuple[str, ...]
    carry: tuple[str, ...]

    async def __call__(self, messages: Sequence[Any], token: Any) -> AsyncIterator[Any]:
        async with aclosing(self.inner(messages, token)) as stream:
            async for one in stream:
                yield await self._passed(one)

    async def _passed(self, said: Any) -> Any:
        message = said.chat_message if isinstance(said, Response) else None
        if not isinstance(message, HandoffMessage) or message.target not in self.names:
            return said
        with named(self.agent):
            sent = sent_with(message, self.carry)
            team = team_of(self.world, crossing=True)
            crossed = leaves(team, message.target, sent, "state", self.names, spoilt)
            await is_lost_aio(crossed)
            changed = {"target": arrives(crossed), **kept(sent, crossed.arrives)}
        return replace(said, chat_message=message.model_copy(update=changed))
