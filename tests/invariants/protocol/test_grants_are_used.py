"""`grants_are_used`: what a person allowed is done, or the run does not claim success."""

import pytest

from agentfuzz import Completion, ToolError, World, approval_single_use, grants_are_used, scenario
from agentfuzz.core.events import Done
from invariants.conversations import asks, under
from invariants.histories import (
    call,
    cancels,
    charge,
    charged,
    commit,
    decides,
    done,
    happens,
    judge,
    looked_up,
    ok,
    raised,
    restarts,
    resumes,
    ship,
    tell,
    timeout,
    waits,
)

LAW = grants_are_used()
WAIT = (asks("tc_1"), waits("tc_1"), done("blocked", "needs_approval"), resumes("decision"))
GRANT, LATER = decides("tc_1"), resumes("decision", 3)
A17 = under("tc_1", charged())
TOLD = happens(Done, "return", "success", "completed", None, "", "charge_card was not made")


@pytest.mark.parametrize(
    "steps",
    [
        (GRANT, A17, done()),
        (GRANT, under("tc_1", charge()), timeout(), done()),
        (GRANT, restarts(3), charged(), done()),
        (GRANT, restarts(3), asks("tc_2"), under("tc_2", charged()), done()),
        (GRANT, restarts(3), looked_up(), done("partial")),
        (GRANT, restarts(3), looked_up(), done("blocked")),
        (GRANT, restarts(3), looked_up(), TOLD),
        (A17, GRANT, done()),
    ],
    ids=[
        *("done", "sent", "after a crash", "under another id"),
        *("said to be partial", "blocked", "named", "done before"),
    ],
)
def test_held(steps):
    """The call was made, or its loss was said."""
    assert judge(LAW, tell(*WAIT, *steps)) == "HELD"


def test_broken():
    """AF413: granted, never made, and all is well; `approval_single_use` does not say it, too."""
    broken = ["AF413 charge_card: Interrupted#1 Decided#1 Done#2"]
    for steps in ((GRANT,), (GRANT, restarts(3), looked_up()), (GRANT, charged("B18"))):
        assert judge(LAW, tell(*WAIT, *steps, done())) == broken
    assert judge(approval_single_use(), tell(*WAIT, GRANT, done())) == "HELD"
    no_model = (waits("charge_card_1"), done("blocked"), resumes("decision"))
    assert judge(LAW, tell(*no_model, decides("charge_card_1"), done())) == broken


def test_a_grant_is_used_by_the_tool_it_was_for():
    """Where nothing but the tool is known, a call of that tool makes it, and one of another does
    not (AF413)."""
    granted = (waits("ship_1"), done("blocked"), resumes("decision"), decides("ship_1"))
    assert judge(LAW, tell(*granted, ship(), done())) == "HELD"
    broken = ["AF413 ship: Interrupted#1 Decided#1 Done#2"]
    assert judge(LAW, tell(*granted, charged(), done())) == broken


def test_a_call_is_the_same_however_it_is_written():
    """A number as a float, a padded text: what was allowed is done. Another number is not that
    (AF413)."""
    ask = asks(("tc_1", "charge_card", {"order_id": "A17", "cents": 4200.0, "tags": ["x "]}))
    wait = (ask, waits("tc_1"), done("blocked", "needs_approval"), resumes("decision"), GRANT)
    for cents, verdict in (
        (4200, "HELD"),
        (4300, ["AF413 charge_card: Interrupted#1 Decided#1 Done#2"]),
    ):
        made = call("charge_card", order_id="A17", cents=cents, tags=["x"])
        assert judge(LAW, tell(*wait, made, commit(), ok(), done())) == verdict


@pytest.mark.parametrize(
    "steps",
    [
        (decides("tc_1", False), done()),
        (GRANT, LATER, decides("tc_1", False), done()),
        (decides("tc_1", None), LATER, GRANT, done()),
        (cancels(), GRANT, done()),
        (GRANT, cancels(), done()),
        (GRANT, raised("PermissionError")),
        (looked_up(), done()),
    ],
    ids=["refused", "taken back", "too late", "cancelled", "stopped", "raised", "undecided"],
)
def test_not_exercised(steps):
    """Nothing was granted that could still be done."""
    assert judge(LAW, tell(*WAIT, *steps)) == "NOT_EXERCISED"


def test_an_end_before_the_grant():
    """AF413 is no affair of a task that had ended when the yes came."""
    wait = (asks("tc_1"), waits("tc_1"), done(), resumes("decision"), GRANT)
    assert judge(LAW, tell(*wait, done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(call("lookup"), timeout(), done())) == "NOT_EXERCISED"


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked()
WAITS = Completion.blocked(reason="needs_approval", handle="A17")


@scenario(task="Refund A17.", resume=True)
def refunds(world: World) -> None:
    @world.tool(effect="refund", scope=("order_id",), dedup="key")
    def refund(order_id: str, idempotency_key: str | None = None) -> str:
        return "refunded"


def refunded(world: World, key: str) -> Completion:
    for _ in range(3):
        try:
            keyed = {"order_id": "A17", "idempotency_key": key}
            if world.call("refund", keyed, asked="r1") == "refunded":
                return DONE
        except FAULTS:
            continue
    return UNKNOWN


def word(world: World) -> bool | None:
    """The first word on it, written down."""
    if world.decision is not None:
        world.store.setdefault("word", world.decision.granted is True)
    return world.store.get("word")


def takes_it_for_done(world: World) -> Completion:
    """Victim: writes the state down before the call, and takes it for the call."""
    if world.store.get("state") == "granted":
        return DONE
    granted = word(world)
    if granted is None:
        world.request_approval("refund", call="r1")
        return WAITS
    world.store["state"] = "granted" if granted else "refused"
    return refunded(world, "r1") if granted else Completion.failed(reason="rejected")


def begins_with_it(world: World) -> Completion:
    """Survivor: whatever began the leg, an open grant is carried out, with the same key."""
    granted = word(world)
    if granted is None:
        world.request_approval("refund", call="r1")
        return WAITS
    return refunded(world, "r1") if granted else Completion.failed(reason="rejected")


def asks_anew(world: World) -> Completion:
    """Survivor: remembers nothing; a leg without a decision asks."""
    if world.decision is None:
        world.request_approval("refund", call="r1")
        return WAITS
    return refunded(world, "r1") if world.decision.granted is True else UNKNOWN


def says_so(world: World) -> Completion:
    """Survivor: what was granted and not done it gives to somebody else."""
    if world.why == "restart" and world.store.get("word"):
        return Completion.partial(reason="unverified", handle="A17", detail="r1 was granted")
    return begins_with_it(world)


def test_victim(found):
    """Dies between the note and the call."""
    told = found(LAW, refunds, takes_it_for_done)
    assert told == ["AF413 r1: store:state#1:crash/after"]


@pytest.mark.parametrize("survivor", [begins_with_it, asks_anew, says_so])
def test_survivor(held, survivor):
    """Carries it out, asks again, or says that it did not."""
    assert held(LAW, refunds, survivor, depth=1) > 0
