"""`executed_as_asked`: what the model asked for is executed once, and nothing else."""

import pytest

from agentfuzz import executed_as_asked
from agentfuzz.world.reply_faults import as_text
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import (
    charge,
    charged,
    cut_off,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    raised,
    reply,
    restarts,
    returned,
    ship,
    strikes,
    tell,
    timeout,
)
from invariants.loops.field import FAULTS, EveryCall, Loop, plain, shop
from invariants.teams import acts, sends

SHIP = ("tc_2", "ship", {"order_id": "A17"})
ONE = under("tc_1", charged())
TWO = under("tc_2", ship())
LAW = executed_as_asked()


@pytest.mark.parametrize(
    "steps",
    [
        (asks("tc_1"), ONE),
        (asks("tc_1", SHIP), TWO, ONE),
        (asks("tc_1", "tc_1"), ONE),
        (asks("tc_1"), ONE, asks("tc_1"), ONE),
        (asks("tc_1"), ONE, looked_up()),
        (asks("tc_1", ("tc_2", "done", {"status": "success"})), ONE, done(via="tool")),
        (asks(("tc_1", "charge_card", '{"order_id": "A1')), ONE),
        (asks(("tc_1", "charge_card", {"amount": 42})), ONE),
    ],
    ids=["one", "order", "doubled", "used again", "look-up", "done", "torn", "unnamed scope"],
)
def test_held(steps):
    """One execution for each time that the model asked; look-ups of the loop's own are free."""
    assert judge(LAW, tell(*steps, done())) == "HELD"


@pytest.mark.parametrize(
    ("answer", "value", "verdict"),
    [
        ({"status": "success"}, {"status": "success", "handle": None}, "HELD"),
        ({"status": "failed"}, {"status": "success", "handle": None}, "broken"),
        ({}, {"status": "success", "handle": None}, "broken"),
        ({"status": "success"}, "All done.", "broken"),
    ],
    ids=["returned", "another value", "no arguments", "text"],
)
def test_a_typed_answer_is_returned_and_not_executed(answer, value, verdict):
    """A last call of a tool that the world does not have, whose arguments the run returns."""
    steps = (asks("tc_1"), ONE, asks(("tc_2", "final_result", answer)), returned(value))
    broken = ["AF407 final_result dropped: ModelTurn#2 Ended#1"]
    assert judge(LAW, tell(*steps)) == ("HELD" if verdict == "HELD" else broken)
    own = asks(("tc_2", "ship", {"order_id": "A17"}))
    assert judge(LAW, tell(asks("tc_1"), ONE, own, returned({"order_id": "A17"}))) != "HELD"


@pytest.mark.parametrize(
    "failed",
    [timeout(), reply("failed", raised="ToolError"), reply("in_flight", "queued")],
    ids=["timeout", "refused", "in doubt"],
)
def test_leaves_repeats_after_a_failure_alone(failed):
    """The loop tries a call again under its id: no second execution."""
    assert judge(LAW, tell(asks("tc_1"), under("tc_1", charge()), failed, ONE, done())) == "HELD"


@pytest.mark.parametrize("kind", ["truncated", "ambiguous", "malformed", "wrong", "hostile"])
def test_leaves_repeats_in_doubt_alone(kind):
    """A reply that is no answer of the backend's own may be asked for again."""
    doubtful = (under("tc_1", charge()), strikes(f"charge_card#1:once/{kind}"), ok("ch_9"))
    assert judge(LAW, tell(asks("tc_1"), *doubtful, ONE, done())) == "HELD"


@pytest.mark.parametrize("before", [timeout(), ok()], ids=["in doubt", "answered"])
def test_leaves_keyed_repeats_alone(before):
    """A repeat with the key of a call that was asked for is that call, under its id or without
    one; with another key it is none."""
    first = under("tc_1", charge(key="k1"))
    for again in (under("tc_1", charged(key="k1")), charged(key="k1")):
        assert judge(LAW, tell(asks("tc_1"), first, before, again, done())) == "HELD"
    hidden = tell(asks("tc_1"), first, before, charged(key="k2"), done())
    assert judge(LAW, hidden) == ["AF407 charge_card: Called#2"]
    two = (asks("tc_1", "tc_2"), first, ok(), under("tc_2", charge(key="k1")), timeout())
    assert judge(LAW, tell(*two, charged(key="k1"), done())) == "HELD"


def test_after_a_crash():
    """What died with the process is executed again, or was never executed; what its next step
    dropped is dropped."""
    unread = (asks("tc_1"), under("tc_1", charge()), restarts(), ONE)
    assert judge(LAW, tell(*unread, done())) == "HELD"
    assert judge(LAW, tell(asks("tc_1"), ONE, restarts(), ONE, done())) == "HELD"
    both = (asks("tc_1", SHIP), ONE, restarts(), shows(user()), asks("tc_3"), returned("Charged."))
    assert judge(LAW, tell(*both)) == ["AF407 charge_card dropped: ModelTurn#2 Ended#1"]
    lived = (asks("tc_1", SHIP), ONE, shows(user(), wants("tc_1"), gets("tc_1")), restarts())
    assert judge(LAW, tell(*lived, done())) == ["AF407 ship dropped: ModelTurn#1 Ended#1"]


def test_broken():
    """AF407: an id that was asked for once ran twice: after its receipt, or side by side."""
    history = tell(asks("tc_1", "tc_1"), ONE, ONE, done())
    assert judge(LAW, history) == ["AF407 charge_card: ModelTurn#1 Called#1 Called#2"]
    assert LAW(history).violations[0].title == "charge_card ran 2x, asked 1x"
    beside = tell(asks("tc_1"), under("tc_1", charge()), under("tc_1", charge()), ok(), done())
    assert judge(LAW, beside) == ["AF407 charge_card: ModelTurn#1 Called#1 Called#2"]


