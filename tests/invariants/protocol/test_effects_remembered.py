"""`effects_remembered`: what was done stays in what the model is shown."""

import pytest

from agentfuzz import Completion, World, effects_remembered, run
from agentfuzz.core.events import Called, Crashed, Messaged, Saved
from agentfuzz.core.faults import Slot
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    happens,
    judge,
    looked_up,
    lookup,
    ok,
    raised,
    replay,
    reply,
    restarts,
    resumes,
    ship,
    strikes,
    tell,
    timeout,
)
from invariants.loops.shopping import has_a_deadline, order, shop, talk
from invariants.support import judged_by

LAW = effects_remembered()
RECEIPT = {"charge_id": "ch_77", "status": "paid"}
WORK = (shows(user()), asks("tc_1"), under("tc_1", charge()), commit(), ok(RECEIPT))
SEEN = shows(user(), wants("tc_1"), gets("tc_1", '{"charge_id": "ch_77"}'))
SAVES = happens(Saved, Slot("process", "notes", 1), "...")
CLOSE = (says("Done."), done())
GONE = "AF412 charge: Committed#1 Replied#1"


def test_broken():
    """AF412: the result was shown once, and a later input holds nothing of it."""
    history = tell(*WORK, SEEN, says("On."), shows(user(), wants("tc_9"), gets("tc_9")), *CLOSE)
    assert judge(LAW, history) == [f"{GONE} ModelInput#3"]
    assert LAW(history).violations[0].title == "charge_card: effect forgotten"
    emptied = shows(user(), wants("tc_1"), gets("tc_1", ""))
    assert judge(LAW, tell(*WORK, SEEN, emptied, *CLOSE)) == [f"{GONE} ModelInput#3"]
    anew = tell(*WORK, SEEN, says("On."), shows(user("Charge order A17. Go on.")), *CLOSE)
    assert judge(LAW, anew) == [f"{GONE} ModelInput#3"]
    never = tell(*WORK, shows(user()), *CLOSE)
    assert judge(LAW, never) == [f"{GONE} ModelInput#2"]


def test_what_a_window_cut_away():
    """AF412: the first messages are dropped, the receipt among them."""
    more = (asks(("tc_2", "lookup", {})), under("tc_2", looked_up()))
    long = shows(user(), wants("tc_1"), gets("tc_1"), wants("tc_2"), gets("tc_2", "..."))
    window = shows(wants("tc_2"), gets("tc_2", "..."))
    assert judge(LAW, tell(*WORK, SEEN, *more, long, says("Hm."), window, *CLOSE)) == [
        f"{GONE} ModelInput#4"
    ]


@pytest.mark.parametrize(
    "record",
    [
        "So far: e1.",
        "So far: paid, receipt ch_77.",
        "charge_card(A17) is done.",
        "The CHARGE of order A17 went through.",
        "x" * 500,  # cut: nobody knows what else it says
    ],
)
def test_held(record):
    """To compact is to shorten: the id, a value of the receipt, or the name and the scope."""
    for message in (user(record), wants(text=record), gets(None, record)):
        history = tell(*WORK, SEEN, says("On."), shows(user(), message), *CLOSE)
        assert judge(LAW, history) == "HELD"


@pytest.mark.parametrize("record", ["So far: nothing.", "charge_card was called.", "A17", "paying"])
def test_what_is_no_record(record):
    """AF412: neither the name alone, nor the scope alone, nor the task's own words."""
    history = tell(*WORK, SEEN, says("On."), shows(user(), user(record)), *CLOSE)
    assert judge(LAW, history) == [f"{GONE} ModelInput#3"]
    again = tell(*WORK, SEEN, says("On."), shows(user(), user()), *CLOSE)
    assert judge(LAW, again) == [f"{GONE} ModelInput#3"]


def test_a_long_task_is_no_record():
    """AF412: the task, too long to be kept whole, was there before the effect: no news of it."""
    task = user("Charge order A17. ".ljust(500, "x"))  # cut
    history = tell(shows(task), *WORK[1:], shows(task), *CLOSE)
    assert judge(LAW, history) == [f"{GONE} ModelInput#2"]


@pytest.mark.parametrize(
    "leg",
    [
        (says("On."), restarts()),
        (SAVES, restarts()),
        (resumes("follow_up"),),
        (happens(Messaged, "Charge of A17?", "task"), resumes("interrupt", 2, "cancelled")),
        (done("blocked", "needs_approval"), resumes("decision")),
        (done("partial"), resumes("follow_up")),
    ],
)
@pytest.mark.parametrize("begins", [shows(user()), shows(user("Where are you with this?"))])
def test_a_leg_that_forgot(leg, begins):
    """AF412: the task goes on, and what was done is not in the input of the new leg."""
    history = tell(*WORK, SEEN, *leg, begins, *CLOSE)
    assert judge(LAW, history) == [f"{GONE} ModelInput#3"]
    kept = shows(user(), wants("tc_1"), gets("tc_1", "ok"), user("Where are you with this?"))
    assert judge(LAW, tell(*WORK, SEEN, *leg, kept, *CLOSE)) == "HELD"
    noted = shows(user("Go on. Already done: charge_card A17."))
    assert judge(LAW, tell(*WORK, SEEN, *leg, noted, *CLOSE)) == "HELD"


