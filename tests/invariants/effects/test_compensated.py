"""`compensated`: what a failed run has done is undone, once, the last one first."""

import pytest

from agentfuzz import Completion, World, compensated
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Crashed
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import ToolFacts
from agentfuzz.scenarios import saga
from invariants.histories import (
    call,
    charge,
    charged,
    commit,
    cut_off,
    done,
    happens,
    has_undos,
    judge,
    looked_up,
    ok,
    raised,
    recall,
    refund,
    refuse,
    replay,
    reply,
    restarts,
    resumes,
    returned,
    ship,
    tell,
    timeout,
)
from invariants.loops.order import DONE, FAULTS, UNKNOWN
from trust import plain

LAW = compensated()
UNDOS = has_undos()


def both(*steps):
    return lambda story: [step(story) for step in steps] and None


def carried(step):
    return both(step, commit(), ok())


SHIPPED, REFUNDED, RECALLED = carried(ship()), carried(refund()), carried(recall())
SOLD_OUT = both(call("reserve", order_id="A17"), refuse("tool_raised"))
FAILED = done("failed")


def told(*steps, baseline=None):
    return judge(LAW, tell(UNDOS, *steps), baseline and tell(UNDOS, *baseline))


@pytest.mark.parametrize(
    "steps",
    [
        (charged(), SHIPPED, SOLD_OUT, RECALLED, REFUNDED, FAILED),
        (
            charged(),
            SOLD_OUT,
            refund(key="k"),
            commit(),
            timeout(),
            refund(key="k"),
            replay(),
            ok(),
        ),
        (charged(), SOLD_OUT, refund(), timeout(), REFUNDED, FAILED),
        (charged(), SOLD_OUT, refund(), commit(), commit(), ok(), FAILED),
        (charged(), charged("B18"), SOLD_OUT, carried(refund("B18")), REFUNDED, FAILED),
        (charged(), charged(), SOLD_OUT, REFUNDED, REFUNDED, FAILED),
        (charged(), SHIPPED, restarts(), RECALLED, REFUNDED, done("cancelled")),
        (charged(), SHIPPED, RECALLED, REFUNDED, raised("SoldOut")),
    ],
    ids=[
        "last first",
        "one key",
        "the undo was lost",
        "delivered twice",
        "two orders",
        "a duplicate undone as often",
        "after a restart",
        "and raised",
    ],
)
def test_held(steps):
    """Each effect of a failed run is undone once, the last one first."""
    assert told(*steps) == "HELD"


def test_undone_again():
    """AF110: the undo was lost on its way back, and the loop undoes again."""
    steps = (charged(), refund(), commit(), timeout(), REFUNDED, FAILED)
    assert told(*steps) == ["AF110 refund: Committed#1 Committed#2 Committed#3"]
    baseline = (charged(), REFUNDED, FAILED)
    assert told(*steps, baseline=baseline) == ["AF110 refund: Committed#1 Committed#2 Committed#3"]
    found = LAW(tell(UNDOS, *steps)).violations[0]
    assert found.title == "refund undid one effect again"


def test_undone_as_often_as_planned():
    """A refund in two parts is what the run without faults does too."""
    parts = (charged(), REFUNDED, REFUNDED, done())
    assert told(*parts, baseline=parts) == "HELD"
    assert told(*parts, REFUNDED, baseline=parts) == [
        "AF110 refund: Committed#1 Committed#2 Committed#4"
    ]


@pytest.mark.parametrize(
    ("end", "over"),
    [(FAILED, "Done#1"), (done("cancelled"), "Done#1"), (raised("SoldOut"), "Ended#1")],
)
def test_broken(end, over):
    """AF110: the run failed, and what it had done stands."""
    broken = [f"AF110 charge: Committed#1 {over}"]
    assert told(charged(), SOLD_OUT, end) == broken
    assert told(charge(), commit(), timeout(), end) == broken
    assert told(charged(), SHIPPED, RECALLED, end) == broken
    assert LAW(tell(UNDOS, charged(), end)).violations[0].title == "charge_card was not undone"


