"""The law that no key comes from a model's words (AF113).

Law: a key belongs to the intent, and does not move when a model says the same thing otherwise.
Source: CATALOGUE law K3.
"""

import re

from agentfuzz.core.events import Called, Intent, Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import keyed_calls

SAME_MEANING = ("drift", "repeat", "reword")  # model faults that change words, not intents
_RANDOM = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}")


@law(codes={"AF113": "The key follows the words of the model"}, catalogue="K3", needs_baseline=True)
def key_not_from_model() -> Check:
    """A key does not change when the model says the same in other words.

    When the model says the same otherwise (`drift`, `repeat`, `reword`), every intent that is
    called in both runs carries a key that it carries in the fault-free run.

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
        found: list[Violation] = []
        exercised = False
        for call in keyed_calls(history):
            assert call.intent is not None, "only effectful calls are keyed"
            keys = expected.get(call.intent, [])
            if not any(keys) or _random(call.key) or any(map(_random, keys)):
                continue
            exercised = True
            if call.key not in keys:
                found.append(_moved(struck, call, keys[0]))
        return found if exercised else None

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
        code="AF113",
        subject=intent.effect,
        title=f"{tool}: the model moved its key",
        sentence=(
            f"{intent} came with key {call.key!r}, and with {key!r} in the run without faults: the "
            "model said the same in other words, and the key followed the words."
        ),
        says=f"{call.slot} key {call.key!r}",
        world=f"fault-free key {key!r}",
        witness=(*(event.seq for event in before[-1:]), call.seq),
        hint=(
            "build the key from run, step, tool and business scope; never from a model's "
            "arguments, its call ids or the number of its turns"
        ),
    )
