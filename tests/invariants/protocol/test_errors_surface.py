"""`errors_surface`: an error is told: to the model, or in the answer."""

import pytest

from agentfuzz import Completion, World, errors_surface
from agentfuzz.invariants.queries.errors import reads_as_error
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import (
    charge,
    charged,
    commit,
    cut_off,
    died,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    raised,
    refuse,
    reply,
    restarts,
    resumes,
    returned,
    ship,
    strikes,
    tell,
    timeout,
)
from invariants.loops.shopping import has_a_deadline, order, shop, talk

LAW = errors_surface()
LOST = reply("unknown", "charge_card timed out: no reply within 30 s", raised="TimeoutError")
FAIL = (shows(user()), asks("tc_1"), under("tc_1", charge()), LOST)
CLOSE = (says("Charged."), done())
GONE = "AF411 charge_card: Called#1 Replied#1"


def told(text, *others):
    return shows(user(), wants("tc_1"), gets("tc_1", text), *others)


@pytest.mark.parametrize("text", ["", " ", "null", "{}", "ok", '{"status": "ok"}', "Done."])
def test_broken(text):
    """AF411: the model is shown nothing, or a success, in place of the error."""
    history = tell(*FAIL, told(text), *CLOSE)
    assert judge(LAW, history) == [f"{GONE} ModelInput#2"]
    assert LAW(history).violations[0].title == "charge_card: error swallowed"


def test_an_error_that_became_an_answer():
    """AF411: what stands there is what a good call of this tool answers."""
    receipt = {"charge_id": "ch_1"}
    shown = told('{"charge_id": "ch_1"}')
    whole = tell(asks("tc_1"), under("tc_1", charge()), commit(), ok(receipt), shown, *CLOSE)
    assert judge(LAW, tell(*FAIL, shown, *CLOSE), whole) == [f"{GONE} ModelInput#2"]
    assert judge(LAW, tell(*FAIL, shown, *CLOSE)) == "HELD"  # it might say anything


def test_an_error_that_is_left_out():
    """AF411: the next input shows no result of the call at all."""
    history = tell(*FAIL, shows(user(), wants("tc_1")), *CLOSE)
    assert judge(LAW, history) == [f"{GONE} ModelInput#2"]
    beside = (asks("tc_1", "tc_2"), under("tc_1", charge()), LOST, under("tc_2", charged("B18")))
    only = shows(user(), wants("tc_1", "tc_2"), gets("tc_2"))
    assert judge(LAW, tell(shows(user()), *beside, only, *CLOSE)) == [f"{GONE} ModelInput#2"]


def test_an_ending_that_hides_an_error():
    """AF411: no input followed, and the run ended well, or in silence."""
    assert judge(LAW, tell(*FAIL, done())) == [f"{GONE} Done#1"]
    assert judge(LAW, tell(*FAIL, returned("ok"))) == [f"{GONE} Ended#1"]
    assert judge(LAW, tell(*FAIL, returned())) == [f"{GONE} Ended#1"]
    refused = (asks("tc_1"), under("tc_1", charge()), refuse("tool_raised"), done())
    assert judge(LAW, tell(*refused)) == [f"{GONE} Done#1"]
    read = (asks(("tc_1", "lookup", {})), under("tc_1", lookup()), timeout(), done())
    assert judge(LAW, tell(*read)) == ["AF411 lookup: Called#1 Replied#1 Done#1"]


@pytest.mark.parametrize(
    "text",
    [
        "Error: charge_card timed out: no reply within 30 s",
        "TimeoutError",
        "The call did not answer in time; it may have gone through.",
        '{"status": "unknown"}',
        '{"ok": false}',
        '{"result": null, "error": "timeout"}',
        '{"outcome": "in_flight"}',
        "Zeitüberschreitung",
        "[tool result withheld]",
    ],
)
def test_held(text):
    """Held: the text says so, in whatever words; what cannot be judged is left alone."""
    assert judge(LAW, tell(*FAIL, told(text), *CLOSE)) == "HELD"


def test_an_error_that_is_told_elsewhere():
    """Another message may tell it, as long as it names it."""
    aside = shows(user(), wants("tc_1"), user("charge_card failed, please tell the customer."))
    assert judge(LAW, tell(*FAIL, aside, *CLOSE)) == "HELD"
    quoted = shows(user(), wants("tc_1"), user("TimeoutError"))
    assert judge(LAW, tell(*FAIL, quoted, *CLOSE)) == "HELD"
    assert judge(LAW, tell(*FAIL, told("x" * 500), *CLOSE)) == "HELD"  # the rest was not kept


def test_an_error_that_is_quoted():
    """Its message alone tells it, in whatever language; half of it does not."""
    lost = reply("unknown", "Zeit abgelaufen", raised="Boom")
    fail = (shows(user()), asks("tc_1"), under("tc_1", charge()), lost)
    for text, verdict in (
        ("Leider: Zeit abgelaufen.", "HELD"),
        ("Boom", "HELD"),
        ("Leider: Zeit.", [f"{GONE} ModelInput#2"]),
    ):
        aside = shows(user(), wants("tc_1"), user(text))
        assert judge(LAW, tell(*fail, aside, *CLOSE)) == verdict
    assert judge(LAW, tell(*fail, returned("OK: Zeit abgelaufen."))) == "HELD"
    assert judge(LAW, tell(*fail, returned("OK"))) == [f"{GONE} Ended#1"]