@pytest.mark.parametrize(
    "end",
    [
        (done("blocked"),),
        (done("partial"),),
        (done("failed", handle="A17"),),
        (done("failed"), returned({"status": "failed", "detail": "A17 stays charged"})),
        (done(),),
        (returned("Charged, I think."),),
        (cut_off("budget"),),
    ],
)
def test_owned_up_to(end):
    """It says what stands, or claims nothing that it would have to undo."""
    assert told(charged(), SHIPPED, RECALLED, refund(), timeout(), *end) == "HELD"


def test_what_may_stand():
    """What an earlier success has claimed may stand, and what arrives after the answer; and the
    word of the undoing tool is believed."""
    later = (charged(), done(), resumes("follow_up"), looked_up(), FAILED)
    assert told(*later) == "NOT_EXERCISED"
    assert told(charge(), timeout(), FAILED, commit(1)) == "NOT_EXERCISED"
    assert told(charge(), timeout(), commit(1), raised("TimeoutError")) == "NOT_EXERCISED"
    phantom = (charged(), refund(), ok(), FAILED)
    assert told(*phantom) == "HELD"
    died = (charged(), SHIPPED, RECALLED, happens(Crashed, Slot("process", "ship", 1)))
    assert told(*died, returned()) == "HELD"


def test_order():
    """AF110: the first effect is undone first."""
    steps = (charged(), SHIPPED, SOLD_OUT, REFUNDED, RECALLED, FAILED)
    assert told(*steps) == ["AF110 order: Committed#1 Committed#2 Called#4 Committed#4"]
    assert judge(compensated(order="any"), tell(UNDOS, *steps)) == "HELD"
    assert judge(compensated("any"), tell(UNDOS, *steps)) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        (charged(), SHIPPED, recall(), timeout(), REFUNDED, RECALLED, FAILED),
        (charge(), ship(), commit(1), commit(2), ok(), reply("applied", of=1), REFUNDED, RECALLED),
        (charged(), SHIPPED, REFUNDED, RECALLED, done()),
        (charged(), REFUNDED, SHIPPED, RECALLED, FAILED),
        (charged(), SHIPPED, REFUNDED, charged("B18"), carried(refund("B18")), RECALLED, FAILED),
    ],
    ids=["first attempts count", "side by side", "success", "one by one", "went on in between"],
)
def test_order_near_misses(steps):
    """Only what was made one after the other, and is undone together, has an order."""
    assert told(*steps) == "HELD"


def test_refuses_another_order():
    """A misspelt order is an error of the scenario."""
    with pytest.raises(ScenarioError, match="say 'reverse' or 'any'"):
        compensated(order="forward")  # type: ignore[arg-type]


def test_of_nothing():
    """AF110: undone although it was never called, or had certainly failed."""
    assert told(SOLD_OUT, REFUNDED, FAILED) == ["AF110 nothing: Committed#1"]
    failed = both(charge(), refuse("tool_raised"))
    assert told(failed, REFUNDED, FAILED) == ["AF110 nothing: Committed#1"]
    other = (charged("B18"), REFUNDED, carried(refund("B18")), FAILED)
    assert told(*other) == ["AF110 nothing: Committed#2"]


def test_in_doubt():
    """What may have happened may be undone, also if it never did: nobody could know."""
    doubt = both(charge(), timeout())
    assert told(doubt, REFUNDED, FAILED) == "HELD"
    assert told(doubt, looked_up(), REFUNDED, FAILED) == "HELD"
    assert told(charge(), restarts(), REFUNDED, FAILED) == "HELD"


def test_before_it_arrives():
    """AF110: undone unseen, while it was under way; not if it was looked up, or what stands is
    said."""
    doubt = both(charge(), timeout())
    broken = ["AF110 in flight: Committed#1 Committed#2"]
    assert told(doubt, REFUNDED, commit(1), looked_up(), FAILED) == broken
    assert told(doubt, REFUNDED, FAILED, commit(1)) == broken
    assert told(doubt, looked_up(), REFUNDED, commit(1), FAILED) == "HELD"
    assert told(doubt, REFUNDED, commit(1), done("failed", handle="A17")) == "HELD"
    assert told(doubt, REFUNDED, commit(1), done("blocked")) == "HELD"


