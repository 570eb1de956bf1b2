"""OpenAI's items as its server stores them, and its lists of such.

Law: pure; an item is stored as it was said, under its own id or a new one, with what the provider
fills in. A list is the provider's: newest first unless asked otherwise, and twenty at a time.
Called by the wire's face for what is stored.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agentfuzz.providers.openai_items import show
from agentfuzz.providers.strict.refusal import Range, in_range, not_longer
from agentfuzz.providers.turns import Json, Message, Refusal, Stamp, objects

MOST = 20  # items of one request, and of a page that says nothing
_LIMIT = {"limit": Range(1, 100, whole=True)}
_BEGINS = {
    "message": "msg_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    "reasoning": "rs_",
}
_GIVEN = 1000  # the first number of an id of an item that was sent; those of a reply count from 0


def stored(given: Any, known: Mapping[str, Message], stamp: Stamp) -> list[Message]:
    """The input of a request as items: `known` are those that it may name."""
    if given is None:
        return []
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    found = []
    for nth, item in enumerate(given):
        if not _is_reference(item):
            found.append(_item(item, stamp, _GIVEN + nth))
        elif item.get("id") in known:
            found.append(known[item["id"]])
    return found


def _is_reference(item: Mapping[str, Any]) -> bool:
    return item.get("type") in ("item_reference", "", None) and "role" not in item


def created(given: Any, known: Mapping[str, Message], stamp: Stamp) -> list[Message]:
    """The items of a request that adds some. Raises BadRequest for what cannot be one."""
    items = objects(given, "items")
    not_longer(items, MOST, "items")
    for nth, item in enumerate(items):
        if _is_reference(item):
            if item.get("id") not in known:
                raise missing("Item", str(item.get("id")))
        else:
            show(item, [], f"items[{nth}]", {})
    return stored(items, known, stamp)


def _item(item: Mapping[str, Any], stamp: Stamp, nth: int) -> Message:
    kind = item.get("type") or "message"
    name = item.get("id") or stamp.id(_BEGINS.get(kind, "item_"), nth)
    made: Message = {"status": "completed", **item, "id": name, "type": kind}
    if kind == "message" and isinstance(item.get("content"), str):
        said = {"type": "input_text", "text": item["content"]}
        if item.get("role") == "assistant":
            said |= {"type": "output_text", "annotations": [], "logprobs": []}
        made["content"] = [said]
    return made


def page(items: Sequence[Message], query: Mapping[str, str]) -> Json:
    """What a query asks of a list. Raises Refusal."""
    asked: dict[str, Any] = dict(query)
    if (limit := query.get("limit", "")).removeprefix("-").isdigit():
        asked["limit"] = int(limit)
    in_range(asked, _LIMIT)
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise Refusal(
            f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.",
            "order",
            "invalid_value",
        )
    found = list(items) if order == "asc" else list(reversed(items))
    after, size = query.get("after"), asked.get("limit", MOST)
    if after is not None:
        places = [nth for nth, item in enumerate(found) if item["id"] == after]
        if not places:
            raise missing("Item", after)
        found = found[places[0] + 1 :]
    shown = found[:size]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(found) > size,
    }


def missing(what: str, name: str) -> Refusal:
    """There is nothing of this id."""
    return Refusal(f"{what} with id '{name}' not found.", status=404)
