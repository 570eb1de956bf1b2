"""The law that a key is written down before it is used (AF109).

Law: a key that stands in memory alone is another one after a restart. Source: CATALOGUE law K4.
"""

import re
from collections.abc import Iterator, Mapping

from agentfuzz.core.events import Called, Json, Saved
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import keyed_calls

# How a recorded value says that there is more: bytes, long texts, long lists, deep trees.
_CUT = re.compile(r"<(\d+ bytes .*|\d+ more.*|more than \d+ values|deeper than \d+)>$")


@law(codes={"AF109": "A key was used before it was saved"}, catalogue="K4")
def key_saved_before_use() -> Check:
    """An idempotency key is saved before the first call that carries it. It stands in a saved
    value, or in the name under which one is saved.

    Where something was saved before that cannot be looked into (a store of the agent's own that
    shows no value, or a value that was cut), the key may stand there: such a key is not judged.
    A key that a restart derives again from the task needs no saving: leave the law out then.

    NOT_EXERCISED when no keyed write was called, or none of them could be judged.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        saved = [(event, _said(event)) for event in history.of(Saved)]
        first: dict[str, Called] = {}
        for call in keyed_calls(history):
            if call.key is not None:
                first.setdefault(call.key, call)
        found: list[Violation] = []
        exercised = False
        for key, call in first.items():
            where = next((event for event, said in saved if key in said), None)
            ahead = where is not None and where.seq < call.seq
            if not ahead and any(_unseen(event) for event, _ in saved if event.seq < call.seq):
                continue
            exercised = True
            if not ahead:
                found.append(_not_saved(call, key, where))
        return found if exercised else None

    return check


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield str(name)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)


def _said(event: Saved) -> str:
    """Everything that was written: the name, and every text of the value."""
    return "\0".join((event.slot.name, *_texts(event.value)))


def _unseen(event: Saved) -> bool:
    """Whether more was written than the history shows."""
    return event.value is None or any(_CUT.search(text) for text in _texts(event.value))


def _not_saved(call: Called, key: str, later: Saved | None) -> Violation:
    tool, intent = call.slot.name, call.intent
    assert intent is not None, "only effectful calls are keyed"
    when = "was never saved" if later is None else f"was saved after it ({later.slot.name!r})"
    return Violation(
        code="AF109",
        subject=intent.effect,
        title=f"{tool}: key not saved before",
        sentence=(
            f"{call.slot} carries the key {key!r}, which {when}: a process that dies in between "
            "comes back with another key."
        ),
        says=f"{call.slot} key {key!r}",
        world=when if later is None else f"saved at {later.t:g}s, sent at {call.t:g}s",
        witness=(call.seq,),
        hint="save the key under its intent, then send the request",
    )
