"""A handoff is a message: what was sent is what arrives, whoever changes his own copy of it.

Law: the history tells what was sent and what arrived; neither a sender nor a receiver can change
either of them afterwards. A payload too large for a history reaches its receiver whole.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from agentfuzz import Payload, ScenarioError
from agentfuzz.core.between import Claimed, HandoffReceived, HandoffSent
from world.team.support import history

LONG = {"task": "refund", "text": "x" * 100_000, "rows": list(range(5_000)), "order": "A17"}


class Rows(BaseModel):
    task: str
    rows: list[int]
    carry: dict[str, Any] = {}


@dataclass
class Note:
    task: str
    words: list[str]


def taking(seen: list[Any], spoil: Any, *sent: Any):
    """Whoever takes what was sent tells what it is, and spoils it."""

    def agent(world):
        with world.acting("triage"):
            for one in sent:
                world.handoff("billing", one)
        with world.acting("billing"):
            for handed in world.inbox_of("billing"):
                seen.append(repr((handed.payload, handed.read())))
                spoil(handed.payload)
                spoil(handed.read())
                handed.accept()

    return agent


def empties(payload: Any) -> None:
    if isinstance(payload, dict):
        payload["rows"].append("mine")
        payload.pop("task")
    else:
        payload.rows.append(7)


@pytest.mark.parametrize(
    "sent", [{"task": "refund", "rows": [1]}, Rows(task="refund", rows=[1])], ids=["dict", "model"]
)
def test_a_receiver_changes_its_own_copy(sent):
    """The history, a second arrival and the sender have what was sent."""
    seen: list[Any] = []
    before = repr(sent)
    found = history(taking(seen, empties, sent), "handoff:billing#1:twice")
    payloads = [event.payload for event in found.of(HandoffSent)]
    payloads += [event.payload for event in found.of(HandoffReceived)]
    assert [(one["task"], one["rows"]) for one in payloads] == [("refund", [1])] * 3
    assert seen[0] == seen[1]
    assert repr(sent) == before


@pytest.mark.parametrize("fault", ["twice/stale", "once/poisoned", "once/trimmed", "once/invalid"])
def test_a_receiver_changes_its_own_copy_of_what_is_spoilt(fault):
    """The same under faults that spoil it: of two handoffs, the second."""
    first = {"task": "refund", "version": 1, "rows": [1], "order": "A17"}
    found = history(
        taking([], lambda one: one.get("rows", []).append(2), first, {**first, "version": 2}),
        f"handoff:billing#2:{fault}",
    )
    again = history(taking([], lambda one: None, first, {**first, "version": 2}), "")
    assert [one.payload for one in found.of(HandoffSent)] == [
        one.payload for one in again.of(HandoffSent)
    ]
    assert all(2 not in one.payload.get("rows", []) for one in found.of(HandoffReceived))


def test_a_sender_writes_on():
    """One dict for each version of a task: what was sent says which one it is."""
    seen = []

    def agent(world):
        message: dict[str, Any] = {"task": "refund", "version": 1, "rows": [1]}
        with world.acting("triage"):
            world.handoff("billing", message)
            message["version"] = 2
            message["rows"].append(2)
            world.handoff("billing", message)
            message.clear()
        seen.extend((one.payload, one.read()) for one in world.inbox_of("billing"))

    found = history(agent)
    first = {"task": "refund", "version": 1, "rows": [1]}
    second = {"task": "refund", "version": 2, "rows": [1, 2]}
    assert seen == [(first, first), (second, second)]
    assert [one.payload for one in found.of(HandoffSent)] == [first, second]


def test_a_sender_changes_its_model():
    """A model whose list has grown since is read as it was."""
    seen = []

    def agent(world):
        rows = Rows(task="refund", rows=[1])
        world.handoff("billing", rows)
        rows.rows.append(2)
        [handed] = world.inbox_of("billing")
        seen.append(handed.read())

    history(agent)
    assert seen == [Rows(task="refund", rows=[1])]


@pytest.mark.parametrize(
    ("sent", "size", "whole"),
    [
        (LONG, lambda one: (len(one["text"]), len(one["rows"])), (100_000, 5_000)),
        (Rows(task="refund", rows=LONG["rows"]), lambda one: len(one["rows"]), 5_000),
        (Note("refund", ["w" * 5_000] * 3), lambda one: len("".join(one["words"])), 15_000),
        ({"task": {"deep": [LONG]}}, lambda one: len(one["task"]["deep"][0]["text"]), 100_000),
    ],
    ids=["dict", "model", "dataclass", "deep"],
)
def test_what_is_large_arrives_whole(sent, size, whole):
    """The history tells the beginning of it; whoever takes it has all."""
    seen = []

    def agent(world):
        world.handoff("billing", sent)
        [handed] = world.inbox_of("billing")
        assert handed.read() == sent
        seen.append(size(handed.payload))

    found = history(agent)
    assert found.ended.how == "returned", found.ended
    assert seen == [whole]
    [sent_, got] = [*found.of(HandoffSent), *found.of(HandoffReceived)]
    assert sent_.payload == got.payload
    assert len(repr(got.payload)) < 30_000


@pytest.mark.parametrize("fault", ["once/poisoned", "once/trimmed", "once/invalid", "twice/stale"])
def test_what_is_large_is_spoilt_as_a_whole(fault):
    """A fault spoils one thing of it, and cuts nothing off."""
    seen = []

    def agent(world):
        for version in (1, 2):
            world.handoff("billing", {**LONG, "version": version})
        seen.extend(len(handed.payload.get("text", "")) for handed in world.inbox_of("billing"))

    found = history(agent, f"handoff:billing#2:{fault}")
    assert seen == [100_000] * len(found.of(HandoffReceived))
    assert max(len(repr(one.payload)) for one in found.of(HandoffReceived)) < 30_000


def test_what_goes_astray_is_a_copy():
    """A function that is called in place of another one may do what it likes with its argument."""

    def agent(world):
        def billing(task):
            return "paid"

        def shipping(task):
            task["rows"].append("mine")

        world.handoff_of(shipping)
        world.handoff_of(billing)({"task": "refund", "rows": [1]})

    found = history(agent, "handoff:billing#1:misrouted")
    [sent] = found.of(HandoffSent)
    [got] = found.of(HandoffReceived)
    assert got.agent == "shipping"
    assert sent.payload == got.payload == {"task": "refund", "rows": [1]}


class Odd:
    """Like an array: equal to nothing and different from nothing."""

    def __eq__(self, other):
        raise ValueError("ambiguous")

    def __repr__(self):
        return "odd"


def test_what_cannot_be_compared_is_handed_over():
    """What arrives is what a history tells of it."""

    def agent(world):
        world.handoff("billing", {"task": "refund", "odd": [Odd()]})
        return [handed.payload for handed in world.inbox_of("billing")]

    assert history(agent).ended.value == [{"task": "refund", "odd": ["odd"]}]


def test_what_cannot_be_copied_is_handed_on():
    """An object that cannot be copied is the one that was sent."""
    seen = []

    def agent(world):
        stream = (n for n in range(3))
        world.handoff("billing", {"task": "refund", "stream": stream})
        [handed] = world.inbox_of("billing")
        seen.append(handed.read()["stream"] is stream)

    history(agent)
    assert seen == [True]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda w: w.inbox_of("billing").receive(None), "receive"),
        (lambda w: w.inbox_of("billing").receive(float("inf")), "receive"),
        (lambda w: w.inbox_of("billing").receive("60"), "receive"),
        (lambda w: w.answered(w.handoff("billing", {"task": "t"}), "60"), "answered"),
        (lambda w: w.answered("handoff_1", 60), "world.handoff"),
        (lambda w: w.spawn("scout", 3), "the function that the child carries out"),
        (lambda w: w.handoff_of(3), "the function that is called"),
        (lambda w: w.handoff_over([], "billing"), "give a queue"),
    ],
)
def test_what_makes_no_sense_is_named(wrong, says):
    """A ScenarioError that says what to give."""
    with pytest.raises(ScenarioError, match=says):
        history(wrong)


def test_one_source_may_be_a_text():
    """A claim that rests on one result names it."""
    found = history(lambda world: world.claim("total", 42, "call_1"))
    assert [one.sources for one in found.of(Claimed)] == [("call_1",)]


def test_the_carry_of_a_payload_is_its_own():
    """What a payload carries is what it carried when it was sent."""
    facts = {"order": {"id": "A17"}}

    def agent(world):
        world.handoff("billing", Payload(task="refund", carry=facts))
        facts["order"]["id"] = "B18"
        [handed] = world.inbox_of("billing")
        assert handed.read().carry == {"order": {"id": "A17"}}
        handed.accept()

    assert history(agent).ended.how == "returned"