def test_another_tool_or_intent():
    """AF407: the call was asked for, and something else was executed under its id."""
    history = tell(asks("tc_1"), under("tc_1", ship()), ok(), done())
    assert judge(LAW, history) == ["AF407 ship: ModelTurn#1 Called#1"]
    assert LAW(history).violations[0].title == "ship ran for charge_card"
    history = tell(asks("tc_1"), under("tc_1", charged("B18")), done())
    assert judge(LAW, history) == ["AF407 charge_card: ModelTurn#1 Called#1"]
    assert LAW(history).violations[0].title == "charge_card: another order_id"


def test_hidden():
    """AF407: an effect that no model asked for, beside calls that were asked for."""
    for hidden in (charged("B18"), under("tc_9", charged("B18"))):
        history = tell(asks("tc_1"), ONE, hidden, done())
        assert judge(LAW, history) == ["AF407 charge_card: Called#2"]
        assert LAW(history).violations[0].title == "charge_card: not asked for"
    early = tell(ONE, asks("tc_1"), ONE, done())
    assert judge(LAW, early) == ["AF407 charge_card: Called#1"]


def test_dropped():
    """AF407: a call was neither executed nor refused, and the run passes for a success."""
    dropped = ["AF407 ship dropped: ModelTurn#1 Ended#1"]
    assert judge(LAW, tell(asks("tc_1", SHIP), ONE, done())) == dropped
    assert judge(LAW, tell(asks("tc_1", SHIP), ONE, returned("Charged."))) == dropped
    assert judge(LAW, tell(asks(SHIP), returned("Sorry, need more steps."))) == dropped
    shown = shows(user(), wants("tc_1"), gets("tc_1"))
    history = tell(asks("tc_1", SHIP), ONE, shown, done())
    assert judge(LAW, history) == dropped
    assert LAW(history).violations[0].title == "ship: asked for, never ran"


def test_a_handoff_of_the_frameworks_own():
    """It is no call of the world's: whether it was carried out, the next agent says."""
    moves = ("tc_2", "to_billing", {})
    begun = (acts("triage"), asks("tc_1", moves), ONE)
    on = (acts("billing"), says("Charged."), returned("Charged."))
    assert judge(LAW, tell(*begun, *on)) == "HELD"
    stays = (says("Charged."), returned("Charged."))
    assert judge(LAW, tell(*begun, *stays)) == ["AF407 to_billing dropped: ModelTurn#1 Ended#1"]
    between = (acts(""), acts("triage"), sends("billing"), *on)  # something of the loop's own
    assert judge(LAW, tell(*begun, *between)) == "HELD"
    later = (says("Charged."), sends("billing"), returned("Charged."))
    assert judge(LAW, tell(*begun, *later)) == ["AF407 to_billing dropped: ModelTurn#1 Ended#1"]


def test_dropped_openly():
    """Refused and shown; refused with the whole turn; after the end; or an honest ending."""
    told = shows(user(), wants("tc_1", "tc_2"), gets("tc_1"), gets("tc_2", "not allowed"))
    held = [
        tell(asks("tc_1", SHIP), ONE, told, done()),
        tell(asks(SHIP), shows(user()), asks("tc_1"), ONE, done()),
        tell(asks("tc_1", SHIP), ONE, done(via="tool")),
        tell(asks("tc_1", SHIP), ONE, done("partial")),
        tell(asks("tc_1", SHIP), ONE, raised("LimitReached")),
        tell(asks("tc_1", SHIP), ONE, cut_off("budget")),
        tell(asks(SHIP, stop="length"), asks("tc_1"), ONE, done()),
    ]
    assert [judge(LAW, history) for history in held] == ["HELD"] * len(held)


def test_not_exercised():
    """No model asked for a call, or no call says that it was asked for."""
    for steps in ([charged()], [asks("tc_1"), charged()], [asks(), ONE], [lookup(), ok()]):
        assert judge(LAW, tell(*steps, done())) == "NOT_EXERCISED"


# on whole loops


class TriesAgain(Loop):
    """P3: a hidden retry, which the model knows nothing about."""

    def attempt(self, call):
        try:
            return self.execute(call)
        except TimeoutError:
            return as_text(self.world.call(call["name"], call["arguments"]))
        except (*FAULTS, ValueError) as error:
            return f"error: {error}"


class FirstThree(Loop):
    """P3: a cap on parallel calls, kept in silence."""

    def wanted(self, turn):
        return super().wanted(turn)[:3]


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        (EveryCall, "AF407 charge_card: model#1:duplicate_ids"),
        (TriesAgain, "AF407 charge_card: charge_card#1:once/timeout"),
        (FirstThree, "AF407 charge_card dropped: model#1:fan_out"),
    ],
)
def test_victim(found, victim, expected):
    """The same id twice; a hidden retry; a cap that is kept in silence."""
    assert found(LAW, shop(), plain(victim)) == [expected]


def test_survivor(held):
    """Each id once, and every one of them."""
    assert held(LAW, shop(), plain(Loop), depth=1) > 10


@pytest.mark.parametrize("order", [0, 1])
def test_two_calls_under_one_id(order):
    """Each goes back to what is like it, whichever comes first; neither may come twice."""
    turn = asks("tc_1", ("tc_1", "ship", {"order_id": "A17"}))
    calls = [ONE, under("tc_1", ship())]
    both = (calls[order], calls[1 - order])
    assert judge(LAW, tell(turn, *both, done())) == "HELD"
    twice = tell(turn, under("tc_1", charge()), ok(), ONE, done())
    assert judge(LAW, twice) == ["AF407 charge_card: ModelTurn#1 Called#1 Called#2"]