@pytest.mark.parametrize("status", ["success", "failed", "cancelled"])
def test_a_task_that_is_over(status):
    """After its completion a task may be forgotten."""
    history = tell(*WORK, SEEN, done(status), resumes("follow_up"), shows(user("Next.")), *CLOSE)
    assert judge(LAW, history) == "HELD"
    assert judge(LAW, tell(*WORK, done(), resumes("follow_up"), shows(user("Next.")), *CLOSE)) == (
        "NOT_EXERCISED"
    )


def test_a_process_that_died_at_once():
    """Nothing could be saved between the reply and the crash."""
    assert judge(LAW, tell(*WORK, restarts(), shows(user()), *CLOSE)) == "NOT_EXERCISED"
    step = (*WORK, under("tc_2", lookup()))  # one that writes down whole steps
    assert judge(LAW, tell(*step, restarts(), shows(user()), *CLOSE)) == "NOT_EXERCISED"
    crash = happens(Crashed, Slot("process", "charge_card", 1))
    unread = (shows(user()), asks("tc_1"), under("tc_1", charge()), commit(), crash)
    again = (resumes("restart", 2, "crashed"), shows(user()), *CLOSE)
    assert judge(LAW, tell(*unread, *again)) == "NOT_EXERCISED"


def test_a_restarted_leg_that_finds_out():
    """A look-up of the scope, or a repeat with the key that the backend recognises."""
    begins = (*WORK, SEEN, restarts(), shows(user()))
    looks = (asks(("tc_2", "lookup", {})), under("tc_2", looked_up()))
    after = shows(user(), wants("tc_2"), gets("tc_2", "paid"))
    assert judge(LAW, tell(*begins, *looks, after, *CLOSE)) == "HELD"
    repeats = (asks("tc_2"), under("tc_2", charge("A17", "k")), replay(), ok(RECEIPT))
    assert judge(LAW, tell(*begins, *repeats, after, *CLOSE)) == "HELD"
    other = (asks(("tc_2", "lookup", {})), under("tc_2", looked_up("B18")))
    assert judge(LAW, tell(*begins, *other, after, *CLOSE)) == [f"{GONE} ModelInput#3"]
    in_doubt = (asks(("tc_2", "lookup", {})), under("tc_2", lookup()), timeout())
    assert judge(LAW, tell(*begins, *in_doubt, after, *CLOSE)) == [f"{GONE} ModelInput#3"]
    same_leg = (*WORK, SEEN, says("On."), shows(user()), *repeats, *CLOSE)
    assert judge(LAW, tell(*same_leg)) == [f"{GONE} ModelInput#3"]


@pytest.mark.parametrize("kind", ["truncated", "ambiguous", "malformed", "wrong", "hostile"])
def test_a_reply_that_leaves_doubt(kind):
    """It is no receipt; the one that a repeat with the key brought is, and a summary that holds
    it holds the effect, though part of it had been shown before."""
    forged = reply("applied", '{"charge_id": "ch_7', complete=kind != "truncated")
    struck = (strikes(f"charge_card#1:once/{kind}"), commit(), forged)
    doubtful = (shows(user()), asks("tc_1"), under("tc_1", charge(key="k")), *struck)
    shown = (wants("tc_1"), gets("tc_1", '{"charge_id": "ch_7'))
    assert judge(LAW, tell(*doubtful, shows(user()), *CLOSE)) == "NOT_EXERCISED"
    again = (under("tc_2", charge(key="k")), replay(), reply("replayed", RECEIPT))
    repeated = (*doubtful, shows(user(), *shown), asks("tc_2"), *again)
    summary = shows(user(), wants(text='Charged: {"charge_id": "ch_7", and {"charge_id": "ch_77"}'))
    assert judge(LAW, tell(*repeated, summary, *CLOSE)) == "HELD"
    forgotten = tell(*repeated, shows(user(), wants("tc_9"), gets("tc_9")), *CLOSE)
    assert judge(LAW, forgotten) == ["AF412 charge: Committed#1 Replied#2 ModelInput#3"]


def test_an_effect_that_was_read_twice():
    """Either result of it will do."""
    lost = (shows(user()), asks("tc_1"), under("tc_1", charge("A17", "k")), commit(), timeout())
    again = (asks("tc_2"), under("tc_2", charge("A17", "k")), replay(), ok(RECEIPT))
    kept = shows(user(), wants("tc_2"), gets("tc_2", "ok"))
    assert judge(LAW, tell(*lost, SEEN, *again, kept, *CLOSE)) == "HELD"
    dropped = shows(user(), wants("tc_9"), gets("tc_9", "ok"))
    assert judge(LAW, tell(*lost, SEEN, *again, kept, dropped, *CLOSE)) == [
        "AF412 charge: Committed#1 Replied#2 ModelInput#4"
    ]


