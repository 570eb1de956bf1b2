"""`receipts_shown`: the model is shown what came of each call that was executed."""

import pytest

from agentfuzz import at_most_once, receipts_shown, run
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    restarts,
    ship,
    strikes,
    tell,
    timeout,
)
from invariants.loops.field import FAULTS, Loop, plain, shop

SHIP = ("tc_2", "ship", {"order_id": "A17"})
SHIPPED = (wants("tc_2"), gets("tc_2"))
RECEIPT = {"charge_id": "ch_1", "amount": 42}
CHARGED = (under("tc_1", charge()), commit(), ok(RECEIPT))
SHIP_FAILED = (under("tc_2", ship()), timeout())
ASKED = (shows(user()), asks("tc_1", SHIP))
UNSEEN = "AF406 charge_card: Called#1 Replied#1 ModelInput#2"


@pytest.mark.parametrize("text", ['{"charge_id": "ch_1"}', "charged 42 EUR", "x" * 500])
def test_held(text):
    """The result of each executed call is in the next input, if only by one of its values."""
    history = tell(*ASKED, *CHARGED, shows(user(), wants("tc_1"), gets("tc_1", text)))
    assert judge(receipts_shown(), history) == "HELD"


def test_broken():
    """AF406: the next input does not show what was executed, or shows something else for it."""
    both = (wants("tc_1", "tc_2"), gets("tc_1", "error: a call failed"), gets("tc_2", "error"))
    assert judge(receipts_shown(), tell(*ASKED, *CHARGED, *SHIP_FAILED, shows(user(), *both))) == [
        UNSEEN
    ]
    lost = (wants("tc_2"), gets("tc_2", "error"))
    history = tell(*ASKED, *CHARGED, *SHIP_FAILED, shows(user(), *lost))
    assert judge(receipts_shown(), history) == [UNSEEN]
    assert receipts_shown()(history).violations[0].title == "charge_card: receipt not shown"


def test_the_result_of_an_agent_that_is_a_tool():
    """Its own calls are not spoken of; what it answers is the receipt, whole, or it is none."""
    charged = (*ASKED, *CHARGED)
    whole = gets("tc_2", '{"charge_id": "ch_1", "amount": 42}')
    assert judge(receipts_shown(), tell(*charged, shows(user(), wants("tc_2"), whole))) == "HELD"
    half = gets("tc_2", '{"charge_id": "ch_1"}')
    assert judge(receipts_shown(), tell(*charged, shows(user(), wants("tc_2"), half))) == [UNSEEN]
    both = (wants("tc_1", "tc_2"), whole)
    assert judge(receipts_shown(), tell(*charged, shows(user(), *both))) == [UNSEEN]


def test_what_another_agent_did_is_quoted():
    """Behind a preamble, of which a history keeps no more: what speaks of the tool may show it."""
    long = "What another agent did: " + "x" * 500
    told = long.replace("x" * 50, "[triage] charge_card returned: ", 1)[:500]
    assert judge(receipts_shown(), tell(*ASKED, *CHARGED, shows(user(), user(told)))) == "HELD"
    for other in (user(long[:500]), user(told[:400])):
        assert judge(receipts_shown(), tell(*ASKED, *CHARGED, shows(user(), other))) == [UNSEEN]
    left_open = (user(told), wants("tc_1"))
    assert judge(receipts_shown(), tell(*ASKED, *CHARGED, shows(user(), *left_open))) == [UNSEEN]


def test_a_failure_is_a_result_too():
    """AF406: the model is not told what became of a call that failed."""
    history = tell(*ASKED, *SHIP_FAILED, *CHARGED, shows(user(), wants("tc_1"), gets("tc_1", "42")))
    assert judge(receipts_shown(), history) == ["AF406 ship: Called#1 Replied#1 ModelInput#2"]


def test_when_the_conversation_begins_again():
    """AF406: an effect is forgotten by a loop that starts over; a look-up may be."""
    assert judge(receipts_shown(), tell(*ASKED, *CHARGED, shows(user()))) == [UNSEEN]
    looked = (under("tc_1", lookup()), ok())
    assert judge(receipts_shown(), tell(*ASKED, *looked, shows(user()))) == "NOT_EXERCISED"
    other = shows(user("Ship order B18."))
    assert judge(receipts_shown(), tell(*ASKED, *CHARGED, other)) == "NOT_EXERCISED"


def test_begun_anew_after_other_turns():
    """AF406: a conversation that has come a long way begins with its first words again, and the
    effect is not in it; one that shows it, or a look-up that is forgotten, is none."""
    way = (shows(user()), asks("tc_0"), under("tc_0", looked_up()), shows(user(), *FIRST), ASK)
    anew = tell(*way, *CHARGED, shows(user()))
    assert judge(receipts_shown(), anew) == ["AF406 charge_card: Called#2 Replied#2 ModelInput#3"]
    kept = shows(user(), wants("tc_1"), gets("tc_1", "ch_1"))
    assert judge(receipts_shown(), tell(*way, *CHARGED, kept)) == "HELD"
    looked = (under("tc_1", lookup()), ok())
    assert judge(receipts_shown(), tell(*way, *looked, shows(user()))) == "HELD"
    other = shows(user("Ship order B18."))
    assert judge(receipts_shown(), tell(*way, *CHARGED, other)) == "HELD"
    dead = (*way, *CHARGED, restarts(), shows(user()))
    assert judge(receipts_shown(), tell(*dead)) == "HELD"  # nobody is left who read it


FIRST, ASK = (wants("tc_0"), gets("tc_0")), asks("tc_1")


