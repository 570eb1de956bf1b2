"""`handoffs_settled`: what is handed over is taken once, or the run does not claim success."""

import queue
import time
from itertools import pairwise

import pytest

from agentfuzz import Completion, Payload, World, handoffs_settled, scenario
from agentfuzz.core.between import HandoffSent
from agentfuzz.core.events import Done
from agentfuzz.core.faults import Slot
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    replay,
    restarts,
    tell,
)
from invariants.loops.handoffs import FAULTS, UNKNOWN, receives, refunded, refunds, wanted
from invariants.teams import accepts, acts, gets, rejects, sends, waits_for, writes

LAW = handoffs_settled()
SENT = (acts("lead"), sends("desk"))
TAKEN = (acts("desk"), gets(), accepts())


def named(detail):
    return lambda story: story.add(Done, "return", "success", "completed", None, "", detail)


@pytest.mark.parametrize(
    "steps",
    [
        (*TAKEN, done()),
        (acts("desk"), gets(), rejects(), done()),
        (*TAKEN, gets(), rejects("known"), done()),
        (*TAKEN, gets(), done()),
        (gets("other"), accepts(), done()),
        (sends("desk", version=2), *TAKEN, done()),
        (sends("other"), gets(), rejects(), done()),
        (*TAKEN, sends("desk"), done()),
        (sends("desk", version=2), gets(), restarts(), sends("desk"), gets(), accepts(), done()),
        (sends("desk", version=2), acts("desk"), gets(of=1), accepts(of=1), done()),
        (done("blocked"),),
        (done("partial"), done()),
        (named("t was handed over, nobody answered"),),
        (named("no answer to handoff_1"),),
        (),
    ],
    ids=[
        *("accepted", "rejected", "the second one rejected", "the second one left alone"),
        *(
            "by somebody else",
            "in a later version",
            "sent to another one",
            "taken before",
            "in another life",
            "the first attempt, late",
        ),
        *("said", "said before", "task named", "handoff named", "nothing claimed"),
    ],
)
def test_held(steps):
    """Somebody took it, or its loss was said."""
    assert judge(LAW, tell(*SENT, *steps)) == "HELD"


def untyped(body):
    """A payload of a user's own, without a task."""
    named = (Slot("handoff", "desk", 1), "lead", "desk", "", 0, body, {})
    return lambda story: story.add(HandoffSent, f"handoff_{len(story.events)}", *named)


def test_payloads_that_name_no_task():
    """Said again it is the same task, whatever counts its attempts; another text is another one
    (AF607)."""
    first = untyped({"order": "A17", "attempt": 1})
    again = tell(first, untyped({"order": "A17", "attempt": 2}), gets(), accepts(), done())
    assert judge(LAW, again) == "HELD"
    other = tell(first, untyped({"order": "B18", "attempt": 1}), gets(), accepts(), done())
    assert judge(LAW, other) == ["AF607 desk: HandoffSent#1 Done#1"]
    counts = tell(untyped({"order": 17}), untyped({"order": 18}), gets(), accepts(), done())
    assert judge(LAW, counts) == ["AF607 desk: HandoffSent#1 Done#1"]


def test_who_does_it_himself_has_taken_it_back():
    """AF607 is no affair of a sender whose own effect is what the payload names."""
    sent = (acts("lead"), sends("desk", "refund A17"))
    assert judge(LAW, tell(*sent, charged("A17"), done())) == "HELD"
    again = (acts("lead"), charged("A17", "k"), *sent, charge("A17", "k"), replay(), done())
    assert judge(LAW, tell(*again, dedup="key")) == "HELD"
    assert judge(LAW, tell(*sent, charged("B18"), done())) != "HELD"
    assert judge(LAW, tell(*sent, acts("other"), charged("A17"), done())) != "HELD"


def test_who_repeats_what_the_backend_recognises_has_done_it_once():
    """AF607 is no affair of a receiver whose second work changed nothing."""
    twice = (*SENT, *TAKEN, charge(key="k"), commit(), gets(), accepts(), charge(key="k"))
    assert judge(LAW, tell(*twice, replay(), done(), dedup="key")) == "HELD"
    assert judge(LAW, tell(*twice, commit(), done(), dedup="key")) != "HELD"


def test_work_begun_again_that_was_done_once():
    """AF607 is no affair of a receiver whose first request was lost, and that came again."""
    begun = (*SENT, *TAKEN, charge(key="k"))
    again = (gets(), accepts(), charge(key="k"), commit())
    assert judge(LAW, tell(*begun, *again, done(), dedup="key")) == "HELD"
    later = (*begun, gets(), accepts(), charge(key="k"), commit(1), commit(2))
    assert judge(LAW, tell(*later, done())) != "HELD"
    assert judge(LAW, tell(*begun, commit(), gets(), accepts(), done())) != "HELD"


NEXT = sends("desk", "another task")
PASSED = (*SENT, acts("desk"), gets(), sends("other", "u"), acts("other"), gets(), accepts())


