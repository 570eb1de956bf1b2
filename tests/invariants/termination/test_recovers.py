"""`recovers`: a transient fault at what may be repeated does not change how a task ends."""

import threading
import time

import pytest

from agentfuzz import (
    Completion,
    ModelError,
    ScenarioError,
    ToolError,
    World,
    recovers,
    scenario,
)
from invariants.histories import (
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    looked_up,
    ok,
    raised,
    replay,
    ship,
    strikes,
    tell,
    timeout,
)

LAW = recovers()
CLEAN = tell(charged(), done(), dedup="key")
HICCUP = (charge(), strikes("charge_card#1:once/timeout"), commit(), timeout())


def told(*steps, law=LAW, dedup="key", baseline=CLEAN):
    return judge(law, tell(*steps, dedup=dedup), baseline)


@pytest.mark.parametrize(
    "steps",
    [
        (*HICCUP, charge(), replay(), ok(), done()),
        (*HICCUP, done()),
        (strikes("lookup#1:once/error"), looked_up(), charged(), done()),
        (strikes("model#1:rate_limited"), charged(), done()),
        (*HICCUP, charged(), charged("B18"), done()),
    ],
    ids=["again", "it had worked", "a look-up", "the model", "more than there should be"],
)
def test_held(steps):
    """It ends as it does without."""
    assert told(*steps) == "HELD"


@pytest.mark.parametrize(
    ("ending", "witness"),
    [
        (done("blocked"), "Called#1 Struck#1 Committed#1 Ended#1"),
        (raised("TimeoutError"), "Called#1 Struck#1 Committed#1 Ended#1"),
        (cut_off("hung"), "Called#1 Struck#1 Committed#1 Ended#1"),
    ],
)
def test_broken(ending, witness):
    """AF219: given up, raised, or held for ever."""
    assert told(*HICCUP, ending) == [f"AF219 charge_card: {witness}"]


def test_an_effect_is_missing():
    """AF219: the status is the same, and not all is done."""
    both = tell(charged(), ship(), commit(), ok(), done(), dedup="key")
    assert told(*HICCUP, done(), baseline=both) == [
        "AF219 charge_card: Called#1 Struck#1 Committed#1 Ended#1"
    ]


@pytest.mark.parametrize(
    "steps",
    [
        (charged(), done("blocked")),
        (*HICCUP, strikes("lookup#1:once/timeout"), done("blocked")),
        (strikes("charge_card#1:once/wrong"), charged(), done("blocked")),
        (strikes("model#1:cut"), charged(), done("blocked")),
        (strikes("process:charge_card#1:crash"), charged(), done("blocked")),
    ],
    ids=["none", "two", "another kind", "half a turn", "a crash"],
)
def test_not_exercised(steps):
    """Nothing struck, too much, or something else."""
    assert told(*steps) == "NOT_EXERCISED"


def test_what_may_not_be_repeated():
    """A write whose backend knows no repeats is no reason to try again."""
    assert told(*HICCUP, done("blocked"), dedup="none") == "NOT_EXERCISED"
    assert told(*HICCUP, done("blocked"), baseline=tell(raised("E"))) == "NOT_EXERCISED"


def test_how_many():
    """`faults=2` looks at two as well; less than one is a mistake."""
    two = (*HICCUP, strikes("lookup#1:once/timeout"), done("blocked"))
    assert told(*two, law=recovers(faults=2))[0].startswith("AF219 charge_card")
    with pytest.raises(ScenarioError, match="at least 1"):
        recovers(faults=0)


# on whole loops

LOST = (TimeoutError, ConnectionError)
FAULTS = (*LOST, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked()


@scenario(task="Charge order A17.", script=[("charge", {"order_id": "A17"}), "Charged."])
def bill(world: World) -> None:
    paid: set[str] = set()

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge(order_id: str, idempotency_key: str | None = None) -> str:
        paid.add(order_id)
        return "charged"

    @world.tool
    def find(order_id: str) -> dict:
        return {"paid": order_id in paid}


def keyed(world: World, tries: int = 3) -> bool:
    for _ in range(tries):
        try:
            if world.tools.charge(order_id="A17", idempotency_key="A17") == "charged":
                return True
        except FAULTS:
            time.sleep(1)
    return False


def looks(world: World, tries: int = 3) -> bool | None:
    for _ in range(tries):
        try:
            return world.tools.find(order_id="A17") == {"paid": True}
        except FAULTS:
            time.sleep(1)
    return None


def once(world: World) -> Completion:
    """Victim: a look-up that fails is the end."""
    if looks(world, tries=1) is None:
        return UNKNOWN
    return DONE if keyed(world) else UNKNOWN


def keeps_its_lock(world: World) -> Completion:
    """Victim: an error leaves the lock held, and the next attempt does not get it."""
    lock = threading.Lock()
    for _ in range(3):
        if not lock.acquire(blocking=False):
            continue
        try:
            world.tools.charge(order_id="A17", idempotency_key="A17")
            lock.release()
            return DONE
        except FAULTS:
            continue
    return UNKNOWN


def asks_once(world: World) -> Completion:
    """Victim: an error of the model's API is the end."""
    try:
        world.model([{"role": "user", "content": world.task}])
    except (ModelError, *LOST):
        return UNKNOWN
    return DONE if keyed(world) else UNKNOWN


def tries_again(world: World) -> Completion:
    """Survivor: reads again, and writes again with the same key."""
    if looks(world) is None:
        return UNKNOWN
    return DONE if keyed(world) else UNKNOWN


def looks_after(world: World) -> Completion:
    """Survivor: writes once, and if no answer comes looks until it is there."""
    if keyed(world, tries=1):
        return DONE
    time.sleep(60)
    return DONE if looks(world) or keyed(world) else UNKNOWN


def asks_thrice(world: World) -> Completion:
    """Survivor: the model's API may fail, too."""
    for _ in range(3):
        try:
            world.model([{"role": "user", "content": world.task}])
            return DONE if keyed(world) else UNKNOWN
        except (ModelError, *LOST):
            time.sleep(1)
    return UNKNOWN


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        (once, "AF219 find: find#1:once/timeout"),
        (keeps_its_lock, "AF219 charge: charge#1:once/timeout"),
        (asks_once, "AF219 the model: model#1:rate_limited"),
    ],
)
def test_victim(found, victim, expected):
    """Gives up at once, or cannot begin again."""
    assert expected in found(LAW, bill, victim)


@pytest.mark.parametrize("survivor", [tries_again, looks_after, asks_thrice])
def test_survivor(held, survivor):
    """Ends as it does without, whatever it is that fails once."""
    assert held(LAW, bill, survivor) > 0
