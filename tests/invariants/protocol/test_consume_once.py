"""`consume_once`: of two who go on from one save, one carries out the step."""

import pytest

from agentfuzz import (
    Completion,
    ToolError,
    World,
    consume_once,
    run,
    scenario,
)
from agentfuzz.core.between import Acts
from invariants.histories import (
    charge,
    charged,
    commit,
    decides,
    done,
    happens,
    judge,
    ok,
    replay,
    reply,
    restarts,
    resumes,
    saves,
    tell,
    timeout,
    waits,
)

LAW = consume_once()
AGAIN, BACK = resumes("duplicate", 2, "running"), resumes("back", 1)
CLICK, CLICK_AGAIN = resumes("decision", 2), resumes("decision", 3)
CLICKED = (saves(), waits("tc_1"), done("blocked"), CLICK, decides("tc_1"), charged(), done())


@pytest.mark.parametrize(
    "steps",
    [
        (saves(), AGAIN, charged(), BACK, done()),
        (saves(), charged(), AGAIN, BACK, done()),
        (saves(), charge(key="k"), commit(), ok(), AGAIN, charge(key="k"), replay(), ok(), BACK),
        (saves(), charged(), AGAIN, charged("B18"), BACK, done()),
        (saves(), charge(), commit(), timeout(), charged(), AGAIN, BACK),
        (*CLICKED, CLICK_AGAIN, decides("tc_1")),
        (saves(), happens(Acts, "a"), charged(), happens(Acts, "b"), charged("B18")),
    ],
    ids=[
        *("the second does it", "the first does it", "the same key", "another order"),
        *("one twice", "one click", "two agents, two orders"),
    ],
)
def test_held(steps):
    """One of them carried it out; what one does twice is `at_most_once`'s to judge."""
    assert judge(LAW, tell(*steps)) == "HELD"


@pytest.mark.parametrize(
    ("steps", "witness"),
    [
        (
            (saves(), charge(), AGAIN, charged(), BACK, commit(1), reply("applied", "ok", of=1)),
            "Saved#1 Called#1 Called#2 Committed#1 Committed#2",
        ),
        (
            (saves(), charged(), saves(), AGAIN, charged()),
            "Saved#1 Called#1 Called#2 Committed#1 Committed#2",
        ),
        (
            (*CLICKED, CLICK_AGAIN, decides("tc_1"), charged()),
            "Saved#1 Called#1 Called#2 Committed#1 Committed#2",
        ),
        (
            (saves(), happens(Acts, "a"), charged(), happens(Acts, "b"), charged()),
            "Saved#1 Called#1 Called#2 Committed#1 Committed#2",
        ),
    ],
    ids=["in the middle", "afterwards", "two clicks", "two agents"],
)
def test_broken(steps, witness):
    """AF418: both carried out what was saved as the next step."""
    assert judge(LAW, tell(*steps, done())) == [f"AF418 charge: {witness}"]


@pytest.mark.parametrize(
    "steps",
    [
        (charged(), AGAIN, charged(), BACK),
        (charged(), AGAIN, charged(), BACK, saves()),
        (saves(), charged()),
        (saves(), charge(), commit(), restarts(), charged()),
        (saves(), charged(), resumes("follow_up"), charged()),
        (*CLICKED, waits("tc_2", "i2"), CLICK_AGAIN, decides("tc_2", interrupt="i2"), charged()),
        (saves(), happens(Acts, "a"), charged()),
    ],
    ids=[
        *("nothing saved", "saved later", "alone", "after a crash", "asked again"),
        *("two decisions", "one agent"),
    ],
)
def test_not_exercised(steps):
    """Nothing was saved, or one alone went on from there."""
    assert judge(LAW, tell(*steps, done())) == "NOT_EXERCISED"


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked()


@scenario(task="Ship A17.", faults=("duplicate_trigger",))
def parcels(world: World) -> None:
    @world.tool
    def find(order_id: str) -> dict:
        return {"order": order_id}

    @world.tool(effect="shipment", scope=("order_id",), dedup="key")
    def ship(order_id: str, idempotency_key: str | None = None) -> dict:
        return {"parcel": f"p_{order_id}"}


def shipped(world: World, key: str) -> Completion:
    for _ in range(3):
        try:
            if world.tools.ship(order_id="A17", idempotency_key=key) == {"parcel": "p_A17"}:
                world.store["next"] = "nothing"
                return DONE
        except FAULTS:
            continue
    return UNKNOWN


def goes_on(world: World) -> Completion:
    """Victim: reads where it was, and goes on."""
    if world.store.setdefault("next", "ship") == "nothing":
        return DONE
    return shipped(world, f"worker-{world.leg}")


def looks_at_the_lease(world: World) -> Completion:
    """Victim: looks whether somebody is at it, looks the order up, and says that it is."""
    if world.store.get("next") == "nothing":
        return DONE
    if world.store.get("worker"):
        return UNKNOWN
    world.store["next"] = "ship"
    try:
        world.tools.find(order_id="A17")
    except FAULTS:
        return UNKNOWN
    world.store["worker"] = world.leg
    return shipped(world, f"worker-{world.leg}")


def claims(world: World) -> Completion:
    """Survivor: whoever writes the claim carries the step out."""
    world.store.setdefault("next", "ship")
    if not world.store.claim("ship", world.leg):
        return DONE if world.store["next"] == "nothing" else UNKNOWN
    return shipped(world, f"worker-{world.leg}")


def one_key(world: World) -> Completion:
    """Survivor: both send it, under the key of the step."""
    world.store.setdefault("next", "ship")
    return shipped(world, "A17:ship")


@pytest.mark.parametrize(
    ("victim", "plan"),
    [
        (goes_on, "process:ship#1:duplicate_trigger"),
        (looks_at_the_lease, "process:find#1:duplicate_trigger"),
    ],
)
def test_victim(found, victim, plan):
    """The job comes again while it is at work; the lease leaves a gap."""
    told = found(LAW, parcels, victim, only=("duplicate_trigger",), alone=True)
    assert told == [f"AF418 shipment: {plan}"]


@pytest.mark.parametrize("survivor", [claims, one_key])
def test_survivor(held, survivor):
    """A claim in one step, or one key."""
    assert held(LAW, parcels, survivor, depth=1) > 0


def test_the_end_is_late_enough():
    """A second delivery after the end finds it done, and that says nothing against anybody."""
    late = run(parcels, goes_on, "end#1:duplicate_trigger")
    assert judge(LAW, late.history) == "HELD"
