"""Values and histories as JSON: bounded, never raising, the same bytes everywhere."""

import dataclasses
import enum
import json

import pytest
from pydantic import BaseModel

from agentfuzz.core.between import (
    Acts,
    Claimed,
    Finished,
    HandoffAccepted,
    HandoffReceived,
    HandoffRejected,
    HandoffSent,
    Joined,
    SharedRead,
    SharedWritten,
    Spawned,
    Waited,
    Waits,
)
from agentfuzz.core.codec import (
    MAX_NODES,
    described,
    digest,
    dump,
    event_from_json,
    event_to_json,
    history_from_json,
    history_to_json,
    message,
    plain,
    scope_value,
    snapshot,
)
from agentfuzz.core.errors import SavedFileError
from agentfuzz.core.events import (
    EVENTS,
    Asserted,
    Called,
    Cancelled,
    Committed,
    Crashed,
    Decided,
    Delivered,
    Done,
    Ended,
    Intent,
    Interrupted,
    Messaged,
    ModelInput,
    ModelTurn,
    Refused,
    Replayed,
    Replied,
    Resumed,
    Saved,
    Shown,
    Struck,
    Unheard,
)
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.history import History, ToolFacts
from agentfuzz.model.reading import shown


class Charge(BaseModel):
    order_id: str
    amount: int = 42


@dataclasses.dataclass
class Parcel:
    weight: float
    inside: object = None


class Colour(enum.Enum):
    RED = 1


class Failing:
    def __repr__(self):
        raise ValueError("no")


class Looping:
    def __repr__(self):
        return f"<{self!r}>"


class FailingMapping(dict):
    def items(self):
        raise ValueError("no")


class Text(str):
    def __str__(self):
        return "lie"


def cycle():
    knot = [1]
    knot.append({"self": knot})
    return knot


def abyss():
    top = bottom = []
    for _ in range(10**5):
        bottom.append([])
        bottom = bottom[0]
    return top


HOSTILE = {
    "cycle": (cycle(), [1, {"self": "<cycle>"}]),
    "nan": (float("nan"), "<nan>"),
    "infinity": (float("-inf"), "<-inf>"),
    "big": ([2**200], ["<int of 201 bits>"]),
    "surrogate": ("a\ud800", "a\\ud800"),
    "bytes": (b"\x00abc", "<4 bytes AGFiYw==>"),
    "keys": ({1: "a", "1": "b"}, {"<int 1>": "a", "1": "b"}),
    "failing repr": (Failing(), "<Failing: repr failed: ValueError>"),
    "looping repr": (Looping(), "<Looping: repr failed: RecursionError>"),
    "failing mapping": (FailingMapping(), "<FailingMapping: ValueError>"),
    "address": (object(), "<object object>"),
    "pydantic": (Charge(order_id="A17"), {"order_id": "A17", "amount": 42}),
    "dataclass": (Parcel(1.5, Parcel(2.0)), {"weight": 1.5, "inside": {"weight": 2.0}}),
    "set": ({"b", "a", "c"}, ["a", "b", "c"]),
    "tuple": ((1, (2,)), [1, [2]]),
    "enum": (Colour.RED, "<Colour.RED: 1>"),
    "str subclass": (Text("truth"), "truth"),
    "shared": ([[1]] * 2, [[1], [1]]),
}
HOSTILE["dataclass"][1]["inside"]["inside"] = None


@pytest.mark.parametrize(("value", "expected"), HOSTILE.values(), ids=HOSTILE)
def test_plain(value, expected):
    """Whatever is handed over becomes a JSON tree; the odd is marked, never raised."""
    assert plain(value) == expected
    assert json.loads(dump(plain(value))) == expected


def test_plain_leaves_plain_values_alone():
    """What is JSON already stays what it is, negative zero and all."""
    value = {"a": [None, True, 0, -1, 1.5, -0.0, "text", "ü"], "b": {}}
    assert plain(value) == value
    assert plain(value) is not value
    assert repr(plain(-0.0)) == "-0.0"


def test_plain_is_bounded():
    """Depth 20, 1,000 items, 4 KB a string, 20,000 values."""
    assert dump(plain(abyss())).count("[") == 20
    assert plain(list(range(1002)))[-2:] == [999, "<2 more>"]
    assert plain(dict.fromkeys(map(str, range(1002))))["<more>"] == "<2 more>"
    assert plain("x" * 5000).endswith("x<904 more characters>")
    assert len(described("x" * 5000)) == 200
    assert dump(plain([[0] * 1000] * 100)).count("0,") <= MAX_NODES


def test_plain_does_not_consume_a_generator():
    """Looking at a value must not change the run."""
    numbers = (n for n in range(3))
    assert plain(numbers).startswith("<generator object")
    assert " at 0x" not in plain([numbers])[0]
    assert list(numbers) == [0, 1, 2]


def test_a_snapshot_does_not_follow_its_original():
    """The history keeps what an argument was, whoever changes it later."""
    items = [1]
    kept = snapshot({"items": items})
    items.append(2)
    assert kept == {"items": [1]}


