"""Handoffs of the OpenAI Agents SDK, as handoffs of a world.

Law: the transfer is the SDK's own, with its tool, its schema, its callbacks and its filters; only
what a fault of the plan says becomes of it differs. What is handed over is the typed input where
there is one, and else the task with all that the asking model had been shown. Called by the
openai_agents adapter.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import fields, replace
from typing import Any, NamedTuple

from agents import Agent, HandoffInputData
from agents import Handoff as SdkHandoff
from agents import handoff as sdk_handoff
from agents.extensions.handoff_filters import remove_all_tools
from agents.items import RunItem
from pydantic import TypeAdapter

from agentfuzz.core.codec import plain as as_json
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Json
from agentfuzz.world.acting import named
from agentfuzz.world.team.damage import damaged
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.team.transfers import arrives, is_lost_aio, leaves, refused
from agentfuzz.world.world import World

Filter = Callable[[HandoffInputData], HandoffInputData]
_Handoff: Any = SdkHandoff  # of one parameter in old releases, of two in new ones
_spoiling: ContextVar[Filter | None] = ContextVar("agentfuzz_openai_spoiling", default=None)


def handoff(
    world: World, agent: Agent[Any], carry: Iterable[str], options: Mapping[str, Any]
) -> "SdkHandoff[Any, Agent[Any]]":
    """The SDK's handoff to this agent, as a crossing of the world."""
    name = getattr(agent.model, "agent", None)
    if not name:
        raise ScenarioError(
            f"handoff(world, {agent.name}): nobody knows which agent of the world this is; give it "
            'model=adapters.openai_agents.model(world, agent="...").'
        )
    team_of(world).members[name] = agent
    kept = sdk_handoff(agent, **options)
    input_type = options.get("input_type")
    crossing = _Crossing(
        world, name, kept, tuple(carry), _Typed(input_type) if input_type else None
    )
    given = {one.name: getattr(kept, one.name) for one in fields(kept) if one.init}
    made = Passed(**{**given, "on_invoke_handoff": crossing})
    made._agent_ref = getattr(kept, "_agent_ref", None)
    return made


class Passed(_Handoff):
    """A handoff whose filter of the conversation is the user's, until a fault strikes it: without
    a filter the SDK goes a way of its own."""

    @property
    def input_filter(self) -> Any:
        """What becomes of what has been said."""
        spoil, own = _spoiling.get(), self.__dict__["input_filter"]
        if spoil is None or own is None:
            return spoil or own
        return _one_after_the_other(own, spoil)

    @input_filter.setter
    def input_filter(self, given: Any) -> None:
        self.__dict__["input_filter"] = given


def _one_after_the_other(own: Any, spoil: Filter) -> Any:
    async def filtered(data: HandoffInputData) -> HandoffInputData:
        found = own(data)
        return spoil(await found if hasattr(found, "__await__") else found)

    return filtered


class _Typed(NamedTuple):
    """The type of what a handoff is called with, as the SDK reads it."""

    of: Any

    def model_validate(self, value: Json) -> Any:
        """The object. Raises pydantic's ValidationError."""
        return TypeAdapter(self.of).validate_json(json.dumps(value), strict=True)


class _Crossing(NamedTuple):
    """What the SDK calls when a model asks for the transfer."""

    world: World
    to: str
    kept: Any
    carry: tuple[str, ...]
    kind: _Typed | None

    async def __call__(self, context: Any, text: str | None = None) -> Any:
        _spoiling.set(None)
        sender, conversation = team_of(self.world).asking.get(self.kept.tool_name, ("", []))
        sent = self._sent(text, conversation)
        with named(sender):
            if sent is None:  # the SDK says what is wrong with it
                return await self.kept.on_invoke_handoff(context, text)
            return await self._passes(sent, context, text)

    async def _passes(self, sent: Sent, context: Any, text: str | None) -> Any:
        team = team_of(self.world, crossing=True)
        way = "told" if self.kind is None else "typed"
        spoil = _retold if self.kind is None else _retyped(self.kind)
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
            _spoiling.set(_filter(sent.json, crossed.arrives))
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


def _retyped(kind: _Typed) -> Callable[[str, int, Json, Json], Json]:
    def spoil(way: str, variant: int, payload: Json, before: Json) -> Json:
        if way == "stale":
            try:
                kind.model_validate(before)
            except ValueError:  # that one went to somebody else
                return None
        return damaged(way, variant, payload, before)

    return spoil


# What has been said ---------------------------------------------------------------------------


def _retold(way: str, variant: int, payload: Json, before: Json) -> Json:
    """The conversation without its tools, or with another value in the result of one."""
    said = payload["conversation"]
    if way == "trimmed":
        kept = [one for one in said if one.get("role") != "tool" and not one.get("tool_calls")]
        return None if variant or len(kept) == len(said) else {**payload, "conversation": kept}
    for n in reversed(range(len(said))):
        if said[n].get("role") == "tool" and (worse := _poisoned(said[n]["content"], variant)):
            changed = {**said[n], "content": worse}
            return {**payload, "conversation": [*said[:n], changed, *said[n + 1 :]]}
    return None


def _poisoned(text: str, variant: int) -> str:
    try:
        found = damaged("poisoned", variant, json.loads(text), None)
    except ValueError:
        return ""
    return "" if found is None else json.dumps(found)


def _filter(sent: Json, arrived: Json) -> Filter:
    """The change of a conversation as the SDK's filter of it."""
    before, after = sent["conversation"], arrived["conversation"]
    if len(before) != len(after):
        return remove_all_tools
    [(old, new)] = [(a, b) for a, b in zip(before, after, strict=True) if a != b]

    def poisoned(data: HandoffInputData) -> HandoffInputData:
        def item(one: RunItem) -> RunItem:
            raw = one.raw_item
            return replace(one, raw_item=told(raw)) if isinstance(raw, dict) else one

        def told(raw: Any) -> Any:
            if raw.get("call_id") == old["tool_call_id"] and raw.get("output") == old["content"]:
                return {**raw, "output": new["content"]}
            return raw

        history = data.input_history
        inputs = data.input_items
        return data.clone(
            input_history=history if isinstance(history, str) else tuple(map(told, history)),
            pre_handoff_items=tuple(map(item, data.pre_handoff_items)),
            new_items=tuple(map(item, data.new_items)),
            input_items=None if inputs is None else tuple(map(item, inputs)),
        )

    return poisoned
