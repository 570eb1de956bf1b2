"""Handoffs of the OpenAI Agents SDK, as handoffs of a world.

Law: the transfer is the SDK's own, with its tool, its schema, its callbacks and its filters; only
what a fault of the plan says becomes of it differs. What is handed over is the typed input where
there is one, and else the task with all that the asking model had been shown. Called by the
openai_agents adapter.
"""

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, NamedTuple

from agents import Agent, Handoff
from agents import handoff as sdk_handoff

from agentfuzz.adapters.contract.retold import retold
from agentfuzz.adapters.openai_agents.conversation import Passed, filter_of, spoiling
from agentfuzz.adapters.openai_agents.typed import Typed, retyped
from agentfuzz.core.codec import plain as as_json
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Json
from agentfuzz.world.acting import named
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.team.transfers import arrives, is_lost_aio, leaves, refused
from agentfuzz.world.world import World


def handoff(
    world: World, agent: Agent[Any], *, carry: Iterable[str] = (), **options: Any
) -> "Handoff[Any, Agent[Any]]":
    """The SDK's `agents.handoff(agent, **options)`, as a handoff of this world: it may get lost
    (TimeoutError), take control to another of the agents that this function was given, or arrive
    spoilt: the typed input, or, without an `input_type`, what has been said. `carry` names the
    fields of the typed input that must arrive as they are. Raises ScenarioError for an agent whose
    model says no name."""
    name = getattr(agent.model, "agent", None)
    if not name:
        raise ScenarioError(
            f"handoff(world, {agent.name}): nobody knows which agent of the world this is; give it "
            'model=adapters.openai_agents.model(world, agent="...").'
        )
    team_of(world).members[name] = agent
    kept = sdk_handoff(agent, **options)
    input_type = options.get("input_type")
    crossing = _Crossing(world, name, kept, tuple(carry), Typed(input_type) if input_type else None)
    given = {one.name: getattr(kept, one.name) for one in fields(kept) if one.init}
    made = Passed(**{**given, "on_invoke_handoff": crossing})
    made._agent_ref = getattr(kept, "_agent_ref", None)
    return made


class _Crossing(NamedTuple):
    """What the SDK calls when a model asks for the transfer."""

    world: World
    to: str
    kept: Any
    carry: tuple[str, ...]
    kind: Typed | None

    async def __call__(self, context: Any, text: str | None = None) -> Any:
        spoiling.set(None)
        sender, conversation = team_of(self.world).asking.get(self.kept.tool_name, ("", []))
        sent = self._sent(text, conversation)
        with named(sender):
            if sent is None:  # the SDK says what is wrong with it
                return await self.kept.on_invoke_handoff(context, text)
            return await self._passes(sent, context, text)

    async def _passes(self, sent: Sent, context: Any, text: str | None) -> Any:
        team = team_of(self.world, crossing=True)
        way = "told" if self.kind is None else "typed"
        spoil = retold if self.kind is None else retyped(self.kind)
        crossed = leaves(team, self.to, sent, way, team.members, spoil)
        await is_lost_aio(crossed)
        if self.kind is not None and crossed.arrives is not sent.json:
            text = json.dumps(crossed.arrives)
        try:
            agent = await self.kept.on_invoke_handoff(context, text)
        except Exception as error:
            refused(crossed, error)
            raise
        if self.kind is None and crossed.arrives is not sent.json:
            spoiling.set(filter_of(sent.json, crossed.arrives))
        arrives(crossed)
        return team.members[crossed.other] if crossed.delivery == "misrouted" else agent

    def _sent(self, text: str | None, conversation: Json) -> Sent | None:
        if self.kind is None:
            return Sent({"task": self.world.task, "conversation": conversation}, None)
        try:
            given = json.loads(text or "")
            self.kind.model_validate(given)
        except ValueError:
            return None
        said = given if isinstance(given, dict) else {}
        sent = Sent(said, {name: said[name] for name in self.carry if name in said})
        sent.json, sent.kind = as_json(given), self.kind
        return sent
