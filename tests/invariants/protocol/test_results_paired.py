"""`results_paired`: the model is shown each call with its one result, and nothing vanishes."""

import pytest

from agentfuzz import results_paired
from agentfuzz.core.events import Shown
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    judge,
    ok,
    reply,
    ship,
    strikes,
    tell,
    timeout,
)
from invariants.loops.field import Loop, plain, shop

SHIP = ("tc_2", "ship", {"order_id": "A17"})
PAIR = (wants("tc_1"), gets("tc_1"))


def turn(*messages):
    """An input with these messages after the task, once the model has asked for two calls."""
    return tell(shows(user()), asks("tc_1", SHIP), shows(user(), *messages), says("Charged."))


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
def test_held(messages):
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
def test_broken(messages, subject, title):
    """AF404: whatever is not one call with one result."""
    assert judge(results_paired(), turn(*messages)) == [f"AF404 {subject}: ModelInput#2"]
    assert results_paired()(turn(*messages)).violations[0].title == title


def test_what_it_says():
    """The call and its id, and what had come of it; that nothing had, or that there was none."""
    broken = (shows(user()), asks("tc_1"), shows(user(), wants("tc_1")))

    def told(*made):
        (violation,) = results_paired()(tell(*broken[:2], *made, broken[2])).violations
        return violation

    one = told(under("tc_1", charge()), timeout())
    assert one.sentence == (
        "At turn 2 the model was shown its call of charge_card (id tc_1) and no result: it cannot "
        "know what came of it."
    )
    assert one.world == "charge_card#1 was made, and came back with TimeoutError"
    assert told(under("tc_1", charge())).world == "charge_card#1 was made, and not answered yet"
    assert told().world == "no such call was made"


def test_says_it_once():
    """What is broken once stays broken in every later input: one violation."""
    broken = shows(user(), wants("tc_1"))
    history = tell(shows(user()), asks("tc_1"), broken, says("..."), broken, says("Charged."))
    assert judge(results_paired(), history) == ["AF404 charge_card: ModelInput#2"]


def test_an_id_that_the_model_used_again():
    """A model that counts its ids from one in every turn is shown two calls of one id."""
    history = tell(asks("tc_1"), shows(user(), *PAIR), asks("tc_1"), shows(user(), *PAIR, *PAIR))
    assert judge(results_paired(), history) == "HELD"


def test_results_exchanged():
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


@pytest.mark.parametrize("kind", ["truncated", "ambiguous", "malformed", "wrong", "hostile"])
def test_a_reply_that_leaves_doubt(kind):
    """What is no answer of the backend's own may be shown in other words, or taken back."""
    doubtful = (strikes(f"charge_card#1:once/{kind}"), commit(), ok({"charge_id": "ch_9"}))
    sent = (shows(user()), asks("tc_1", SHIP), under("tc_1", charge()), *doubtful)
    shipped = (under("tc_2", ship()), commit(), ok({"parcel": 7}))
    both = (wants("tc_1", "tc_2"), gets("tc_1", '{"parcel": 7}'), gets("tc_2", '{"parcel": 7}'))
    assert judge(results_paired(), tell(*sent, *shipped, shows(user(), *both))) == "HELD"
    seen = shows(user(), *PAIR)
    assert judge(results_paired(), tell(*sent, seen, asks("tc_3"), shows(user()))) == "HELD"
    shrunk = (seen, asks(("tc_3", "ship", {})), shows(user(), wants("tc_3"), gets("tc_3")))
    assert judge(results_paired(), tell(*sent, *shrunk)) == "HELD"
    again = (*sent, under("tc_1", charged()), *shrunk)  # the reply that counts was whole
    assert judge(results_paired(), tell(*again)) == [GONE.replace("#2", "#3").replace("#1", "#2")]


def test_results_that_look_alike():
    """Not exchanged: a reply shown in part may be the whole of another; and a repeat without an
    id answers the call that it repeats."""
    same = {"ok": True}
    part = tell(
        *(shows(user()), asks("tc_1", SHIP), under("tc_1", charge()), commit(), ok(same)),
        *(under("tc_2", ship()), commit(), ok({"ok": True, "parcel": 7})),
        shows(
            user(),
            wants("tc_1", "tc_2"),
            gets("tc_1", '{"ok": true}'),
            gets("tc_2", '{"ok": true}'),
        ),
    )
    assert judge(results_paired(), part) == "HELD"
    told = '{"charge_id": "ch_1"}'
    twice = tell(
        *(shows(user()), asks("tc_1", "tc_2")),
        *(under("tc_1", charge()), commit(), ok({"charge_id": "ch_1"})),
        *(under("tc_2", charge()), reply("unknown", "no reply", raised="TimeoutError")),
        *(charge(), reply("replayed", {"charge_id": "ch_1"})),
        shows(user(), wants("tc_1", "tc_2"), gets("tc_1", told), gets("tc_2", told)),
    )
    assert judge(results_paired(), twice) == "HELD"


def grown(*second, law=None):
    """Two inputs of one conversation: the first shows a pair."""
    history = tell(asks("tc_1"), shows(user(), *PAIR), asks(SHIP), shows(*second))
    return judge(law or results_paired(), history)


SHIPPED = (wants("tc_2"), gets("tc_2"))
GONE = "AF405 charge_card: ModelInput#1 ModelInput#2"


def test_only_grows():
    """An input that holds the one before it; another conversation; one that begins again."""
    assert grown(user(), *PAIR, *SHIPPED) == "HELD"
    assert grown(Shown("system", "Step 2.", (), None), user(), *PAIR, *SHIPPED) == "HELD"
    assert grown(user("Ship order B18."), *SHIPPED) == "HELD"
    assert grown(user()) == "HELD"