@pytest.mark.parametrize("kind", ["truncated", "ambiguous", "malformed", "wrong", "hostile"])
@pytest.mark.parametrize("text", ["Error: the receipt makes no sense", "?", "", None])
def test_a_reply_that_leaves_doubt(kind, text):
    """What is no answer of the backend's own need not be shown as if it were."""
    doubtful = (
        under("tc_1", charge()),
        strikes(f"charge_card#1:once/{kind}"),
        commit(),
        ok(RECEIPT),
    )
    shown = () if text is None else (wants("tc_1"), gets("tc_1", text))
    looked = (
        under("tc_2", lookup()),
        ok(7),
        shows(user(), *shown, wants("tc_2"), gets("tc_2", "7")),
    )
    history = tell(shows(user()), asks("tc_1", ("tc_2", "lookup", {})), *doubtful, *looked)
    assert judge(receipts_shown(), history) == "HELD"


def test_an_error_that_is_told_in_words():
    """A failed call is taken back with its turn, and another message names what failed; a call
    that is left open, or an effect that is taken back, is another matter."""
    way = (shows(user()), asks("tc_0"), under("tc_0", looked_up()), shows(user(), *FIRST))
    failed = (*way, asks(SHIP), under("tc_2", ship()), timeout())
    words = user("ship failed: TimeoutError")
    assert judge(receipts_shown(), tell(*failed, shows(user(), *FIRST, words))) == "HELD"
    seen = "AF406 ship: Called#2 Replied#2 ModelInput#3"
    open_call = tell(*failed, shows(user(), *FIRST, wants("tc_2"), words))
    assert judge(receipts_shown(), open_call) == [seen]
    assert judge(receipts_shown(), tell(*failed, shows(user(), *FIRST, user("Go on.")))) == [seen]
    both = tell(*ASKED, *CHARGED, *SHIP_FAILED, shows(user(), words))
    assert judge(receipts_shown(), both) == [UNSEEN]


def test_waits_for_the_reply():
    """A call that still runs when the model is asked again is due in the input after its reply."""
    open_call = (*ASKED, under("tc_1", charge()), commit(), shows(user(), *SHIPPED), says("..."))
    seen = shows(user(), *SHIPPED, wants("tc_1"), gets("tc_1", "ch_1"))
    assert judge(receipts_shown(), tell(*open_call, ok(RECEIPT), seen)) == "HELD"
    lost = judge(receipts_shown(), tell(*open_call, ok(RECEIPT), shows(user(), *SHIPPED)))
    assert lost == ["AF406 charge_card: Called#1 Replied#1 ModelInput#3"]
    assert judge(receipts_shown(), tell(*open_call)) == "NOT_EXERCISED"


def test_judges_the_last_attempt():
    """A call that was repeated under its id has one result: that of the last attempt."""
    tries = (under("tc_1", charge()), timeout(), *CHARGED)
    shown = shows(user(), wants("tc_1"), gets("tc_1", "ch_1"))
    assert judge(receipts_shown(), tell(*ASKED, *tries, shown)) == "HELD"


def test_without_anything_to_recognise():
    """A reply of yes or no cannot be told in other words."""
    yes = (under("tc_1", charge()), commit(), ok({"ok": True}))
    history = tell(*ASKED, *yes, shows(user(), wants("tc_1"), gets("tc_1", "charged")))
    assert judge(receipts_shown(), history) == "HELD"


def test_not_exercised():
    """No executed call that the model asked for was followed by an input."""
    for history in (
        tell(*ASKED, *CHARGED),
        tell(*ASKED, charged(), shows(user())),
        tell(charged(), done()),
    ):
        assert judge(receipts_shown(), history) == "NOT_EXERCISED"


# on whole loops


class AllOrNothing(Loop):
    """P2: one failed call, and the whole turn is taken back: the receipt beside it is lost."""

    def act(self, turn):
        before = len(self.messages)
        try:
            calls = self.wanted(turn)
            self.said(turn, calls)
            for call in calls:
                self.result(call["id"], self.execute(call))
        except (*FAULTS, ValueError):
            del self.messages[before:]


class OneForAll(Loop):
    """P2: one failed call, and every call of the turn is reported as failed."""

    def act(self, turn):
        calls = self.wanted(turn)
        self.said(turn, calls)
        texts = [self.attempt(call) for call in calls]
        failed = any(text.startswith("error") for text in texts)
        for call, text in zip(calls, texts, strict=True):
            self.result(call["id"], "error: a tool failed" if failed else text)


REFUSED = "ship#1:lost/rate_limited"


def test_victim(found):
    """One failed call, and the whole turn is taken back; or every call of it is told as failed."""
    law, side_by_side = receipts_shown(), shop(parallel=True)
    refused = ("lost/rate_limited",)
    assert found(law, side_by_side, plain(AllOrNothing), only=refused) == [
        f"AF406 charge_card: {REFUSED}"
    ]
    assert found(law, side_by_side, plain(OneForAll)) == [
        "AF406 ship: charge_card#1:once/timeout",
        "AF406 charge_card: ship#1:once/timeout",
    ]


def test_survivor(held):
    """Each call gets its own result."""
    assert held(receipts_shown(), shop(parallel=True), plain(Loop), depth=1) > 10


@pytest.mark.parametrize(("loop", "charges"), [(AllOrNothing, 2), (OneForAll, 2), (Loop, 1)])
def test_a_lost_receipt_is_a_second_charge(loop, charges, simulation):
    """The model asks again until it sees its receipt: that a sibling was refused, and nothing
    else, charges the card again."""
    story = shop(at_most_once("charge"), parallel=True)
    found = run(story, plain(loop), REFUSED, simulation=simulation)
    assert [commit.tool for commit in found.history.ledger].count("charge_card") == charges
    assert {v.code for v in found.violations} == ({"AF101"} if charges > 1 else set())
