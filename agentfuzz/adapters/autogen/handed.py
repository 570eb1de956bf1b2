"""What a HandoffMessage of AutoGen carries: its words, and the model's context beside them.

Law: words that the framework says by itself are no payload; words that are a JSON object are its
fields. Only what a fault says is changed. Called by `swarm`.
"""

import json
from collections.abc import Mapping
from typing import Any

from autogen_agentchat.base import Handoff
from autogen_agentchat.messages import HandoffMessage

from agentfuzz.core.events import Json
from agentfuzz.world.team.damage import damaged
from agentfuzz.world.team.payload import Sent

CONTEXT, TEXT = "context", "text"


def sent_with(message: HandoffMessage, carry: tuple[str, ...]) -> Sent:
    """The payload of a message; `carry` names those of its fields that must arrive."""
    fields = _fields(message.content)
    if fields is not None:
        said = fields
    else:
        own = Handoff(target=message.target).message
        said = {} if message.content == own else {TEXT: message.content}
    facts = {name: said[name] for name in carry if name in said}
    context = message.model_dump(mode="json").get(CONTEXT)  # 0.4.2 has none
    return Sent({**said, CONTEXT: context} if context else said, facts)


def kept(sent: Sent, arrived: Json) -> dict[str, Any]:
    """What of a message is another one, where something else arrived than was sent."""
    if arrived is sent.json or not isinstance(arrived, Mapping):
        return {}
    said = {name: value for name, value in arrived.items() if name != CONTEXT}
    context = arrived.get(CONTEXT, [])
    changed = HandoffMessage.model_validate(
        {"source": "", "target": "", "content": _words(said), CONTEXT: context}
    )
    found: dict[str, Any] = {"content": changed.content} if said else {}
    told = CONTEXT in sent.json or CONTEXT in arrived
    return {**found, CONTEXT: changed.context} if told else found


def spoilt(way: str, variant: int, payload: Json, before: Json) -> Json:
    """A payload as it arrives, or None where this cannot happen to it."""
    if way == "stale":
        return None if before == payload else before
    if way == "buried":
        text = payload.get(TEXT)
        return {**payload, TEXT: damaged(way, variant, text, None)} if text else None
    if way == "poisoned":
        said = {name: value for name, value in payload.items() if name != CONTEXT}
        worse = damaged(way, variant, said, None)
        return _told_wrong(payload, variant) if worse is None else {**payload, **worse}
    return damaged(way, variant, payload, before)


def _told_wrong(payload: Json, variant: int) -> Json:
    """Another value in the result of the last call that is handed over."""
    context = payload.get(CONTEXT, [])
    for n in reversed(range(len(context))):
        results = context[n]["content"]
        if context[n]["type"] != "FunctionExecutionResultMessage" or not results:
            continue
        fields = _fields(results[-1]["content"])
        worse = None if fields is None else damaged("poisoned", variant, fields, None)
        if worse is not None:
            result = {**results[-1], "content": json.dumps(worse)}
            told = {**context[n], "content": [*results[:-1], result]}
            return {**payload, CONTEXT: [*context[:n], told, *context[n + 1 :]]}
    return None


def _fields(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and not {CONTEXT, TEXT} & set(found) else None


def _words(said: Mapping[str, Any]) -> str:
    return str(said[TEXT]) if set(said) == {TEXT} else json.dumps(said)
