"""`same_arguments`: an intent is carried out with the arguments that were meant for it."""

import random
import time

import pytest

from agentfuzz import Completion, RateLimited, ToolError, World, same_arguments, scenario
from invariants.conversations import asks, under
from invariants.histories import (
    call,
    commit,
    decides,
    done,
    has_undos,
    judge,
    looked_up,
    ok,
    refund,
    resumes,
    strikes,
    tell,
    timeout,
    waits,
)
from invariants.support import judged_by

LAW, CLEAR = same_arguments(), same_arguments(strict=False)


def charged(amount, of="A17", **more):
    """A charge of so much, as it should be."""
    args = {"order_id": of, "amount": amount, "note": "hi", "attempt": 1, **more}
    return lambda story: (
        [step(story) for step in (call("charge_card", **args), commit(), ok())] and None
    )


CLEAN = tell(charged(42), done())
BROKEN = ["AF116 charge amount: Committed#1"]


@pytest.mark.parametrize("amount", [42, 42.0, "42", " 42.00 "])
def test_held(amount):
    """The same amount, however it is written; what varies from try to try may vary."""
    history = tell(charged(amount, attempt=3, idempotency_key="k", retryCount=2), done())
    assert judge(LAW, history, CLEAN) == judge(CLEAR, history, CLEAN) == "HELD"


def test_broken():
    """AF116: of another amount."""
    history = tell(charged(420), done())
    assert judge(LAW, history, CLEAN) == judge(CLEAR, history, CLEAN) == BROKEN
    assert judge(same_arguments("charge", only=("amount",)), history, CLEAN) == BROKEN
    assert judge(same_arguments(ignore=("amount",)), history, CLEAN) == "HELD"
    assert LAW(history, CLEAN).violations[0].title == "charge_card: another amount"


def test_texts():
    """AF116, but not in the clear case: a text may be worded otherwise."""
    history = tell(charged(42, note="Sorry for the delay"), done())
    assert judge(LAW, history, CLEAN) == ["AF116 charge note: Committed#1"]
    assert judge(same_arguments(only=("amount",)), history, CLEAN) == "HELD"
    assert judge(CLEAR, history, CLEAN) == "HELD"


def test_inside_of_arguments():
    """AF116: also in what an argument holds."""
    items = tell(charged(1, items=[{"sku": "a", "qty": 2}]), done())
    history = tell(charged(1, items=[{"sku": "a", "qty": 20}]), done())
    assert judge(CLEAR, history, items) == ["AF116 charge qty: Committed#1"]


@pytest.mark.parametrize(
    "steps",
    [
        (charged(420), done("partial")),
        (charged(420), done("blocked")),
        (charged(42), charged(7, of="B18"), done()),
        (has_undos(), charged(420), refund(), commit(), ok(), charged(42), done()),
    ],
    ids=["said to be partial", "blocked", "another order", "taken back and done again"],
)
def test_not_accused(steps):
    """The answer says otherwise, or it is no effect of the fault-free run, or stands no more."""
    assert judge(LAW, tell(*steps), CLEAN) == judge(CLEAR, tell(*steps), CLEAN) == "HELD"


@pytest.mark.parametrize(
    "plan",
    [
        "lookup#1:once/wrong",
        "lookup#1:once/truncated",
        "charge_card#1:once/ambiguous",
        "model#1:drift",
        "model#1:malformed_args",
        "process:lookup#1:interrupt",
        "process:lookup#1:clock_jump",
        "approval:charge_card#1:late",
        "schedule:lookup#1:preempted",
    ],
)
def test_the_clear_case_is_clear(plan):
    """An agent that was lied to, or asked for something else, is not accused by default."""
    history = tell(strikes(plan), looked_up(), charged(420), done())
    assert judge(CLEAR, history, CLEAN) == "HELD"
    assert judge(LAW, history, CLEAN) == BROKEN


def test_no_measure():
    """A fault-free run that breaks a law itself, or claims no success, is no measure by default."""
    history = tell(charged(420), done())
    assert judge(CLEAR, history, tell(charged(42), done("partial"))) == "HELD"
    broken = tell(charged(42), done())
    broken.breaks = ("truthful",)
    assert judge(CLEAR, history, broken) == "HELD"


@pytest.mark.parametrize("plan", ["lookup#1:once/timeout", "model#1:error", "process:ship#1:crash"])
def test_what_tells_no_lie(plan):
    """AF116: a lost reply, an error of the model's API, a crash are no excuse."""
    assert judge(CLEAR, tell(strikes(plan), charged(420), done()), CLEAN) == BROKEN


def asked(amount):
    return asks(("tc_1", "charge_card", {"order_id": "A17", "amount": amount}))