def test_plain_marks_a_big_number_at_the_top_too():
    """An argument is the top of its tree: the bound holds there as well."""
    assert plain(2**200) == plain([2**200])[0]


def test_plain_of_a_huge_number():
    """A number with 5,000 digits is marked, and so is only that number."""
    assert dump(plain([10**5000, 1])).startswith('["<int')
    assert dump(plain(10**5000)).startswith('"<int')


class Unbound:
    @property
    def __class__(self):
        raise RuntimeError("a proxy outside of its context")


def test_plain_of_an_unbound_proxy():
    """A context-local proxy raises when asked for its class; it is marked, never raised."""
    assert plain(Unbound()).startswith("<Unbound")


class Mute(Exception):
    def __str__(self):
        raise ValueError("no")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("no such order"), "no such order"),
        (ValueError("x" * 501), "x" * 500),
        (ValueError("a\ud800"), "a\\ud800"),
        (Mute(), "Mute()"),
    ],
)
def test_the_message_of_an_exception(error, text):
    """Short, printable, and never another exception."""
    assert message(error) == text


@pytest.mark.parametrize(
    ("value", "scope"),
    [
        ("A17", "A17"),
        (2, 2),
        (None, None),
        (["b", 1], '["b",1]'),
        (float("nan"), "<nan>"),
        ("a\ud800", "a\\ud800"),
        (Colour.RED, "<Colour.RED: 1>"),
    ],
)
def test_a_scope_value_is_hashable_json(value, scope):
    """Equal scopes are equal intents, and every scope can be written down."""
    assert scope_value(value) == scope_value(value) == scope
    hash(scope_value(value))
    dump(scope_value(value)).encode()


# histories

INTENT = Intent("charge", (("order_id", "A17"), ("part", 2)))
SLOT = Slot("tool", "charge_card", 1)
HISTORY = History(
    [
        Called(0, 0.0, "c1", SLOT, {"order_id": "A17"}, "k1", INTENT, "loop.py:3 run"),
        Struck(1, 0.0, SLOT, Fault(("twice", "intact"))),
        Delivered(2, 0.0, "c1", 1),
        Committed(3, 0.0, "e1", "c1", 1, "charge_card", INTENT, "k1", {"order_id": "A17"}),
        Replayed(4, 0.0, "e1", "c1", 2),
        Replied(5, 1.5, "c1", "applied", True, {"id": [1, None, "ü"]}, None),
        Called(6, 1.5, "c2", Slot("tool", "lookup", 1), {}, None, None, None),
        Refused(7, 1.5, "c2", "invalid_arguments", "order_id is missing"),
        ModelTurn(8, 2.0, Slot("model", "", 1), 3, None, (("t1", "lookup", {"a": 1}),), "end"),
        Done(9, 2.0, "tool", "success", "completed", "ch_1", ""),
        Ended(10, 2.0, "returned", None, "", ""),
        ModelInput(11, 2.0, Slot("model", "", 1), (Shown("tool", "ok", ("t1",), "t1"),)),
        Saved(12, 2.0, Slot("process", "cursor", 1), {"at": 3}),
        Crashed(13, 2.0, Slot("process", "charge_card", 1)),
        Cancelled(14, 2.0, "token"),
        Messaged(15, 2.0, "Wait.", "inbox"),
        Interrupted(16, 2.0, "approval_1", "t1"),
        Decided(17, 2.0, "approval_1", "t1", True),
        Resumed(18, 3.0, "restart", 2, "crashed"),
        Asserted(19, 3.0, "test_it", "assert ok", "assert False"),
        Unheard(20, 3.0, "task", "audit", "ValueError", "no."),
        Acts(21, 3.0, "lead"),
        Spawned(22, 3.0, "scout", "lead", Slot("child", "scout", 1)),
        Waits(23, 3.0, "lead", "scout", "child"),
        Finished(24, 4.0, "scout", "returned", {"found": 3}),
        Waited(25, 4.0, "lead", "scout", "child", "came"),
        Joined(26, 4.0, "scout", "lead", "returned"),
        HandoffSent(
            27, 4.0, "handoff_1", Slot("handoff", "b", 1), "lead", "b", "t", 1, {}, {"n": 1}
        ),
        HandoffReceived(28, 4.0, "handoff_1", 1, "b", 1, {"n": 1}, ""),
        HandoffAccepted(29, 4.0, "handoff_1", 1, "b", {"n": 1}),
        HandoffRejected(30, 4.0, "handoff_1", 2, "b", "known"),
        SharedRead(31, 4.0, "b", "plan", 0, None),
        SharedWritten(32, 4.0, "b", "plan", 0, 1, ["a"], True),
        Claimed(33, 4.0, "b", "total", 4200, ("call_1", "ord_17")),
    ],
    {"charge_card": ToolFacts("charge_card", "charge", ("order_id", "part"), "key")},
)


def test_every_kind_of_event_is_in_the_test():
    """A new event must learn to travel."""
    assert {type(event) for event in HISTORY.events} == set(EVENTS.values())


