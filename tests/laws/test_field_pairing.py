"""The laws about what a model is shown of its calls bite, hold, and say when nothing was shown."""

import pytest

from agentfuzz.core.events import Shown
from agentfuzz.invariants import receipts_shown, results_paired

from .histories import (
    asks,
    charge,
    charged,
    commit,
    done,
    gets,
    judge,
    lookup,
    ok,
    reply,
    says,
    ship,
    shows,
    tell,
    timeout,
    under,
    user,
    wants,
)

SHIP = ("tc_2", "ship", {"order_id": "A17"})
PAIR = (wants("tc_1"), gets("tc_1"))


def turn(*messages):
    """An input with these messages after the task, once the model has asked for two calls."""
    return tell(shows(user()), asks("tc_1", SHIP), shows(user(), *messages), says("Charged."))


# pairing


@pytest.mark.parametrize(
    "messages",
    [
        PAIR,
        (wants("tc_1", "tc_2"), gets("tc_1"), gets("tc_2")),
        (wants("tc_1", "tc_2"), gets("tc_2"), gets("tc_1")),
        (wants("tc_1"), wants("tc_2"), gets("tc_1"), gets("tc_2")),
        (wants("tc_1"), user("Are you there?"), gets("tc_1")),
        (wants("tc_1", "tc_1"), gets("tc_1")),
        (wants("tc_1"), wants("tc_1"), gets("tc_1")),
        (wants("None"), *PAIR),
    ],
    ids=["one", "two", "any order", "split", "apart", "doubled id", "doubled, split", "no id"],
)
def test_pairing_held(messages):
    """One result for each call, after it; a turn may be split over messages."""
    assert judge(results_paired(), turn(*messages)) == "HELD"


@pytest.mark.parametrize(
    ("messages", "subject", "title"),
    [
        ((wants("tc_1"),), "charge_card", "charge_card: call without result"),
        ((gets("tc_1"),), "charge_card", "charge_card: result without call"),
        ((gets("tc_1"), wants("tc_1")), "charge_card", "charge_card: result without call"),
        ((*PAIR, gets("tc_1")), "charge_card", "charge_card: result shown twice"),
        ((*PAIR, *PAIR), "charge_card", "charge_card: call shown twice"),
        ((*PAIR, wants("tc_1")), "charge_card", "charge_card: call without result"),
        ((wants("tc_1"), user(), *PAIR), "charge_card", "charge_card: call without result"),
        ((*PAIR, gets("tc_9")), "conversation", "tc_9: result without call"),
        ((*PAIR, gets(None)), "conversation", "a tool: result without call"),
    ],
)
def test_pairing_broken(messages, subject, title):
    """AF404: whatever is not one call with one result."""
    assert judge(results_paired(), turn(*messages)) == [f"AF404 {subject}: ModelInput#2"]
    assert results_paired()(turn(*messages)).violations[0].title == title


def test_pairing_says_it_once():
    """What is broken once stays broken in every later input: one violation."""
    broken = shows(user(), wants("tc_1"))
    history = tell(shows(user()), asks("tc_1"), broken, says("..."), broken, says("Charged."))
    assert judge(results_paired(), history) == ["AF404 charge_card: ModelInput#2"]


def test_pairing_an_id_that_the_model_used_again():
    """A model that counts its ids from one in every turn is shown two calls of one id."""
    history = tell(asks("tc_1"), shows(user(), *PAIR), asks("tc_1"), shows(user(), *PAIR, *PAIR))
    assert judge(results_paired(), history) == "HELD"


def test_pairing_results_exchanged():
    """AF404: the reply of one call, word for word, as the result of another."""

    def failed(first, second):
        return tell(
            *(shows(user()), asks("tc_1", SHIP)),
            *(under("tc_1", charge()), reply("unknown", "no reply", raised="TimeoutError")),
            *(under("tc_2", ship()), commit(), ok({"parcel": 7})),
            shows(user(), wants("tc_1", "tc_2"), gets("tc_1", first), gets("tc_2", second)),
        )

    assert judge(results_paired(), failed("error: no reply", '{"parcel": 7}')) == "HELD"
    assert judge(results_paired(), failed("in other words", '{"parcel": 7}')) == "HELD"
    exchanged = failed('{"parcel": 7}', "error: no reply")
    assert judge(results_paired(), exchanged) == ["AF404 charge_card: ModelInput#2"]
    assert results_paired()(exchanged).violations[0].title == "charge_card: result of another call"


def grown(*second, law=None):
    """Two inputs of one conversation: the first shows a pair."""
    history = tell(asks("tc_1"), shows(user(), *PAIR), asks(SHIP), shows(*second))
    return judge(law or results_paired(), history)


SHIPPED = (wants("tc_2"), gets("tc_2"))
GONE = "AF405 charge_card: ModelInput#1 ModelInput#2"


def test_pairing_only_grows():
    """An input that holds the one before it; another conversation; one that begins again."""
    assert grown(user(), *PAIR, *SHIPPED) == "HELD"
    assert grown(Shown("system", "Step 2.", (), None), user(), *PAIR, *SHIPPED) == "HELD"
    assert grown(user("Ship order B18."), *SHIPPED) == "HELD"
    assert grown(user()) == "HELD"


def test_pairing_vanished():
    """AF405: a call, a result or both are gone, or stand in another order."""
    assert grown(user(), *SHIPPED) == [GONE]
    assert grown(user(), wants(text="I charged it.")) == [GONE]
    assert grown(user(), *SHIPPED, *PAIR) == "HELD"  # put in front of it: nothing lost
    assert grown(user(), wants("tc_1")) == ["AF404 charge_card: ModelInput#2", GONE]
    two = (*PAIR, *SHIPPED)
    history = tell(asks("tc_1", SHIP), shows(user(), *two), shows(user(), *SHIPPED, *PAIR))
    assert judge(results_paired(), history) == [GONE]
    assert results_paired()(history).violations[0].title == "charge_card: moved from its place"


