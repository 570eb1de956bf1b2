"""What a claim may rest on: the ids and texts of a run, and what the answer behind an id says.

Law: pure functions of a history and a place in it; what came later is no source. An answer that was
spoilt on its way contradicts nobody. Asked by the laws about evidence.
"""

from collections.abc import Iterator, Mapping

from agentfuzz.core.between import Claimed, HandoffReceived, HandoffSent, SharedRead, SharedWritten
from agentfuzz.core.events import Called, Committed, Json, Messaged, ModelInput, ModelTurn, Replied
from agentfuzz.core.history import History, query
from agentfuzz.invariants.queries.belongings import agrees
from agentfuzz.invariants.queries.calls import doubtful
from agentfuzz.invariants.queries.texts import leaves


def knows(history: History, source: str, before: int) -> bool:
    """Whether a source stands in the run before an event: as an id, or within a text."""
    if any(source in text for text in leaves(dict(history.data))):
        return True
    first = _ids(history).get(source)
    if first is not None and first < before:
        return True
    return any(seq < before and source in text for seq, text in _texts(history))


@query
def _ids(history: History) -> Mapping[str, int]:
    """Each id, and the event from which on it is known."""
    found: dict[str, int] = {}
    for event in history.events:
        for name in _named(event):
            found.setdefault(name, event.seq)
    return found


def _named(event: object) -> Iterator[str]:
    if isinstance(event, Called):
        yield event.call
        yield str(event.slot)
        if event.asked:
            yield event.asked
    elif isinstance(event, ModelTurn):
        yield from (name for name, _, _ in event.calls)
    elif isinstance(event, Committed):
        yield event.effect_id
    elif isinstance(event, HandoffSent):
        yield event.handoff
    elif isinstance(event, (SharedRead, SharedWritten)):
        yield event.key


@query
def _texts(history: History) -> list[tuple[int, str]]:
    """Whatever was answered, shared, shown or handed over, with its place."""
    return [(event.seq, text) for event in history.events for text in _said(event)]


def _said(event: object) -> Iterator[str]:
    if isinstance(event, Replied):
        yield from leaves(event.body)
    elif isinstance(event, (SharedRead, SharedWritten)):
        yield from leaves(event.value)
    elif isinstance(event, HandoffReceived):
        yield from leaves(event.payload)
    elif isinstance(event, ModelInput):
        yield from (message.text for message in event.messages)
    elif isinstance(event, Messaged):
        yield event.text
    elif isinstance(event, Claimed):
        yield from event.sources


def said_of_item(
    history: History, source: str, item: str, value: Json, before: int
) -> tuple[Replied, Json] | None:
    """An answer behind a source that has another value in a field of this name, and that value;
    None if there is none, or another one that agrees."""
    other = None
    calls = {one.call for one in history.ledger if one.effect_id == source}
    for reply in history.of(Replied):
        call = history.calls.get(reply.call)
        if call is None or reply.seq >= before or not reply.complete or reply.raised:
            continue
        if source not in (call.call, str(call.slot), call.asked) and call.call not in calls:
            continue
        told = list(_fields(reply.body, item))
        if any(agrees(value, one) for one in told):
            return None
        if len(told) == 1 and not doubtful(history, call):  # of several it may be the sum
            other = reply, told[0]
    return other


def _fields(body: Json, name: str) -> Iterator[Json]:
    """The values of the fields of this name, however deep."""
    if isinstance(body, Mapping):
        if name in body:
            yield body[name]
        for each in body.values():
            yield from _fields(each, name)
    elif isinstance(body, (list, tuple)):
        for each in body:
            yield from _fields(each, name)
