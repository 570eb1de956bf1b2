"""What a model was shown, and what it asked for.

Law: pure functions of a history. A conversation is known by its first user message; an input
belongs to the conversation that it goes on with, and a list of nothing but user and system
messages begins a new one. Asked by the laws of protocol, claims and endings.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agentfuzz.core.events import Called, Done, Json, ModelInput, ModelTurn
from agentfuzz.core.history import History, query
from agentfuzz.invariants.queries.calls import logical, logical_of

DONE = "done"  # the tool that ends a task: its calls are Done events
UNFINISHED = {
    "length": "was cut off at its length limit",
    "cut": "broke off in the middle",
    "withheld": "was withheld by a filter",
    "paused": "was paused, to be gone on with",
    "error": "was an error of the model's API",
}
NOT_SAID = ("error", "refused")  # the text of such a turn is no word of the model
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


@query
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


@query
def asked_for(history: History) -> list[Asked]:
    """Every call that a model asked for, in order; one id twice in a turn is twice here."""
    return [
        Asked(call, tool, arguments, turn)
        for turn in history.of(ModelTurn)
        for call, tool, arguments in turn.calls
    ]


def origin(history: History, call: Called) -> Asked | None:
    """What an executed call goes back to: the last ask with its id before it; of several in one
    turn, the one that is most like it."""
    if call.asked is None:
        return None
    asks = [ask for ask in _by_id(history).get(call.asked, ()) if ask.turn.seq < call.seq]
    here = [ask for ask in asks if ask.turn is asks[-1].turn]
    return max(here, key=lambda ask: _alike(ask, call), default=None)


def _alike(ask: Asked, call: Called) -> tuple[bool, bool]:
    same = ask.tool == call.slot.name
    if not same or not isinstance(ask.arguments, Mapping):
        return same, False
    return same, logical_of(ask.tool, ask.arguments) == logical(call)


def times_asked(history: History, call: str, before: int) -> int:
    """In how many turns before an event a model gave this id to a call: more than one where it
    counts anew in each."""
    turns = {ask.turn.seq for ask in _by_id(history).get(call, ()) if ask.turn.seq < before}
    return len(turns)


def begun_after(history: History, before: Called, call: Called) -> bool:
    """Whether a call was made in the light of what another was answered: after its reply, and not
    asked for beside it, under an id of its own in one turn of a model (a fan-out)."""
    reply = history.replies.get(before.call)
    if reply is None or reply.seq > call.seq:
        return False
    first, second = origin(history, before), origin(history, call)
    if first is None or second is None or first.turn is not second.turn:
        return True
    return first.id == second.id


def asked_by_model(history: History, done: Done) -> ModelTurn | None:
    """The turn in whose own words the done tool was called: the model's last one before, if it
    asked for a completion with this status."""
    if done.via != "tool":
        return None
    turn = next((turn for turn in reversed(history.of(ModelTurn)) if turn.seq < done.seq), None)
    for _, tool, said in turn.calls if turn is not None else ():
        if tool == DONE and isinstance(said, Mapping) and said.get("status") == done.status:
            return turn
    return None


def last_asked(history: History, call: str, before: int) -> Asked | None:
    """The last time that a model asked for a call with this id before an event."""
    asks = _by_id(history).get(call, ())
    return next((ask for ask in reversed(asks) if ask.turn.seq < before), None)


@query
def _by_id(history: History) -> dict[str, list[Asked]]:
    found: dict[str, list[Asked]] = {}
    for ask in asked_for(history):
        found.setdefault(ask.id, []).append(ask)
    return found