@pytest.mark.parametrize(
    "steps",
    [
        (*PASSED, charged("A17"), done()),
        (*SENT, NEXT, acts("desk"), gets(of=1), gets(of=2), accepts(of=2), charged("A17"), done()),
        (*SENT, acts("desk"), gets(), looked_up(), done()),
        (*SENT, acts("desk"), gets(), writes("found", 0, 1), done()),
    ],
    ids=["handed something on", "took the next one", "looked something up", "wrote it down"],
)
def test_a_stage_that_only_reads_has_taken_it(steps):
    """Behind a queue there is nothing to accept with: going on is taking it."""
    assert judge(LAW, tell(*steps)) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        (*SENT, acts("desk"), gets(), acts("lead"), looked_up(), done()),
        (*SENT, acts("desk"), gets(), gets(), done()),
        (*SENT, acts("desk"), gets(problem="no task"), looked_up(), done()),
        (*SENT, acts("other"), gets("other"), looked_up(), done()),
        (*SENT, waits_for("", "desk"), acts("desk"), gets(), looked_up(), done()),
        (*SENT, waits_for("desk", what="answer"), acts("desk"), gets(), looked_up(), done()),
        (*SENT, NEXT, acts("desk"), gets(of=1), gets(of=2), rejects(of=2), looked_up(), done()),
        (*SENT, NEXT, acts("desk"), gets(of=1), gets(of=2), accepts(of=2), looked_up(), done()),
    ],
    ids=[
        *("another one went on", "it only came again", "invalid", "astray"),
        *("waited at its mailbox", "its answer was awaited", "rejected one", "accepted one itself"),
    ],
)
def test_who_has_a_mailbox_says_what_it_takes(steps):
    """AF607: of whom is surely able to accept, and of what it never got, nothing is guessed."""
    found = judge(LAW, tell(*steps))
    assert [one.split(":")[0] for one in found] == ["AF607 desk"]


def test_the_plain_run_tells_a_mailbox_too():
    """AF607: whoever accepts by hand there can accept here."""
    posted = tell(*SENT, *TAKEN, looked_up(), done())
    ignored = tell(*SENT, acts("desk"), gets(), looked_up(), done())
    assert judge(LAW, ignored) == "HELD"
    assert judge(LAW, ignored, posted) == ["AF607 desk: HandoffSent#1 HandoffReceived#1 Done#1"]


def test_broken():
    """AF607: taken by nobody, or twice."""
    lost = "AF607 desk: HandoffSent#1"
    assert judge(LAW, tell(*SENT, done())) == [f"{lost} Done#1"]
    assert judge(LAW, tell(*SENT, gets(), done())) == [f"{lost} HandoffReceived#1 Done#1"]
    older = (acts("lead"), sends("desk", version=2), sends("desk", version=1))
    assert judge(LAW, tell(*older, gets(), accepts(), done())) == [f"{lost} Done#1"]
    before = (*SENT, *TAKEN, sends("desk", version=2), done())
    assert judge(LAW, tell(*before)) == ["AF607 desk: HandoffSent#2 Done#1"]
    before = (*SENT, gets(), rejects(), sends("desk"), done())
    assert judge(LAW, tell(*before)) == ["AF607 desk: HandoffSent#2 Done#1"]
    newer = (*SENT, sends("desk", version=2, text="and 5 more"), gets(of=1), accepts(of=1))
    assert judge(LAW, tell(*newer, done())) == ["AF607 desk: HandoffSent#2 Done#1"]
    other = (*SENT, sends("desk", "another task"), gets(), accepts(), done())
    assert judge(LAW, tell(*other)) == [f"{lost} Done#1"]
    twice = [f"{lost} HandoffAccepted#1 HandoffAccepted#2"]
    assert judge(LAW, tell(*SENT, *TAKEN, gets(), accepts())) == twice
    assert judge(LAW, tell(*SENT, *TAKEN, gets("other"), accepts(), done("blocked"))) == twice


def test_the_sentence():
    """It argues: what was sent, who took it, and what was claimed."""
    [lost] = LAW(tell(*SENT, gets(), done())).violations
    assert lost.sentence == (
        "lead handed version 1 of t to desk at 1 s (handoff_1); desk was given it at 2 s, and "
        "neither accepted nor rejected it. However the answer claims success at 3 s."
    )
    [twice] = LAW(tell(*SENT, *TAKEN, gets("other"), accepts())).violations
    assert twice.sentence == (
        "lead handed version 1 of t to desk at 1 s (handoff_1), once; it arrived more than once. "
        "desk accepted it at 4 s; however it was accepted by other as well at 6 s."
    )


def test_not_exercised():
    """Nothing was handed over."""
    assert judge(LAW, tell(acts("lead"), looked_up(), done())) == "NOT_EXERCISED"


# on whole loops