def test_vanished():
    """AF405: a call, a result or both are gone, or stand in another order."""
    assert grown(user(), *SHIPPED) == [GONE]
    assert grown(user(), wants(text="I charged it.")) == [GONE]
    assert grown(user(), *SHIPPED, *PAIR) == "HELD"  # put in front of it: nothing lost
    assert grown(user(), wants("tc_1")) == ["AF404 charge_card: ModelInput#2", GONE]
    two = (*PAIR, *SHIPPED)
    history = tell(asks("tc_1", SHIP), shows(user(), *two), shows(user(), *SHIPPED, *PAIR))
    assert judge(results_paired(), history) == [GONE]
    assert results_paired()(history).violations[0].title == "charge_card: moved from its place"


def test_forgets():
    """A loop that shortens its context on purpose: pairs are judged, memory is not."""
    law = results_paired(forgets=True)
    assert grown(user(), *SHIPPED, law=law) == "HELD"
    assert grown(user(), wants("tc_1"), law=law) == ["AF404 charge_card: ModelInput#2"]


def test_two_conversations_in_turn():
    """Two agents whose tasks begin with the same words do not lose what the other one has."""
    history = tell(
        *(asks("tc_1"), shows(user(), *PAIR), shows(user()), asks(SHIP)),
        *(shows(user(), *SHIPPED), shows(user(), *PAIR), shows(user(), *SHIPPED)),
    )
    assert judge(results_paired(), history) == "HELD"


def test_not_exercised():
    """No input held a call or a result; or there was no model."""
    for history in (tell(shows(user()), says("Done.")), tell(charged(), done()), tell(shows())):
        assert judge(results_paired(), history) == "NOT_EXERCISED"


# on whole loops


class Dangles(Loop):
    """P1: a call that failed gets no result."""

    def act(self, turn):
        calls = self.wanted(turn)
        self.said(turn, calls)
        for call in calls:
            text = self.attempt(call)
            if not text.startswith("error"):
                self.result(call["id"], text)


class Zips(Loop):
    """P1: what came and what failed are collected apart, and matched to the calls by position."""

    def act(self, turn):
        calls = self.wanted(turn)
        self.said(turn, calls)
        texts = sorted(map(self.attempt, calls), key=lambda text: text.startswith("error"))
        for call, text in zip(calls, texts, strict=True):
            self.result(call["id"], text)


class TidiesUp(Loop):
    """P1: the model has seen its errors; they are taken out of the conversation."""

    def ask(self):
        turn = super().ask()
        bad = [m["tool_call_id"] for m in self.messages if (m["content"] or "").startswith("error")]
        self.messages = [
            message
            for message in self.messages
            if message.get("tool_call_id") not in bad
            and not any(call["id"] in bad for call in message.get("tool_calls", ()))
        ]
        return turn


LAW = results_paired()
TIMEOUT, UNKNOWN = "charge_card#1:once/timeout", "model#1:unknown_tool"


@pytest.mark.parametrize(
    ("victim", "parallel", "expected"),
    [
        (
            Dangles,
            False,
            [
                f"AF404 charge_card: {TIMEOUT}",
                f"AF404 charge_card_v2: {UNKNOWN}",
                f"AF404 functions. charge_card: {UNKNOWN}=2",
            ],
        ),
        (Zips, True, [f"AF404 charge_card: {TIMEOUT}"]),
        (
            TidiesUp,
            False,
            [
                f"AF405 charge_card: {TIMEOUT}",
                f"AF405 charge_card_v2: {UNKNOWN}",
                f"AF405 functions. charge_card: {UNKNOWN}=2",
            ],
        ),
    ],
)
def test_victim(found, victim, parallel, expected):
    """A call that failed gets no result, or another's; or its error is taken away again."""
    assert found(LAW, shop(parallel=parallel), plain(victim)) == expected


@pytest.mark.parametrize("parallel", [False, True])
def test_survivor(held, parallel):
    """Each call gets its result, an error too."""
    assert held(LAW, shop(parallel=parallel), plain(Loop), depth=1) > 10


OTHER = ("tc_1", "ship", {"order_id": "A17"})
FIRST = (shows(user()), asks("tc_1"), shows(user(), wants("tc_1"), gets("tc_1", "ch_1")))


def test_an_id_that_comes_again():
    """AF405: a model gives its next call the id of the last one, and the result of the last one
    gives way; both may stand there, and a turn may be refused."""
    again = (*FIRST, asks(OTHER))
    both = shows(user(), wants("tc_1"), gets("tc_1", "ch_1"), wants("tc_1"), gets("tc_1", "p_1"))
    latest = shows(user(), wants("tc_1"), gets("tc_1", "p_1"))
    refused = shows(user(), wants("tc_1"), gets("tc_1", "ch_1"), user("Ids must be new."))
    assert judge(results_paired(), tell(*again, both, says("Done."))) == "HELD"
    assert judge(results_paired(), tell(*again, refused, says("Done."))) == "HELD"
    broken = ["AF405 ship: ModelInput#2 ModelInput#3"]
    assert judge(results_paired(), tell(*again, latest, says("Done."))) == broken
    assert judge(results_paired(forgets=True), tell(*again, latest, says("Done."))) == "HELD"


def test_two_calls_under_one_id():
    """A result for each, if they are two; one, if they are the same call twice."""
    two = shows(user(), wants("tc_1", "tc_1"), gets("tc_1", "ch_1"), gets("tc_1", "p_1"))
    told = tell(shows(user()), asks("tc_1", OTHER), two, says("Done."))
    assert judge(results_paired(), told) == "HELD"
    told = tell(shows(user()), asks("tc_1", "tc_1"), two, says("Done."))
    assert judge(results_paired(), told) == ["AF404 charge_card: ModelInput#2"]
