"""`latest_version`: a handoff is accepted at its place, and in its latest version."""

import time

import pytest

from agentfuzz import Completion, World, latest_version
from invariants.histories import charged, done, judge, restarts, tell
from invariants.loops.teams import DONE, UNKNOWN, payload, pays, refunds, works
from invariants.teams import accepts, acts, gets, rejects, sends
from invariants.teams import payload as body

LAW = latest_version()
A, B = acts("a"), acts("b")
ONE, TWO = sends("b"), sends("b", version=2)
OLD = body(version=1)


@pytest.mark.parametrize(
    "steps",
    [
        (A, ONE, B, gets(), accepts()),
        (A, ONE, B, gets(), accepts(), A, TWO, B, gets(), accepts()),
        (A, ONE, TWO, B, gets(of=1), accepts(of=1), gets(of=2), accepts(of=2)),
        (A, ONE, TWO, B, gets(), accepts(), gets(of=1), rejects(of=1)),
        (A, ONE, TWO, B, gets(), rejects(), gets(of=1), accepts(of=1)),
        (A, ONE, TWO, B, gets(problem="no"), gets(of=1), accepts(of=1)),
        (A, ONE, B, gets(), accepts(), A, ONE, B, gets(), accepts()),
        (A, ONE, TWO, B, gets(body=OLD), accepts()),
        (A, ONE, B, gets(), accepts(), gets(), accepts()),
        (A, sends("b", "u"), TWO, B, gets(), accepts(), gets(of=1), accepts(of=1)),
        (A, sends("b", version=0), TWO, B, gets(), accepts(), gets(of=1), accepts(of=1)),
        (A, ONE, TWO, B, gets(), accepts(), restarts(), B, gets(of=1), accepts(of=1)),
        (A, TWO, B, gets(), accepts(), A, ONE, B, gets(), accepts()),
        (A, ONE, TWO, acts("c"), gets("c"), rejects(), B, gets(of=1), accepts(of=1)),
        (A, ONE, acts("c"), gets("c"), rejects(), B, gets(), accepts()),
        (A, ONE, acts("c"), gets("c", problem="no"), accepts()),
    ],
    ids=[
        *("one", "two", "in order", "the old one rejected", "the new one rejected", "invalid"),
        *("sent again", "stale, and nothing else came", "twice", "another task", "no version"),
        *(
            "forgotten",
            "counted anew",
            "astray and newer",
            "astray and rejected",
            "astray and invalid",
        ),
    ],
)
def test_held(steps):
    """The newest that came, at its receiver."""
    assert judge(LAW, tell(*steps, done())) == "HELD"


def test_broken():
    """AF603: astray; overtaken; an old state once more."""
    history = tell(A, ONE, acts("c"), gets("c"), accepts(), charged(), done())
    assert judge(LAW, history) == ["AF603 c: HandoffSent#1 HandoffReceived#1 HandoffAccepted#1"]
    (told,) = LAW(history).violations
    assert told.sentence == (
        "c accepted what was meant for b: a handed version 1 of t to b at 1.0 s, and it arrived at "
        "c at 3.0 s."
    )
    overtaken = (A, ONE, TWO, B, gets(), accepts(), gets(of=1), accepts(of=1))
    history = tell(*overtaken, done())
    events = "HandoffSent#1 HandoffReceived#1 HandoffAccepted#1 HandoffReceived#2"
    assert judge(LAW, history) == [f"AF603 b: {events} HandoffAccepted#2"]
    (told,) = LAW(history).violations
    assert told.sentence == (
        "a handed version 1 of t to b at 1.0 s; b accepted version 1 of t, received at 6.0 s; "
        "however, b had accepted version 2 of it."
    )
    both = tell(A, ONE, TWO, B, gets(of=2), gets(of=1), accepts(of=1), accepts(of=2), done())
    events = "HandoffSent#1 HandoffSent#2 HandoffReceived#1 HandoffReceived#2 HandoffAccepted#1"
    assert judge(LAW, both) == [f"AF603 b: {events}"]
    stale = tell(A, ONE, B, gets(), accepts(), A, TWO, B, gets(body=OLD), accepts(), done())
    events = "HandoffReceived#1 HandoffAccepted#1 HandoffSent#2 HandoffReceived#2"
    assert judge(LAW, stale) == [f"AF603 b: {events} HandoffAccepted#2"]
    (told,) = LAW(stale).violations
    assert told.sentence == (
        "a handed version 2 of t to b at 6.0 s; b accepted version 1 of t, received at 8.0 s, "
        "with the payload of version 1; however, b had accepted version 1 of it already."
    )


@pytest.mark.parametrize(
    "steps",
    [(), (A, ONE), (A, ONE, B, gets()), (A, ONE, B, gets(), rejects())],
    ids=["nothing", "sent", "got", "rejected"],
)
def test_not_exercised(steps):
    """Nothing was accepted."""
    assert judge(LAW, tell(*steps, done())) == "NOT_EXERCISED"


# on whole teams


def corrects(world: World, takes: object) -> Completion:
    """The lead hands it over, and a correction of it a little later."""
    for version, amount in ((1, 420), (2, 42)):
        with world.acting("lead"):
            fields = {"order_id": "A17", "amount": amount}
            world.handoff("billing", payload(version, carry=fields))
        time.sleep(10)
        takes(world)
    time.sleep(100)
    takes(world)
    return DONE


def last_come(world: World) -> Completion:
    """Victim: whatever comes last holds."""

    def takes(world: World) -> None:
        with world.acting("billing"):
            for handed in world.inbox_of("billing"):
                if handed.payload["owner"] == "billing":
                    handed.accept()

    return corrects(world, takes)


def any_of_its_kind(world: World) -> Completion:
    """Victim: two desks that take whatever lies in their boxes."""
    with world.acting("lead"):
        world.handoff("billing", payload())
    for agent in ("billing", "desk"):
        with world.acting(agent):
            for handed in world.inbox_of(agent):
                if world.store.claim("refund"):
                    handed.accept()
                    pays(world)
    return DONE


def newest(world: World) -> Completion:
    """Survivor: remembers the version, and asks whom it is for."""
    seen: dict[str, int] = {}
    end = corrects(world, lambda world: works(world, seen))
    return end if seen else UNKNOWN


def test_victim(found):
    """A version is overtaken, or comes once more; a handoff goes astray."""
    told = found(LAW, refunds(), last_come, only=("reordered",), alone=True)
    assert told == ["AF603 billing: handoff:billing#1:reordered"]
    told = found(LAW, refunds(), last_come, only=("stale",), alone=True)
    assert told == ["AF603 billing: handoff:billing#2:once/stale"]
    story = refunds(team=("lead", "billing", "desk"))
    told = found(LAW, story, any_of_its_kind, only=("misrouted",), alone=True)
    assert told == ["AF603 desk: handoff:billing#1:misrouted"]


def test_survivor(held):
    """Takes what is newer, and for it."""
    assert held(LAW, refunds(), newest, depth=1, alone=True) > 0