def takes_everything(world: World) -> Completion:
    """Victim: hands over, and takes that for the end of it; its desk takes all that comes."""
    with world.acting("lead"):
        world.handoff("desk", Payload(task="A17"))
    with world.acting("desk"):
        for handed in world.inbox_of("desk"):
            handed.accept()
    return Completion.success()


def asks_again(world: World) -> Completion:
    """Survivor: takes each handoff once, and claims nothing without an answer."""
    done = False
    for version in (1, 2):
        with world.acting("lead"):
            receipt = world.handoff("desk", wanted(version))
        done = receives(world, "desk") or done
        with world.acting("lead"):
            if world.answered(receipt, 60) and receipt.status == "accepted":
                break
    return Completion.success() if done and receipt.status == "accepted" else UNKNOWN


@scenario(task="Hand A17 over.")
def hands_over(world: World) -> None:
    world.agents("lead", "desk")


def passes_on(world: World) -> Completion:
    """Survivor: a stage behind a queue that only reads, and hands another thing on."""
    first, second = (world.handoff_over(queue.Queue(), to) for to in ("reader", "payer"))
    with world.acting("lead"):
        first.put({"order": "A17"})
    done = False
    with world.acting("reader"):
        while not first.empty():
            if first.get() == {"order": "A17"}:
                second.put({"order_id": "A17"})
    with world.acting("payer"):
        while not second.empty():
            if second.get() == {"order_id": "A17"}:
                done = refunded(world) or done
    return Completion.success() if done else UNKNOWN


def test_a_pipeline_of_queues(held):
    """Its first stage has no effect that would accept for it."""
    assert held(LAW, refunds(), passes_on, depth=1) > 0


def calls_again(world: World) -> Completion:
    """Survivor: a desk that is called, asks once with a key of the order, and raises."""

    def desk(order: str) -> str:
        reply = world.tools.refund(order_id=order, idempotency_key=f"refund-{order}")
        if reply != {"refund_id": f"re_{order}"}:
            raise ConnectionError("no receipt")
        return "done"

    hand = world.handoff_of(desk)
    with world.acting("lead"):
        for _ in range(3):
            try:
                return Completion.success(handle=hand("A17"))
            except FAULTS:
                continue
    return UNKNOWN


def one_by_one(world: World) -> Completion:
    """Survivor: the stages of a pipeline in one loop, where nobody is named."""
    boxes = {to: world.handoff_over(queue.Queue(), to) for to in ("reader", "checker", "payer")}
    done = False
    with world.acting("lead"):
        boxes["reader"].put({"for_reader": "A17"})
    for name, following in (("reader", "checker"), ("checker", "payer"), ("payer", "")):
        while not boxes[name].empty():
            if boxes[name].get() != {f"for_{name}": "A17"}:
                continue
            if following:
                boxes[following].put({f"for_{following}": "A17"})
            else:
                done = refunded(world) or done
    return Completion.success() if done else UNKNOWN


def test_stages_in_one_loop(held):
    """What comes twice is recognised, and who reads has taken it, whatever name it acts under."""
    assert held(LAW, refunds(), one_by_one, depth=1) > 0


def test_a_call_that_comes_twice(held):
    """A first request that was lost, and a second arrival that does it."""
    pair = ("twice/intact", "lost/timeout")
    assert held(LAW, refunds(), calls_again, only=pair) > 0


def ring(world: World) -> Completion:
    """Survivor: hands on at most three times, counted by the version, until it is taken."""
    team = world.agents("a", "b", "c")
    taken = {"a"}
    for name, following in pairwise(team):
        for version in (1, 2, 3):
            with world.acting(name):
                world.handoff(following, wanted(version, owner=following, task=f"to {following}"))
                time.sleep(30)
            with world.acting(following):
                for handed in world.inbox_of(following):
                    asked = handed.payload
                    good = isinstance(asked, dict) and asked == _as_sent(asked, following)
                    if good and following not in taken:
                        taken.add(following)
                        handed.accept()
                    else:
                        handed.reject("known, or not what I can read")
            if following in taken:
                break
    return Completion.success() if len(taken) == 3 else UNKNOWN


def _as_sent(asked: dict, to: str) -> dict:
    version = asked.get("version")
    good = type(version) is int and version > 0
    return wanted(version if good else 1, owner=to, task=f"to {to}").model_dump(mode="json")


def test_an_attempt_that_is_overtaken_by_nothing(held):
    """The first attempt is late and taken, the second one is lost: nothing is missing."""
    assert held(LAW, hands_over, ring, only=("late/intact", "lost/intact")) > 0


def test_victim(found):
    """A lost one, and one that came twice."""
    assert found(LAW, hands_over, takes_everything, alone=True) == [
        "AF607 desk: handoff:desk#1:lost"
    ]
    only = {"only": ("twice/intact",)}
    assert found(LAW, hands_over, takes_everything, **only) == ["AF607 desk: handoff:desk#1:twice"]


def test_survivor(held):
    """Remembers what it took, asks whether it arrived, and says so where nobody knows."""
    assert held(LAW, refunds(), asks_again, depth=1) > 0
