"""Laws about where keys come from: not from a model's words, and not from memory alone (AF109,
AF113).

Law: a key belongs to the intent. It does not move when a model says the same thing otherwise, and
it is written down before it is used, so that a restart finds it. Called by the run through
`Invariant`. Source: CATALOGUE laws K3 and K4.
"""

import re
from collections.abc import Iterator, Mapping

from agentfuzz.core.events import Called, Intent, Json, Saved, Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law
from agentfuzz.invariants.keys import keyed_calls

SAME_MEANING = ("drift", "repeat", "reword")  # model faults that change words, not intents
_RANDOM = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}")

# How a recorded value says that there is more: bytes, long texts, long lists, deep trees.
_CUT = re.compile(r"<(\d+ bytes .*|\d+ more.*|more than \d+ values|deeper than \d+)>$")


@law(needs_baseline=True)
def key_not_from_model() -> Check:
    """K3: the model says the same otherwise (`drift`, `repeat`, `reword`), and every intent that
    is called in both runs carries a key that it carries in the fault-free run.

    A departure: a random key (a UUID of version 4) is derived from nothing, and another one in
    another run says nothing; whether it stays the same within a run is for
    `same_key_on_retry` to judge.

    NOT_EXERCISED when anything but these faults struck, or nothing, or no such intent had a key.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        struck = history.of(Struck)
        if not struck or not all(_says_the_same(event) for event in struck):
            return None
        expected: dict[Intent, list[str | None]] = {}
        for call in keyed_calls(baseline):
            assert call.intent is not None, "only effectful calls are keyed"
            expected.setdefault(call.intent, []).append(call.key)
        found: dict[tuple[str, str], Violation] = {}
        exercised = False
        for call in keyed_calls(history):
            assert call.intent is not None, "only effectful calls are keyed"
            keys = expected.get(call.intent, [])
            if not any(keys) or _random(call.key) or any(map(_random, keys)):
                continue
            exercised = True
            if call.key not in keys:
                violation = _moved(struck, call, keys[0])
                found.setdefault(violation.signature, violation)
        return list(found.values()) if exercised else None

    return check


def _says_the_same(event: Struck) -> bool:
    return event.slot.boundary == "model" and event.fault.axes[0] in SAME_MEANING


def _random(key: str | None) -> bool:
    return key is not None and _RANDOM.search(key.lower()) is not None


def _moved(struck: list[Struck], call: Called, key: str | None) -> Violation:
    tool, intent = call.slot.name, call.intent
    assert intent is not None, "only effectful calls are keyed"
    before = [event for event in struck if event.seq < call.seq]
    return Violation(
        "AF113",
        intent.effect,
        f"{tool}: the model moved its key",
        f"{intent} came with key {call.key!r}, and with {key!r} in the run without faults: the "
        "model said the same in other words, and the key followed the words.",
        f"{call.slot} key {call.key!r}",
        f"fault-free key {key!r}",
        (*(event.seq for event in before[-1:]), call.seq),
        "build the key from run, step, tool and business scope; never from a model's arguments, "
        "its call ids or the number of its turns",
    )


@law()
def key_saved_before_use() -> Check:
    """K4: the key of a keyed write has been saved (it stands in a saved value, or in the name
    under which one is saved) before the first call that carries it.

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
        found: dict[tuple[str, str], Violation] = {}
        exercised = False
        for key, call in first.items():
            where = next((event for event, said in saved if key in said), None)
            ahead = where is not None and where.seq < call.seq
            if not ahead and any(_unseen(event) for event, _ in saved if event.seq < call.seq):
                continue
            exercised = True
            if not ahead:
                violation = _not_saved(call, key, where)
                found.setdefault(violation.signature, violation)
        return list(found.values()) if exercised else None

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
        "AF109",
        intent.effect,
        f"{tool}: key not saved before",
        f"{call.slot} carries the key {key!r}, which {when}: a process that dies in between comes "
        "back with another key.",
        f"{call.slot} key {key!r}",
        when if later is None else f"saved at {later.t:g}s, sent at {call.t:g}s",
        (call.seq,),
        "save the key under its intent, then send the request",
    )
