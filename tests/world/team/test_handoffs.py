"""Handoffs through mailboxes: what was sent, what arrives, and what each fault makes of it."""

import pytest

from agentfuzz import Payload, World
from agentfuzz.core.between import (
    HandoffAccepted,
    HandoffReceived,
    HandoffRejected,
    HandoffSent,
)
from agentfuzz.core.events import Struck
from world.team.support import history, told


def send(world: World, version: int = 1, limit: int = 50):
    with world.acting("triage"):
        return world.handoff(
            "billing",
            Payload(task="A17", version=version, carry={"limit": limit}, effects=("e_1",)),
        )


def take_all(world: World, name: str = "billing"):
    with world.acting(name):
        return [(one.id, one.payload) for one in world.inbox_of(name)]


def test_one_handoff_from_end_to_end():
    """Sent, received, accepted: each with the agent, the version and what it carries."""
    seen = []

    def agent(world):
        receipt = send(world)
        with world.acting("billing"):
            handed = world.inbox_of("billing").take()
            seen.append((handed.sender, handed.read().carry, receipt.status))
            handed.accept()
            handed.reject("no, after all")
        seen.append((receipt.status, receipt.reason, repr(receipt)))

    found = history(agent)
    assert seen == [
        ("triage", {"limit": 50}, "sent"),
        ("accepted", "", "<handoff_1 to billing: accepted>"),
    ]
    (sent,) = found.of(HandoffSent)
    assert (sent.sender, sent.to, sent.task, sent.version) == ("triage", "billing", "A17", 1)
    assert sent.carry == {"limit": 50}
    assert told(found, HandoffReceived)[0][:4] == ("handoff_1", 1, "billing", 1)
    assert told(found, HandoffAccepted) == [("handoff_1", 1, "billing", {"limit": 50})]
    assert told(found, HandoffRejected) == [("handoff_1", 1, "billing", "no, after all")]


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [
        ("once", [1]),
        ("lost", []),
        ("twice", [1, 1]),
        ("misrouted", []),
    ],
)
def test_how_often_it_arrives(fault, arrives):
    """Once, never, two times, or elsewhere: at the first agent that it is not for."""
    got = {}

    def agent(world):
        send(world)
        got["billing"], got["shipping"] = take_all(world), take_all(world, "shipping")

    plan = "" if fault == "once" else f"handoff:billing#1:{fault}"
    found = history(agent, plan)
    assert [payload["version"] for _, payload in got["billing"]] == arrives
    assert len(got["shipping"]) == (fault == "misrouted")
    assert len(found.of(Struck)) == (fault != "once")
    assert [one.nth for one in found.of(HandoffReceived)] == [1, 2][
        : len(found.of(HandoffReceived))
    ]


def test_late():
    """After 45 virtual seconds, for whoever still waits, sync or by looking again."""
    at = []

    def agent(world):
        send(world)
        at.append(len(take_all(world)))
        with world.acting("billing"), pytest.raises(TimeoutError, match="within 30 s"):
            world.inbox_of("billing").receive(30)
        with world.acting("billing"):
            world.inbox_of("billing").receive(60)
        at.append(world.clock.now)

    history(agent, "handoff:billing#1:late")
    assert at == [0, 45.0]


def test_reordered():
    """The next one overtakes it; with no next one it is late."""
    order, alone = [], []

    def two(world):
        send(world, 1)
        send(world, 2)
        order.extend(payload["version"] for _, payload in take_all(world))

    def one(world):
        send(world, 1)
        with world.acting("billing"):
            alone.append(world.inbox_of("billing").receive(100).payload["version"])
        alone.append(world.clock.now)

    history(two, "handoff:billing#1:reordered")
    history(one, "handoff:billing#1:reordered")
    assert order == [2, 1]
    assert alone == [1, 45.0]


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        ("once/trimmed", {"effects": []}),
        ("once/trimmed=2", {"carry": {}}),
        ("once/invalid=1", {"stauts": "kind of"}),
        ("once/poisoned", {"carry": {"limit": 500}}),
    ],
)
def test_what_arrives(fault, changed):
    """Without a part, breaking its type, with another value: and the world says what is wrong."""
    got = []

    def agent(world):
        send(world)
        got.extend(take_all(world))

    found = history(agent, f"handoff:billing#1:{fault}")
    payload = got[0][1]
    assert {name: payload[name] for name in changed} == changed
    (received,) = found.of(HandoffReceived)
    assert bool(received.problem) == ("invalid" in fault)


