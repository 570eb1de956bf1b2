"""A conversation that is handed over as it was said, and what faults make of it.

Law: a pure function of what was said, in the words of a world's model; None where nothing of it
could be spoilt so. Called by the adapters of frameworks whose handoffs take the conversation along.
"""

import json

from agentfuzz.core.events import Json
from agentfuzz.world.team.damage import damaged


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


def changed(before: Json, after: Json) -> tuple[Json, Json] | None:
    """The message of a conversation that is another one, as it was and as it is; None where the
    tools have been left out."""
    if len(before) != len(after):
        return None
    [(old, new)] = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    return old, new