@pytest.mark.parametrize(
    "steps",
    [
        (resumes("duplicate"), shows(user()), *CLOSE),
        (resumes("duplicate", 2, "running"), shows(user()), done(), resumes("back", 1), SEEN),
        (resumes("decision", 2, "running"), shows(user("Yes.")), resumes("back", 1), SEEN),
        (SEEN, shows(user("You are a clerk. Book a table.")), says("Booked."), SEEN, *CLOSE),
    ],
)
def test_whose_memory_it_is_not(steps):
    """A second delivery, a leg within a leg, and another agent of the run know nothing of it."""
    assert judge(LAW, tell(*WORK, *steps)) in ("HELD", "NOT_EXERCISED")


def test_the_memory_of_the_outer_leg():
    """AF412: a leg that another one interrupted goes on without what it had done before."""
    within = (resumes("duplicate", 2, "running"), shows(user()), done(), resumes("back", 1))
    history = tell(*WORK, *within, shows(user()), *CLOSE)
    assert judge(LAW, history) == [f"{GONE} ModelInput#3"]


def test_not_exercised():
    """No effect was asked for and read, or no input came after it."""
    for steps in (
        (done(),),
        (*WORK, done()),
        (*WORK, raised("ValueError")),
        (shows(user()), charged(), shows(user()), *CLOSE),  # the loop's own call
        (shows(user()), asks("tc_1"), under("tc_1", charge()), commit(), timeout(), SEEN, *CLOSE),
        (shows(user()), asks(("tc_1", "lookup", {})), under("tc_1", looked_up()), SEEN, *CLOSE),
    ):
        assert judge(LAW, tell(*steps)) == "NOT_EXERCISED"


def test_each_effect_for_itself():
    """AF412: one is remembered, the other is not."""
    both = (asks("tc_1", ("tc_2", "ship", {"order_id": "A17"})), under("tc_1", charge()), commit())
    ran = (shows(user()), *both, ok(RECEIPT), under("tc_2", ship()), commit(), ok("on its way"))
    history = tell(*ran, SEEN, *CLOSE)
    assert judge(LAW, history) == ["AF412 shipment: Committed#2 Replied#2 ModelInput#2"]


# on whole loops
WINDOW = 4


def last_four(messages: list[dict]) -> list[dict]:
    """The task and the last four messages: two calls with their results."""
    return [*messages[:1], *messages[1:][-WINDOW:]]


def results_and_last_four(messages: list[dict]) -> list[dict]:
    """The same, and every call whose result was no error."""
    results = [message for message in messages if message["role"] == "tool"]
    kept = {one["tool_call_id"] for one in results if not one["content"].startswith("Error")}
    kept |= {one["tool_call_id"] for one in results if one in messages[-WINDOW:]}
    return [
        message
        for message in messages
        if message["role"] == "user"
        or message.get("tool_call_id") in kept
        or any(one["id"] in kept for one in message.get("tool_calls", ()))
    ]


def forgets(world: World) -> Completion:
    """Victim: a window over the conversation."""
    return talk(world, shorten=last_four)


def remembers(world: World) -> Completion:
    """Survivor: what was done outlives the window."""
    return talk(world, shorten=results_and_last_four)


def test_victim(found, simulation):
    """One retry more than usual, and the charge has fallen out of the window: the model plans it
    again. A model that loops on the charge pushes the shipment out."""
    plan = "ship#1:once/timeout"
    assert found(LAW, shop, forgets) == [f"AF412 charge: {plan}", "AF412 shipment: model#1:loop"]
    history = run(judged_by(LAW, shop), forgets, plan, simulation=simulation).history
    assert [call.slot.name for call in history.of(Called)][:4] == [
        "charge_card",
        "ship",
        "ship",
        "charge_card",
    ]


@pytest.mark.slow
def test_survivor(held):
    """What was done is what is kept."""
    assert held(LAW, shop, remembers) > 50


def test_untested(untested):
    """There is no conversation to be shortened."""
    assert untested(LAW, order, has_a_deadline) == ["AF802 effects_remembered was never exercised"]


def test_an_id_that_comes_again():
    """AF412: what stands under the id is the result of another call that the model gave it."""
    again = (*WORK, SEEN, asks(("tc_1", "ship", {"order_id": "A17"})), under("tc_1", looked_up()))
    both = shows(user(), wants("tc_1"), gets("tc_1", "ch_77"), wants("tc_1"), gets("tc_1", "p_1"))
    latest = shows(user(), wants("tc_1"), gets("tc_1", "p_1"))
    assert judge(LAW, tell(*again, both, *CLOSE)) == "HELD"
    assert judge(LAW, tell(*again, latest, *CLOSE)) == [f"{GONE} ModelInput#3"]
