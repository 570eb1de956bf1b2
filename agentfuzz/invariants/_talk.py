"""What a model was shown, what it asked for, and what came of it: the facts that the laws from
the field share.

Law: pure functions of a history. A conversation is known by its first user message; an input
belongs to the conversation that it goes on with, and a list of nothing but user and system
messages begins a new one. Called by the laws of pairing, asking, answers and endings.
"""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agentfuzz.core.events import Called, Done, Ended, Json, ModelInput, ModelTurn, Replied
from agentfuzz.core.history import History

CUT = 500  # characters of a message that a history keeps
DONE = "done"  # the tool that ends a task: its calls are Done events
UNFINISHED = {
    "length": "was cut off at its length limit",
    "cut": "broke off in the middle",
    "error": "was an error of the model's API",
}
_NO_ID = ("", "None")


class Conversation(NamedTuple):
    """The inputs of one conversation, in order, and how it opens."""

    opening: tuple[str, str]
    inputs: list[ModelInput]


class Asked(NamedTuple):
    """One call that a model asked for: the id and the tool, and the turn."""

    id: str
    tool: str
    arguments: Mapping[str, Json] | str
    turn: ModelTurn


def conversations(history: History) -> list[Conversation]:
    """The model inputs of a run by conversation, in order of their beginning."""
    found: list[Conversation] = []
    for given in history.of(ModelInput):
        opening = _opening(given)
        known = [each for each in found if each.opening == opening]
        now = set(bound(given))
        goes_on = [each for each in known if set(bound(each.inputs[-1])) <= now]
        if goes_on:
            nearest = max(reversed(goes_on), key=lambda each: len(set(bound(each.inputs[-1]))))
            nearest.inputs.append(given)
        elif known and not restarts(given):
            sharing = [each for each in known if now & set(bound(each.inputs[-1]))]
            (sharing or known)[-1].inputs.append(given)
        else:
            found.append(Conversation(opening, [given]))
    return found


def _opening(given: ModelInput) -> tuple[str, str]:
    messages = given.messages
    first = next((one for one in messages if one.role == "user"), messages[0] if messages else None)
    return (first.role, first.text) if first else ("", "")


def restarts(given: ModelInput) -> bool:
    """Whether an input holds nothing but what stands before a model's first turn."""
    return all(one.role in ("user", "system", "developer") for one in given.messages)


def bound(given: ModelInput) -> Iterator[tuple[str, str]]:
    """The calls and results of an input, in order: ("call", id) or ("result", id)."""
    for message in given.messages:
        for call in message.calls:
            if call not in _NO_ID:
                yield "call", call
        if message.answers is not None:
            yield "result", message.answers


def asked_for(history: History) -> list[Asked]:
    """Every call that a model asked for, in order; one id twice in a turn is twice here."""
    return [
        Asked(call, tool, arguments, turn)
        for turn in history.of(ModelTurn)
        for call, tool, arguments in turn.calls
    ]


def origin(asks: list[Asked], call: Called) -> Asked | None:
    """What an executed call goes back to: the last ask with its id before it."""
    return next((a for a in reversed(asks) if a.id == call.asked and a.turn.seq < call.seq), None)


def replies(history: History) -> dict[str, Replied]:
    """The reply of each call that got one."""
    return {reply.call: reply for reply in history.of(Replied)}


def clean(reply: Replied) -> bool:
    """Whether a reply says, whole and without an error, that the call was carried out."""
    applied = reply.outcome in ("applied", "replayed")
    return applied and reply.complete and reply.raised is None


def forms(body: Json) -> tuple[str, ...]:
    """How a reply may stand in a message: as text, as JSON, as Python writes it."""
    if isinstance(body, str):
        return (body.strip()[:CUT],)
    written = json.dumps(body, ensure_ascii=False)
    return (
        written[:CUT],
        json.dumps(body, ensure_ascii=False, sort_keys=True)[:CUT],
        str(body)[:CUT],
    )


def leaves(body: Json) -> Iterator[str]:
    """The texts and numbers in a reply: what can be recognised of it in other words."""
    if isinstance(body, Mapping):
        for item in body.values():
            yield from leaves(item)
    elif isinstance(body, (list, tuple)):
        for item in body:
            yield from leaves(item)
    elif isinstance(body, str):
        yield from [body.strip()] if body.strip() else ()
    elif body is not None and not isinstance(body, bool):
        yield str(body)


def closed_by_tool(history: History) -> Done | None:
    """The first valid completion by the done tool."""
    done = (each for each in history.of(Done) if each.via == "tool" and not each.problem)
    return next(done, None)


def passes_for_success(history: History) -> Ended | None:
    """The ending of a run that returned and does not say that the task is not done."""
    ended = history.ended
    if ended is None or ended.how != "returned" or history.claim not in ("success", None):
        return None
    return ended


def own_completion(ended: Ended) -> Mapping[str, Json] | None:
    """The Completion that the agent itself returned (not one mapped from its answer)."""
    value = ended.value
    fields = {"status", "reason", "handle", "detail"}
    return value if isinstance(value, Mapping) and fields == set(value) else None