@pytest.mark.parametrize(
    "ending",
    [
        [raised("TimeoutError")],
        [died("SystemExit")],
        [cut_off("hung")],
        [done("blocked")],
        [done("failed")],
        [done("partial")],
        [returned("Sorry, charge_card timed out.")],
        [returned({"status": "failed"})],
        [returned("Leider nicht.")],
    ],
)
def test_an_ending_that_says_so(ending):
    """Held: it raises, or claims no success, or its text says what happened."""
    assert judge(LAW, tell(*FAIL, *ending)) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        (under("tc_1", charged()), told("ok"), *CLOSE),  # the loop tried again
        (charged(), told("ok"), *CLOSE),
        (looked_up(), told("ok"), *CLOSE),  # or looked up what had happened
        (looked_up(), done()),
        (charged(), done()),
        (restarts(), shows(user()), *CLOSE),  # the process died
        (resumes("interrupt", 2, "cancelled"), shows(user("Stop.")), *CLOSE),
        (shows(user()), asks("tc_2"), under("tc_2", charged()), *CLOSE),  # it began anew
        (shows(user("Book a table.")), *CLOSE),  # another conversation
    ],
)
def test_what_the_loop_dealt_with(steps):
    """Nothing is left to be told, or nobody to tell it to."""
    assert judge(LAW, tell(*FAIL, *steps)) == "NOT_EXERCISED"


@pytest.mark.parametrize("body", ["OK, processing", '{"status": "ok", "ch', ""])
def test_the_answer_of_the_last_attempt(body):
    """What a repeat was answered is the result of the call, whatever can be read of it; where it
    is an error again, that error is told."""
    again = (under("tc_1", charge()), reply("unknown", body, complete=False), told(body), *CLOSE)
    assert judge(LAW, tell(*FAIL, *again)) == "NOT_EXERCISED"
    twice = (under("tc_1", charge()), LOST)
    assert judge(LAW, tell(*FAIL, *twice, told("TimeoutError"), *CLOSE)) == "HELD"
    assert judge(LAW, tell(*FAIL, *twice, told("ok"), *CLOSE)) == [
        "AF411 charge_card: Called#2 Replied#2 ModelInput#2"
    ]
    hidden = (charge(), reply("unknown", "Error: timed out"), told("ok"), *CLOSE)
    assert judge(LAW, tell(*FAIL, *hidden)) == [f"{GONE} ModelInput#2"]


def test_what_it_dealt_with_for_another_order():
    """AF411: a repeat or a look-up for another order settles nothing."""
    for other in (charged("B18"), looked_up("B18"), ship()):
        assert judge(LAW, tell(*FAIL, other, told("ok"), *CLOSE)) == [f"{GONE} ModelInput#2"]


def test_an_error_that_came_as_a_text():
    """A value counts where it reads as an error, unless a fault forged it."""
    text = reply("unknown", "Error: charge_card timed out")
    sent = (shows(user()), asks("tc_1"), under("tc_1", charge()))
    assert judge(LAW, tell(*sent, text, told("ok"), *CLOSE)) == [f"{GONE} ModelInput#2"]
    assert judge(LAW, tell(*sent, text, told("Error"), *CLOSE)) == "HELD"
    hostile = (strikes("charge_card#1:once/hostile=1"), commit(), text)
    assert judge(LAW, tell(*sent, *hostile, told("ok"), *CLOSE)) == "NOT_EXERCISED"
    for kind in ("truncated", "malformed", "wrong"):
        forged = (strikes(f"charge_card#1:once/{kind}"), commit(), text)
        assert judge(LAW, tell(*sent, *forged, told("ok"), *CLOSE)) == "NOT_EXERCISED"
    for value in ({"unexpected": 7}, "OK, processing", '{"charge_i'):
        odd = reply("unknown", value, complete=False)
        assert judge(LAW, tell(*sent, odd, told("ok"), *CLOSE)) == "NOT_EXERCISED"


def test_not_exercised():
    """No call that a model asked for has failed."""
    assert judge(LAW, tell(done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(charge(), timeout(), done())) == "NOT_EXERCISED"
    good = (shows(user()), asks("tc_1"), under("tc_1", charged()), told("ok"), *CLOSE)
    assert judge(LAW, tell(*good)) == "NOT_EXERCISED"
    waits = (asks("tc_1"), under("tc_1", charge()), reply("in_flight", "accepted"), done())
    assert judge(LAW, tell(*waits)) == "NOT_EXERCISED"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("0 errors", False),
        ("finished without any errors", False),
        ("Charged 42 EUR.", False),
        ('{"status": "ok", "error": null}', False),
        ('{"errors": [], "failed": 0}', False),
        ('{"items": [{"state": "failed"}]}', True),
        ('{"success": false}', True),
        ("[1, 2]", False),
        ("it didn't work", True),
        ("connection reset by peer", True),
        ("429 too many requests", True),
    ],
)
def test_what_reads_as_an_error(text, error):
    """Words, fields and their values; what is said to be absent does not count."""
    assert reads_as_error(text) is error


# on whole loops


@pytest.mark.parametrize("nothing", ["", "null", '{"status": "ok"}'])
def test_victim(found, nothing):
    """An empty result, or a success, in its place."""

    def swallows(world: World) -> Completion:
        return talk(world, tell=lambda error: nothing)

    assert found(LAW, shop, swallows) == [
        "AF411 charge_card: charge_card#1:once/timeout",
        "AF411 ship: ship#1:once/timeout",
        "AF411 charge_card_v2: model#1:unknown_tool",
        "AF411 ship_v2: model#2:unknown_tool",
        "AF411 functions. charge_card: model#1:unknown_tool=2",
        "AF411 functions. ship: model#2:unknown_tool=2",
    ]


@pytest.mark.slow
def test_survivor(held):
    """As the result of its call."""
    assert held(LAW, shop, talk) > 50


def test_untested(untested):
    """A loop without a model tells nobody."""
    assert untested(LAW, order, has_a_deadline) == ["AF802 errors_surface was never exercised"]
