"""The conversation that a handoff of the OpenAI Agents SDK hands over, and what faults make of it.

Law: only what the fault says is changed, once in the words of the world and once as the SDK's
filter of its own history. Called by `handoffs`.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from agents import Handoff, HandoffInputData
from agents.extensions.handoff_filters import remove_all_tools
from agents.items import RunItem

from agentfuzz.adapters.contract.retold import changed
from agentfuzz.core.events import Json

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


def filter_of(sent: Json, arrived: Json) -> Filter:
    """The change of a conversation as the SDK's filter of it."""
    one = changed(sent["conversation"], arrived["conversation"])
    if one is None:
        return remove_all_tools
    old, new = one

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