@pytest.mark.parametrize("event", HISTORY.events, ids=lambda event: type(event).__name__)
def test_an_event_comes_back(event):
    """Written, printed, read: the same kind with the same fields."""
    again = event_from_json(json.loads(dump(event_to_json(event))))
    assert type(again) is type(event)
    assert again == event
    hash(getattr(again, "intent", None))


def test_a_history_comes_back():
    """The events and the facts about the tools, byte for byte."""
    text = dump(history_to_json(HISTORY), indent=1)
    again = history_from_json(json.loads(text))
    assert again.events == HISTORY.events
    assert again.tools == HISTORY.tools
    assert dump(history_to_json(again), indent=1) == text
    assert digest(again) == digest(HISTORY)
    assert len(digest(HISTORY)) == 64
    assert digest(History(HISTORY.events[:-1], HISTORY.tools)) != digest(HISTORY)


def test_canonical_bytes():
    """Sorted keys, no spaces, no escapes, strict numbers, no address of what slipped through."""
    assert dump({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}'
    assert dump([object()]) == '["<object object>"]'
    with pytest.raises(ValueError):
        dump(float("nan"))


GOOD = {"format": 2, "tools": {}, "events": []}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {**GOOD, "format": 3},
        {**GOOD, "format": 0},
        {**GOOD, "format": "2"},
        {"format": 2, "tools": {}},
        {"format": 1, "tools": {}},
        {"format": 1, "tools": {}, "events": [3]},
        {**GOOD, "tools": {"a": ["a"]}},
        {**GOOD, "tools": None},
        {**GOOD, "events": None},
        {**GOOD, "events": [{}]},
        {**GOOD, "events": [{"event": "Exploded"}]},
        {**GOOD, "events": [{"event": "Ended", "seq": 0}]},
        {**GOOD, "events": [{"event": "Struck", "seq": 0, "t": 0, "slot": ["a"], "fault": ""}]},
        {**GOOD, "events": [{"event": "Called", "intent": {"effect": "charge"}}]},
        {**GOOD, "events": [{"event": "Called", "intent": {"effect": "a", "scope": ["abc"]}}]},
        {**GOOD, "events": [{"event": "Struck", "seq": 0, "t": 0, "slot": SLOT, "fault": "x"}]},
        {
            **GOOD,
            "events": [
                {**event_to_json(one), "messages": [["user"]]}
                for one in HISTORY.events
                if type(one) is ModelInput
            ],
        },
    ],
)
def test_a_broken_file(data):
    """Anything but a history of this format is a SavedFileError, never a stray exception."""
    with pytest.raises(SavedFileError):
        history_from_json(data)


@pytest.mark.parametrize("data", [None, [], "text", {**GOOD, "events": ["abc"]}])
def test_a_file_of_another_shape(data):
    """JSON that is no object at all is a SavedFileError too."""
    with pytest.raises(SavedFileError):
        history_from_json(data)


# Where an object lies in memory.


def test_no_text_keeps_a_memory_address():
    """Arguments, replies, messages and exceptions that show an object are the same in every run;
    the address of a wallet is business."""
    one, other = object(), object()
    for make in (
        str,
        lambda it: {"seen": f"{it}"},
        lambda it: [f"{it} " * 9],
        lambda it: {"a": (it,)},
        lambda it: {f"{it}": 1},
        lambda it: {f"{it}": 1, "nested": {f"{it}": [1.5]}},
    ):
        assert plain(make(one)) == plain(make(other))
    assert (
        message(ValueError(f"no {one}"))
        == message(ValueError(f"no {other}"))
        == "no <object object>"
    )
    assert scope_value(str(one)) == "<object object>"
    cancelled = [f"Cancelled via cancel scope {id(it):x} by me" for it in (one, other)]
    assert len({message(ValueError(text)) for text in cancelled}) == 1
    wallet = "sent to the one at 0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
    assert (plain(wallet), message(ValueError(wallet))) == (wallet, wallet)


def test_a_message_that_is_cut_does_not_keep_half_an_address():
    """Whatever lies before it."""
    for length in range(440, 500):
        texts = {
            shown({"role": "user", "content": "x" * length + f" {it}" + "y" * 99}).text
            for it in (object(), object(), [object])
        }
        assert len({text for text in texts if "object object" in text}) <= 1
        assert not any(" at 0x" in text for text in texts)


def test_what_died_unheard_is_no_part_of_a_digest_of_format_1():
    """A counterexample of then is compared with what was told then."""
    events = [event for event in HISTORY.events if type(event) is not Unheard]
    early = [*events[:5], Unheard(5, 0.0, "task", "audit", "ValueError", "no."), *events[5:]]
    early = [event._replace(seq=seq) for seq, event in enumerate(early)]
    assert digest(History(early, HISTORY.tools), 1) == digest(History(events, HISTORY.tools), 1)
    assert digest(History(early, HISTORY.tools)) != digest(History(events, HISTORY.tools))