def test_as_the_model_asked():
    """AF116: the model asked for another amount; what it asks for is its own affair."""
    drifted = tell(asked(9), under("tc_1", charged(9)), done())
    assert judge(LAW, drifted, CLEAN) == "HELD"
    history = tell(asked(9), under("tc_1", charged(42)), done())
    assert judge(LAW, history, CLEAN) == BROKEN
    other = tell(asked(9), under("tc_1", charged(42, of="B18")), done())
    assert judge(LAW, other, tell(charged(42), done())) == "NOT_EXERCISED"


def test_as_approved():
    """AF116: approved 9, executed 900, whatever the ending says; a person may change it."""
    wait = (asked(9), waits("tc_1"), done("blocked", "needs_approval"), resumes("decision"))
    paid = (decides("tc_1"), asked(900), under("tc_1", charged(900)), done("partial"))
    assert judge(LAW, tell(*wait, *paid), CLEAN) == BROKEN
    assert "was approved" in LAW(tell(*wait, *paid), CLEAN).violations[0].sentence
    mended = (decides("tc_1", {"amount": 7}), under("tc_1", charged(7)), done())
    assert judge(LAW, tell(*wait, *mended), CLEAN) == "HELD"
    same = (decides("tc_1"), under("tc_1", charged(9)), done())
    assert judge(LAW, tell(*wait, *same), CLEAN) == "HELD"


def test_not_exercised():
    """Nothing to compare: no effect of the fault-free run, or no such run."""
    assert judge(LAW, tell(charged(42), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(call("charge_card", order_id="A17"), timeout(), done()), CLEAN) == (
        "NOT_EXERCISED"
    )
    assert judge(same_arguments("shipment"), tell(charged(7), done()), CLEAN) == "NOT_EXERCISED"
    assert judge(CLEAR, CLEAN, CLEAN) == "NOT_EXERCISED"


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked()


@scenario(task="Charge what order A17 costs.")
def bill(world: World) -> None:
    @world.tool
    def price(order_id: str) -> dict:
        return {"order_id": order_id, "cents": 900}

    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge(order_id: str, cents: int, attempt: int = 0, ref: int = 0, note: str = "") -> str:
        return "charged"


def read(world: World, tries: int = 3) -> int | None:
    for _ in range(tries):
        try:
            found = world.tools.price(order_id="A17")
        except FAULTS:
            continue
        if isinstance(found, dict) and found.get("order_id") == "A17":
            return found.get("cents")
    return None


def pay(world: World, cents: int | None, **more) -> Completion:
    for nth in range(3):
        if type(cents) is not int:
            break
        more = {**more, "attempt": nth} if "attempt" in more else more
        try:
            if world.tools.charge(order_id="A17", cents=cents, **more) == "charged":
                return DONE
        except RateLimited as limited:
            time.sleep(limited.retry_after)
        except FAULTS:
            continue
    return UNKNOWN


def rebuilds(world: World) -> Completion:
    """Victim: what was not to be had is put in from defaults."""
    return pay(world, read(world, tries=1) or 100)


def believes(world: World) -> Completion:
    """Victim of the strict law: takes the price that it reads."""
    return pay(world, read(world))


def reads_twice(world: World) -> Completion:
    """Survivor: two readings have to agree."""
    first, second = read(world), read(world)
    return pay(world, first) if first == second else UNKNOWN


def counts_attempts(world: World) -> Completion:
    """Survivor: each attempt bears its number, and a reference of its own."""
    if read(world) is None:
        return UNKNOWN
    return pay(world, 900, attempt=0, ref=random.randrange(10**6))


def writes_it_down(world: World) -> Completion:
    """Survivor: keeps the request, and sends what it has kept."""
    world.store.setdefault("cents", 900)
    return pay(world, world.store["cents"])


def says_sorry(world: World) -> Completion:
    """Survivor of the clear case: another note, and the same amount."""
    note = "" if read(world, tries=1) == 900 else "Sorry, that took a while"
    return pay(world, 900, note=note)


def test_victim(found):
    """A default where nothing was read."""
    broken = "AF116 charge cents: price#1:once/timeout"
    assert found(CLEAR, bill, rebuilds) == [broken]
    assert broken in found(LAW, bill, rebuilds)
    assert found(CLEAR, bill, believes) == []


def test_a_false_price(play):
    """AF116, but not the clear case: a reply that is false in one value is believed."""
    for law, codes in ((LAW, ["AF116"]), (CLEAR, [])):
        run = play(judged_by(law, bill), believes, "price#1:once/wrong=4")
        assert [violation.code for violation in run.violations] == codes


@pytest.mark.parametrize("survivor", [reads_twice, counts_attempts, writes_it_down])
def test_survivor(held, survivor):
    """The arguments are those of the fault-free run."""
    assert held(LAW, bill, survivor, depth=1) > 0
    assert held(CLEAR, bill, survivor, depth=1) > 0


@pytest.mark.parametrize("survivor", [says_sorry, believes])
def test_survivor_of_the_clear_case(held, survivor):
    """What words it uses, and what lies it believes, is no clear case."""
    assert held(CLEAR, bill, survivor, depth=1) > 0