@pytest.mark.parametrize("accepted", [(), (commit(),)], ids=["refused", "accepted all the same"])
def test_after_a_429(accepted):
    """A 429 says that nothing was done: nobody has to undo it, and nobody is blamed who does."""
    limited = both(charge(), *accepted, reply("failed", raised="RateLimited"))
    assert told(limited, SOLD_OUT, FAILED) == "NOT_EXERCISED"
    assert told(limited, REFUNDED, FAILED) == "HELD"
    assert told(SHIPPED, limited, RECALLED, FAILED) == "HELD"


def test_as_planned():
    """To refund an order of last week is the task: the run without faults does it too."""
    task = (REFUNDED, done())
    assert told(*task, baseline=task) == "HELD"


def by_booking(story):
    story.tools["cancel"] = ToolFacts("cancel", "cancellation", ("booking",), "none", "charge_card")


def test_by_a_name_in_the_reply():
    """The undoing tool takes the number that the receipt named."""
    booked = [
        both(charge(order), commit(), reply("applied", {"booking": number}))
        for order, number in [("A17", "b1"), ("B18", "b2")]
    ]
    first, last = (carried(call("cancel", booking=number)) for number in ("b1", "b2"))
    good = tell(by_booking, *booked, last, first, FAILED)
    assert judge(LAW, good) == "HELD"
    wrong = tell(by_booking, *booked, first, last, FAILED)
    assert judge(LAW, wrong)[0].startswith("AF110 order")
    half = tell(by_booking, *booked, last, FAILED)
    assert judge(LAW, half) == ["AF110 charge: Committed#1 Done#1"]
    looked = tell(by_booking, charge(), commit(), timeout(), first, FAILED)
    assert judge(LAW, looked) == "HELD"


def test_not_exercised():
    """Nothing was undone and nothing had to be; or no tool undoes anything."""
    assert told(charged(), done()) == "NOT_EXERCISED"
    assert told(looked_up(), FAILED) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), FAILED)) == "NOT_EXERCISED"


# on whole loops


def cancels_what_it_planned(world: World) -> Completion:
    """Victim: when anything fails, everything that was planned is given back."""
    flights = ["LIS-1", "LIS-2"]
    try:
        for flight in flights:
            world.tools.book_flight(flight, idempotency_key=flight)
    except FAULTS:
        left = saga.cancel(world, reversed(flights))
        return UNKNOWN if left else Completion.failed(reason="tool_failed")
    return DONE


SLOW = "book_flight#1:once/timeout"


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        (saga.first_one_first, f"AF110 order: {SLOW}"),
        (saga.forgets, f"AF110 flight: {SLOW}"),
        (cancels_what_it_planned, f"AF110 nothing: {SLOW}"),
        (saga.key_per_attempt, f"AF110 cancellation: {SLOW} + cancel_flight#1:once/timeout"),
        (saga.fire_and_forget, f"AF110 flight: {SLOW} + cancel_flight#1:lost/timeout"),
    ],
)
def test_victim(found, victim, expected):
    """In the wrong order, not at all, of nothing, twice, or only sent."""
    assert found(LAW, saga.saga, victim, depth=expected.count("+") + 1) == [expected]


@pytest.mark.parametrize("agent", [plain.saga, plain.saga_again, plain.careful_saga])
def test_what_was_answered_with_429(held, agent):
    """Undone to be sure, or left alone because nothing was done."""
    assert held(LAW, plain.trip, agent, only=("rate_limited",), depth=3) > 10


@pytest.mark.slow
def test_survivor(held):
    """Even if its own replies get lost."""
    assert held(LAW, saga.saga, saga.last_one_first, one_in=1) > 1000


def test_untested(untested):
    """Nothing is slow, and the room is still there."""
    never = ["AF802 compensated was never exercised"]
    assert untested(LAW, saga.saga, saga.forgets, only=("error",)) == never