def test_buried():
    """What had to arrive stands in the middle of a long text, which a reader skims."""
    got = []

    def agent(world):
        send(world)
        with world.acting("billing"):
            got.append(world.inbox_of("billing").take())

    history(agent, "handoff:billing#1:once/buried")
    assert got[0].payload["carry"] == {}
    assert "limit: 50" in got[0].payload["text"]
    assert "limit: 50" not in got[0].text
    assert len(got[0].text) < 420


def test_an_invalid_one_cannot_be_read():
    """`read` raises; what it is for is in the error."""
    raised = []

    def agent(world):
        send(world)
        with world.acting("billing"):
            handed = world.inbox_of("billing").take()
            with pytest.raises(ValueError, match="task") as caught:
                handed.read()
            raised.append(caught.value)
            handed.reject("no task")

    found = history(agent, "handoff:billing#1:once/invalid")
    assert len(raised) == 1
    assert told(found, HandoffRejected) == [("handoff_1", 1, "billing", "no task")]


def test_stale_is_the_state_before():
    """Of the second state of a task the first one arrives; of two deliveries the second is it."""
    got, twice = [], []

    def agent(world, got=got):
        send(world, 1, 50)
        send(world, 2, 80)
        got.extend(payload["carry"]["limit"] for _, payload in take_all(world))

    history(agent, "handoff:billing#2:once/stale")
    history(lambda world: agent(world, twice), "handoff:billing#2:twice/stale")
    assert got == [50, 50]
    assert twice == [50, 80, 50]


def test_what_cannot_be_spoilt_so_does_not_strike():
    """No earlier state, nobody else, no such field: the handoff arrives, and no fault is told."""
    for plan in ("handoff:billing#1:once/stale", "handoff:billing#1:once/poisoned=2"):
        found = history(send, plan)
        assert found.of(Struck) == []


def test_a_dict_of_ones_own_is_known_by_its_fields():
    """A field that is missing, one too many, another type: each is a problem."""
    problems = []

    def agent(world, way):
        world.handoff("billing", {"order": "A17", "amount": 4200, "lines": [1, 2]})
        take_all(world)

    for n in range(3):
        found = history(
            lambda w: agent(w, 0),
            f"handoff:billing#1:once/invalid={n}" if n else "handoff:billing#1:once/invalid",
        )
        problems.extend(one.problem for one in found.of(HandoffReceived))
    assert problems == ["order: missing", "stauts: not known", "a str instead of a dict"]


def test_mailboxes_outlive_the_process():
    """What arrived and was not taken waits for the process that is started again."""
    legs = []

    def agent(world):
        if world.leg == 1:
            send(world)
            world.tools.refund(order_id="A17")
        legs.append((world.leg, [payload["task"] for _, payload in take_all(world)]))

    history(agent, "process:refund#1:crash/after")
    assert legs == [(2, ["A17"])]


def test_an_answer_is_waited_for():
    """`answered` lets time pass until the receiver has said yes or no."""
    said = []

    def agent(world):
        lost = send(world)
        said.append((world.answered(lost, 60), world.clock.now))
        kept = send(world, 2)
        with world.acting("billing"):
            world.inbox_of("billing").take().accept()
        said.append((world.answered(kept, 60), world.clock.now))

    history(agent, "handoff:billing#1:lost")
    assert said == [(False, 60.0), (True, 60.0)]


@pytest.mark.parametrize(
    ("to", "payload"), [("", {}), (None, {}), ("billing", 3), ("billing", None)]
)
def test_misuse(to, payload):
    """An agent without a name, a payload that is none: the error says what to write."""
    with pytest.raises(Exception, match=r"no name of an agent|hand over agentfuzz.Payload"):
        history(lambda world: world.handoff(to, payload))
