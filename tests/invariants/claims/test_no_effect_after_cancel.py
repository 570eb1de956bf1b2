"""`no_effect_after_cancel`: after the cancel nothing new is begun."""

import pytest

from agentfuzz import Completion, World, no_effect_after_cancel
from agentfuzz.scenarios import cancel_campaign
from invariants.conversations import asks
from invariants.histories import (
    cancels,
    charge,
    charged,
    commit,
    done,
    has_undos,
    judge,
    looked_up,
    ok,
    passes,
    refund,
    reply,
    resumes,
    ship,
    strikes,
    tell,
    timeout,
)
from invariants.loops.shopping import DONE, FAULTS, UNKNOWN
from trust import processes

CALM = no_effect_after_cancel()


@pytest.mark.parametrize(
    "steps",
    [
        (charge(), cancels(), commit(), ok(), done("cancelled")),
        (charge(), cancels("task"), timeout(), looked_up(), commit(1), done("cancelled")),
        (charged(), ship(), cancels(), ok(), resumes("follow_up"), ship(), commit(), ok(), done()),
        (has_undos(), charge(), cancels(), commit(), ok(), refund(), commit(), ok(), done()),
        (charge(), cancels(), charge("B18"), commit(1), ok(), commit(2), done("cancelled")),
    ],
    ids=["under way", "arrives late", "another leg", "undoes", "begun together"],
)
def test_held(steps):
    """What was under way may end, what happened may be undone, and a new wish is a new wish."""
    assert judge(CALM, tell(*steps)) == "HELD"


def test_what_was_ready_before_the_stop():
    """Another task that could go on already may call and be answered before the struck one learns
    of the stop; after that nobody may (AF310)."""
    now = passes(-1)  # no time goes by
    struck = (charge(), strikes("process:charge_card#1:cancel"), cancels("task"))
    other = (now, charge("B18"), now, reply("unknown", raised="ConnectionError"), now, ship())
    told = (now, reply("unknown", raised="CancelledError", of=1))
    assert judge(CALM, tell(*struck, *other, *told)) == "HELD"
    assert judge(CALM, tell(*struck, *told, *other)) == [
        "AF310 charge: Cancelled#1 Called#2",
        "AF310 shipment: Cancelled#1 Called#3",
    ]
    later = tell(*struck, *other, passes(5), commit(2), charge("C3"), ok(), charge("D4"))
    assert judge(CALM, later) == ["AF310 charge: Cancelled#1 Called#5"]


def test_a_stop_at_a_turn():
    """A task learns of it where it waits: a turn that did not wait is none; later it is (AF310)."""
    turn = (cancels("task"), passes(-1), asks("tc_1"), passes(-1), charge())
    learns = reply("unknown", raised="CancelledError")
    assert judge(CALM, tell(*turn, learns, done("cancelled"))) == "HELD"
    assert judge(CALM, tell(*turn, learns, ship())) == ["AF310 shipment: Cancelled#1 Called#2"]
    assert judge(CALM, tell(cancels("token"), passes(-1), asks("tc_1"), charge())) != "HELD"


def test_broken():
    """AF310: the loop learns of it, and goes on."""
    swallowed = tell(charge(), cancels("task"), timeout(), charge(), commit(), ok(), done())
    assert judge(CALM, swallowed) == ["AF310 charge: Cancelled#1 Called#2"]
    assert CALM(swallowed).violations[0].title == "charge_card called after the cancel"
    token = tell(charge(), commit(), cancels(), ok(), looked_up(), ship(), done())
    assert judge(CALM, token) == ["AF310 shipment: Cancelled#1 Called#3"]
    turn = tell(charged(), cancels(), asks("tc_2"), ship(), commit(), ok(), done())
    assert judge(CALM, turn) == ["AF310 shipment: Cancelled#1 Called#2"]


def test_undoes_what_nobody_did():
    """AF310: an undo of what was never called is a write like any other."""
    history = tell(has_undos(), looked_up(), cancels(), ok(), refund(), commit(), ok(), done())
    assert judge(CALM, history) == ["AF310 refund: Cancelled#1 Called#2"]


def test_not_exercised():
    """Nobody stopped it."""
    assert judge(CALM, tell(charged(), done())) == "NOT_EXERCISED"


# on whole loops


def mails(world: World, *, looks_each_time: bool) -> Completion:
    """A sync loop that polls the token: before each mail, or once before the first."""
    sent: list[str] = []
    stopped = world.cancelled
    for name in cancel_campaign.CUSTOMERS:
        stopped = world.cancelled if looks_each_time else stopped
        if stopped:
            break
        try:
            world.tools.send_mail(customer=name, idempotency_key=name)
        except FAULTS:
            return UNKNOWN
        sent.append(name)
    return Completion.cancelled(handle=", ".join(sent)) if world.cancelled else DONE


def looks_once(world: World) -> Completion:
    """Victim."""
    return mails(world, looks_each_time=False)


def looks_each_time(world: World) -> Completion:
    """Survivor."""
    return mails(world, looks_each_time=True)


MAILING = cancel_campaign.cancel_campaign


@pytest.mark.parametrize("victim", [cancel_campaign.finishes_first, looks_once])
def test_victim(found, victim):
    """Children that are shielded and waited for; a token that is looked at once."""
    assert found(CALM, MAILING, victim) == ["AF310 mail: process:send_mail#1:cancel"]


@pytest.mark.parametrize("survivor", [cancel_campaign.stops_and_reports, looks_each_time])
def test_survivor(held, survivor):
    """Before a mail, after one, and with one under way."""
    assert held(CALM, MAILING, survivor, one_in=1) > 50


@pytest.mark.parametrize("agent", [processes.all_at_once, processes.gathered, processes.one_by_one])
def test_tasks_that_are_stopped(held, agent):
    """A task group, a gather, one after the other with a recall of what went out."""
    assert held(CALM, processes.stopped, agent, deep_runs=0) > 50


def test_a_model_that_is_awaited(held):
    """The stop comes at a turn of the model, or at a call."""
    assert held(CALM, processes.asked, processes.async_model, depth=1) > 5


def test_untested(untested):
    """The same loop, and nobody presses Stop."""
    assert untested(CALM, MAILING, cancel_campaign.finishes_first, exclude=("cancel",)) == [
        "AF802 no_effect_after_cancel was never exercised"
    ]