def test_pairing_forgets():
    """A loop that shortens its context on purpose: pairs are judged, memory is not."""
    law = results_paired(forgets=True)
    assert grown(user(), *SHIPPED, law=law) == "HELD"
    assert grown(user(), wants("tc_1"), law=law) == ["AF404 charge_card: ModelInput#2"]


def test_pairing_two_conversations_in_turn():
    """Two agents whose tasks begin with the same words do not lose what the other one has."""
    history = tell(
        *(asks("tc_1"), shows(user(), *PAIR), shows(user()), asks(SHIP)),
        *(shows(user(), *SHIPPED), shows(user(), *PAIR), shows(user(), *SHIPPED)),
    )
    assert judge(results_paired(), history) == "HELD"


def test_pairing_not_exercised():
    """No input held a call or a result; or there was no model."""
    for history in (tell(shows(user()), says("Done.")), tell(charged(), done()), tell(shows())):
        assert judge(results_paired(), history) == "NOT_EXERCISED"


# receipts_shown

RECEIPT = {"charge_id": "ch_1", "amount": 42}
CHARGED = (under("tc_1", charge()), commit(), ok(RECEIPT))
SHIP_FAILED = (under("tc_2", ship()), timeout())
ASKED = (shows(user()), asks("tc_1", SHIP))
UNSEEN = "AF406 charge_card: Called#1 Replied#1 ModelInput#2"


@pytest.mark.parametrize("text", ['{"charge_id": "ch_1"}', "charged 42 EUR", "x" * 500])
def test_receipt_seen_held(text):
    """The result of each executed call is in the next input, if only by one of its values."""
    history = tell(*ASKED, *CHARGED, shows(user(), wants("tc_1"), gets("tc_1", text)))
    assert judge(receipts_shown(), history) == "HELD"


def test_receipt_seen_lost_with_a_siblings_failure():
    """AF406: the next input does not show what was executed, or shows something else for it."""
    both = (wants("tc_1", "tc_2"), gets("tc_1", "error: a call failed"), gets("tc_2", "error"))
    assert judge(receipts_shown(), tell(*ASKED, *CHARGED, *SHIP_FAILED, shows(user(), *both))) == [
        UNSEEN
    ]
    lost = (wants("tc_2"), gets("tc_2", "error"))
    history = tell(*ASKED, *CHARGED, *SHIP_FAILED, shows(user(), *lost))
    assert judge(receipts_shown(), history) == [UNSEEN]
    assert receipts_shown()(history).violations[0].title == "charge_card: receipt not shown"


def test_receipt_seen_a_failure_is_a_result_too():
    """AF406: the model is not told what became of a call that failed."""
    history = tell(*ASKED, *SHIP_FAILED, *CHARGED, shows(user(), wants("tc_1"), gets("tc_1", "42")))
    assert judge(receipts_shown(), history) == ["AF406 ship: Called#1 Replied#1 ModelInput#2"]


def test_receipt_seen_when_the_conversation_begins_again():
    """AF406: an effect is forgotten by a loop that starts over; a look-up may be."""
    assert judge(receipts_shown(), tell(*ASKED, *CHARGED, shows(user()))) == [UNSEEN]
    looked = (under("tc_1", lookup()), ok())
    assert judge(receipts_shown(), tell(*ASKED, *looked, shows(user()))) == "NOT_EXERCISED"
    other = shows(user("Ship order B18."))
    assert judge(receipts_shown(), tell(*ASKED, *CHARGED, other)) == "NOT_EXERCISED"


def test_receipt_seen_waits_for_the_reply():
    """A call that still runs when the model is asked again is due in the input after its reply."""
    open_call = (*ASKED, under("tc_1", charge()), commit(), shows(user(), *SHIPPED), says("..."))
    seen = shows(user(), *SHIPPED, wants("tc_1"), gets("tc_1", "ch_1"))
    assert judge(receipts_shown(), tell(*open_call, ok(RECEIPT), seen)) == "HELD"
    lost = judge(receipts_shown(), tell(*open_call, ok(RECEIPT), shows(user(), *SHIPPED)))
    assert lost == ["AF406 charge_card: Called#1 Replied#1 ModelInput#3"]
    assert judge(receipts_shown(), tell(*open_call)) == "NOT_EXERCISED"


def test_receipt_seen_judges_the_last_attempt():
    """A call that was repeated under its id has one result: that of the last attempt."""
    tries = (under("tc_1", charge()), timeout(), *CHARGED)
    shown = shows(user(), wants("tc_1"), gets("tc_1", "ch_1"))
    assert judge(receipts_shown(), tell(*ASKED, *tries, shown)) == "HELD"


def test_receipt_seen_without_anything_to_recognise():
    """A reply of yes or no cannot be told in other words."""
    yes = (under("tc_1", charge()), commit(), ok({"ok": True}))
    history = tell(*ASKED, *yes, shows(user(), wants("tc_1"), gets("tc_1", "charged")))
    assert judge(receipts_shown(), history) == "HELD"


def test_receipt_seen_not_exercised():
    """No executed call that the model asked for was followed by an input."""
    for history in (
        tell(*ASKED, *CHARGED),
        tell(*ASKED, charged(), shows(user())),
        tell(charged(), done()),
    ):
        assert judge(receipts_shown(), history) == "NOT_EXERCISED"
