"""The conversation that a handoff of the OpenAI Agents SDK hands over, and what faults make of it.

Law: only what the fault says is changed, once in the words of the world and once as the SDK's
filter of its own history. Called by `handoffs`.
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from agents import Handoff, HandoffInputData
from agents.extensions.handoff_filters import remove_all_tools
from agents.items import RunItem

from agentfuzz.core.events import Json
from agentfuzz.world.team.damage import damaged

Filter = Callable[[HandoffInputData], HandoffInputData]
_Handoff: Any = Handoff  # of one parameter in old releases, of two in new ones
spoiling: ContextVar[Filter | None] = ContextVar("agentfuzz_openai_spoiling", default=None)


class Passed(_Handoff):
    """A handoff whose filter of the conversation is the user's, until a fault strikes it: without
    a filter the SDK goes a way of its own."""

    @property
    def input_filter(self) -> Any:
        """What becomes of what has been said."""
        spoil, own = spoiling.get(), self.__dict__["input_filter"]
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


def retold(way: str, variant: int, payload: Json, before: Json) -> Json:
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


def filter_of(sent: Json, arrived: Json) -> Filter:
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
