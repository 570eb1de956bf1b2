"""`replay_transparency`: under faults the ledger is what it is without, or the answer says so."""

import pytest

from agentfuzz import replay_transparency
from agentfuzz.core.events import Committed
from agentfuzz.core.history import History
from invariants.conversations import asks, says, under
from invariants.histories import (
    charge,
    charged,
    commit,
    cut_off,
    decides,
    done,
    has_undos,
    judge,
    looked_up,
    ok,
    raised,
    refund,
    restarts,
    resumes,
    returned,
    ship,
    strikes,
    tell,
    timeout,
    waits,
)
from invariants.loops.billing import FAULTS, billing, retries, with_key
from invariants.support import EVERY_SEED
from trust import plain

CLEAN = tell(charged(), done())


def test_held():
    """Under faults the ledger holds what it holds without them."""
    history = tell(charge(), timeout(), looked_up(), charged(), done())
    assert judge(replay_transparency(), history, CLEAN) == "HELD"


@pytest.mark.parametrize(
    "ending", [done("blocked"), done("partial"), raised("TimeoutError"), cut_off("budget")]
)
def test_less_and_said_so(ending):
    """Fewer effects are no breach when the ending does not pretend otherwise."""
    assert judge(replay_transparency(), tell(charge(), timeout(), ending), CLEAN) == "HELD"


@pytest.mark.parametrize("ending", [[done()], []], ids=["success", "no structured answer"])
def test_less_in_silence(ending):
    """AF105: an effect of the fault-free run is missing and nobody says so."""
    history = tell(charge(), timeout(), *ending)
    assert judge(replay_transparency(), history, CLEAN) == ["AF105 charge: Ended#1"]
    violation = replay_transparency()(history, CLEAN).violations[0]
    assert violation.title == "charge_card ran 0x, fault-free 1x"
    assert violation.sentence.endswith("and the answer does not say so.")
    assert violation.says == ("success" if ending else "no structured answer")


def test_names_only_what_differs():
    """An effect that is as it should be is no part of the finding."""
    baseline = tell(charged(), ship(), commit(), ok(), done())
    assert judge(replay_transparency(), CLEAN, baseline) == ["AF105 shipment: Ended#1"]


def test_broken():
    """AF105: an effect of the fault-free run once more is a breach, however the run ends."""
    for ending in (done(), done("failed"), raised("TimeoutError")):
        history = tell(charge(), commit(), timeout(), charged(), ending)
        expected = ["AF105 charge: Committed#1 Committed#2"]
        assert judge(replay_transparency(), history, CLEAN) == expected


def test_compares_scopes():
    """AF105, once: the wrong order was charged and the right one was not."""
    history = tell(charged("B2"), done())
    assert judge(replay_transparency(), history, CLEAN) == ["AF105 charge: Ended#1"]
    both = tell(charged(), charged("B2"), done())
    assert judge(replay_transparency(), both, CLEAN) == ["AF105 charge: Committed#2"]


@pytest.mark.parametrize(
    "ending",
    [done("blocked"), done("partial"), done("failed"), done("cancelled"), raised("E"), returned()],
    ids=["blocked", "partial", "failed", "cancelled", "raised", "no claim"],
)
def test_more_and_said_so(ending):
    """An escalation is no breach under an ending that is no success; under one it is (AF105)."""
    besides = (charged(), ship(), commit(), ok())
    assert judge(replay_transparency(), tell(*besides, ending), CLEAN) == "HELD"
    found = judge(replay_transparency(), tell(*besides, done()), CLEAN)
    assert found == ["AF105 shipment: Committed#2"]


def test_what_was_done_in_a_leg_that_owned_up_to_it():
    """An escalation of a leg that said blocked stands, whatever a later leg claims; one of a leg
    that claims success is a breach (AF105)."""
    ticket = (ship(), commit(), ok())
    owned = (charge(), timeout(), *ticket, done("blocked"), restarts(), charged(), done())
    assert judge(replay_transparency(), tell(*owned), CLEAN) == "HELD"
    hidden = (charge(), timeout(), done("blocked"), restarts(), charged(), *ticket, done())
    found = judge(replay_transparency(), tell(*hidden), CLEAN)
    assert found == ["AF105 shipment: Committed#2"]


NEXT = resumes("follow_up")
TWO = tell(charged(), done(), NEXT, charged("B2"), done())


@pytest.mark.parametrize(
    "steps",
    [
        (charge(), timeout(), done("blocked"), NEXT, charged("B2"), done()),
        (charged(), done(), NEXT, charge("B2"), timeout(), done("blocked")),
        (charge(), timeout(), done("blocked"), NEXT, charged(), charged("B2"), done()),
        (charge(), timeout(), restarts(), done("blocked"), resumes("follow_up", 3), charged("B2")),
        (charge(), timeout(), ship(), commit(), ok(), done("blocked"), NEXT, charged("B2"), done()),
        (charge(), timeout(), done("blocked"), NEXT, charged("B2"), ship(), commit(), ok(), done()),
        (charged(), done(), NEXT, cut_off("budget")),
        (charged(), cut_off("budget")),
    ],
)
def test_each_request_by_its_own_claim(steps):
    """The first request failed and says so, the second succeeded; or the other way round."""
    assert judge(replay_transparency(), tell(*steps), TWO) == "HELD"


def test_a_request_whose_own_claim_is_false():
    """AF105: the first request claims success, whatever is said of the second; and a restart
    belongs to the request that it restarts."""
    first = tell(charge(), timeout(), done(), NEXT, charge("B2"), timeout(), done("blocked"))
    assert judge(replay_transparency(), first, TWO) == ["AF105 charge: Ended#1"]
    assert replay_transparency()(first, TWO).violations[0].says == "success"
    again = (charge(), timeout(), done("blocked"), NEXT, charge("B2"), restarts(3), done())
    found = replay_transparency()(tell(*again), TWO).violations
    assert [violation.world for violation in found] == ["charge(order_id='B2') 0x instead of 1x"]
    late = (charge(), restarts(), done(), resumes("follow_up", 3), charged("B2"), done("blocked"))
    found = replay_transparency()(tell(*late), TWO).violations
    assert [violation.world for violation in found] == ["charge(order_id='A17') 0x instead of 1x"]


def test_a_decision_and_a_second_delivery_go_on_with_their_request():
    """A decision belongs to the request that waited for it, a second delivery to the first."""
    clean = tell(
        waits("r1"), done("blocked"), resumes("decision"), decides("r1"), charged(), done()
    )
    lost = (charge(), timeout(), done("blocked"))
    history = tell(waits("r1"), done("blocked"), resumes("decision"), decides("r1"), *lost)
    assert judge(replay_transparency(), history, clean) == "HELD"
    honest = (charge(), timeout(), done("blocked"), NEXT, charged("B2"), done())
    died = (resumes("duplicate", 3, "running"), restarts(4), charged("B2"), done())
    nested = (charged(), done(), NEXT, *died)
    assert judge(replay_transparency(), tell(*nested), TWO) == "HELD"
    again = (*honest, resumes("duplicate", 3), done("success"))
    found = replay_transparency()(tell(*again), TWO).violations
    assert [violation.world for violation in found] == ["charge(order_id='A17') 0x instead of 1x"]


UNDONE = (refund(), commit(), ok())


def test_an_effect_that_was_taken_back_and_done_again():
    """Book, cancel, rebook is one effect; the plain second one is two (AF105), and so is one after
    an undo that found nothing."""
    anew = tell(has_undos(), charged(), *UNDONE, charged(), done())
    assert judge(replay_transparency(), anew, CLEAN) == "HELD"
    twice = tell(has_undos(), charged(), charged(), *UNDONE, charged(), done())
    assert judge(replay_transparency(), twice, CLEAN) != "HELD"
    of_nothing = tell(has_undos(), *UNDONE, charged(), charged(), done("blocked"))
    assert judge(replay_transparency(), of_nothing, CLEAN) == [
        "AF105 charge: Committed#2 Committed#3"
    ]
    gone = tell(has_undos(), charged(), *UNDONE, done())
    assert judge(replay_transparency(), gone, CLEAN) == ["AF105 refund: Committed#1 Committed#2"]
    owned = tell(has_undos(), charged(), *UNDONE, done("failed"))
    assert judge(replay_transparency(), owned, CLEAN) == "HELD"
    planned = tell(has_undos(), charged(), *UNDONE, done())
    assert judge(replay_transparency(), gone, planned) == "HELD"


def instead(**names):
    baseline = tell(charged(), done())
    baseline.instead = names
    return baseline


def test_an_effect_that_stands_in_for_another():
    """AF105, with the line that would allow it; allowed, one stands in for one."""
    other = tell(ship(), commit(), ok(), done())
    assert judge(replay_transparency(), other, CLEAN) == ["AF105 charge: Committed#1"]
    violation = replay_transparency()(other, CLEAN).violations[0]
    assert violation.hint.startswith('instead={"charge": ("shipment",)} in @scenario(...)')
    assert "shipment(order_id='A17') happened instead" in violation.sentence
    allowed = instead(charge=("shipment",))
    assert judge(replay_transparency(), other, allowed) == "HELD"
    both = tell(charged(), ship(), commit(), ok(), done())
    assert judge(replay_transparency(), both, allowed) == ["AF105 shipment: Committed#2"]
    two = tell(ship(), commit(), ok(), ship("B2"), commit(), ok(), done())
    assert judge(replay_transparency(), two, allowed) == ["AF105 shipment: Committed#2"]
    silent = tell(ship(), commit(), ok())
    assert judge(replay_transparency(), silent, allowed) == "HELD"
    assert judge(replay_transparency(), tell(done()), allowed) == ["AF105 charge: Ended#1"]


def other_words(story):
    """Nobody named the scope of charge_card: it is all of its arguments."""
    story.tools["charge_card"] = story.tools["charge_card"]._replace(derived=True)


def test_a_scope_that_nobody_named():
    """A charge with other arguments is the one of the fault-free run; a second one is a breach
    (AF105)."""
    other = tell(other_words, charged("order A17"), done())
    assert judge(replay_transparency(), other, CLEAN) == "HELD"
    twice = tell(other_words, charged("order A17"), charged("A17 again"), done())
    assert judge(replay_transparency(), twice, CLEAN) == ["AF105 charge: Committed#2"]


def test_does_not_compare_tools():
    """The same effect in the same scope is the same, whichever tool brought it about."""
    other = [
        event._replace(tool="charge_by_phone") if isinstance(event, Committed) else event
        for event in CLEAN.events
    ]
    assert judge(replay_transparency(), History(other, CLEAN.tools), CLEAN) == "HELD"


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((charged(),), "claims nothing"),
        ((charged(), done(problem="no")), "claims nothing"),
        ((charged(), charged(), done()), "breaks at_most_once itself"),
    ],
)
def test_no_oracle(steps, why):
    """A fault-free run that claims nothing, or breaks a law itself, says nothing about others: the
    law is not exercised, and says why."""
    baseline = tell(*steps)
    if "breaks" in why:
        baseline.breaks = ("at_most_once",)
    verdict = replay_transparency()(tell(charged(), charged(), done()), baseline)
    assert verdict.status == "NOT_EXERCISED"
    assert why in verdict.note


def test_a_request_that_claims_nothing_without_faults():
    """Of two requests the one with a claim is judged."""
    baseline = tell(charged(), NEXT, charged("B2"), done())
    assert (
        judge(replay_transparency(), tell(done(), NEXT, charged("B2"), done()), baseline) == "HELD"
    )
    assert judge(replay_transparency(), tell(charged(), NEXT, done()), baseline) == [
        "AF105 charge: Ended#1"
    ]


def test_a_completion_that_only_said_that_it_waits_is_no_claim_of_the_end():
    """An answer in prose after a decision is judged as one without: not at all."""
    asks_for_it = (waits("r1"), done("blocked", reason="needs_approval"))
    decided = (resumes("decision"), decides("r1"), charged())
    assert judge(replay_transparency(), tell(), tell(*asks_for_it, *decided)) == "HELD"
    claimed = tell(*asks_for_it, *decided, done())
    assert judge(replay_transparency(), tell(), claimed) == ["AF105 charge: Ended#1"]
    waiting = tell(charged(), *asks_for_it)  # and nobody ever decides
    assert judge(replay_transparency(), tell(), waiting) == ["AF105 charge: Ended#1"]


def test_what_only_the_model_did():
    """The page says that the model asked again, or left it out, and what would mend that."""
    repeat = tell(
        asks("tc_1"),
        under("tc_1", charged()),
        strikes("model#2:repeat"),
        asks("tc_2"),
        under("tc_2", charged()),
        done(),
    )
    (violation,) = replay_transparency()(repeat, CLEAN).violations
    assert "the model asked for it 2 times, under fresh ids (tc_1, tc_2)" in violation.sentence
    assert "one key for each intent" in violation.hint
    assert "done event" in violation.hint
    skip = tell(strikes("model#1:skip"), says("Done."), done())
    (violation,) = replay_transparency()(skip, CLEAN).violations
    assert "the model closed without asking for it" in violation.sentence
    assert "done event" in violation.hint
    with_more = tell(strikes("model#1:skip + charge_card#1:lost/timeout"), says("Done."), done())
    (violation,) = replay_transparency()(with_more, CLEAN).violations
    assert "the model closed" not in violation.sentence


def test_not_exercised():
    """Without a fault-free run, in it, and where neither run did anything."""
    assert judge(replay_transparency(), CLEAN) == "NOT_EXERCISED"
    assert judge(replay_transparency(), CLEAN, CLEAN) == "NOT_EXERCISED"
    assert judge(replay_transparency(), tell(done()), tell(done())) == "NOT_EXERCISED"


# on whole loops


def test_victim(found):
    """Calls again after a timeout, as if nothing had happened."""
    assert found(replay_transparency(), billing(), retries, **EVERY_SEED) == [
        "AF105 charge: charge#1:once/timeout"
    ]


def test_survivor(held):
    """One key for every attempt, at a backend that takes keys."""
    assert held(replay_transparency(), billing("key"), with_key, **EVERY_SEED) > 0


@pytest.mark.parametrize("agent", [plain.escalates, plain.hands_over, plain.raises_an_alarm])
def test_escalations(held, agent):
    """A ticket, a mail to a person, and an honest ending."""
    assert held(replay_transparency(), plain.tell_ann, agent, depth=1) > 20


@pytest.mark.parametrize("agent", [plain.each_by_itself, plain.catches_up])
def test_conversations(held, agent):
    """Each request has an answer of its own, and the next one goes on without the first."""
    assert held(replay_transparency(), plain.tell_both, agent, depth=1) > 40


def test_another_channel(found, held):
    """AF105 where the scenario does not say that a mail is as good; where it does, none."""
    refused = {"only": ("lost/rate_limited",), "depth": 1}
    law, three = replay_transparency(), "AF105 sms: sms#1-3:lost/rate_limited"
    assert found(law, plain.tell_ann, plain.another_channel, **refused) == [three]
    assert held(law, plain.tell_somehow, plain.another_channel, **refused) > 5


def test_untested(untested):
    """A loop that claims nothing is not judged, and the summary says why."""
    assert untested(replay_transparency(), billing("key"), claims_nothing) == [
        "AF802 replay_transparency was never exercised: the run without faults claims nothing "
        "(outcome= says what its answer means)"
    ]


def claims_nothing(world):
    """Answers with a text."""
    try:
        world.tools.charge(order_id="A17", idempotency_key="k")
    except FAULTS:
        return "Sorry."
    return "Charged."


def test_not_strict():
    """Only what happens more often than without faults is told: not what is missing."""
    clear = replay_transparency(strict=False)
    assert clear.name == "replay_transparency(strict=False)"
    less = tell(charge(), timeout(), done())
    assert judge(clear, less, CLEAN) == "HELD"
    assert judge(replay_transparency(), less, CLEAN) == ["AF105 charge: Ended#1"]
    twice = tell(charged(), charged(), done("blocked"))
    assert [one.code for one in clear(twice, CLEAN).violations] == ["AF105"]
    assert judge(clear, tell(charge(), timeout(), looked_up(), charged(), done()), CLEAN) == "HELD"


def derived(story):
    """Nobody named the scope of a charge."""
    facts = story.tools["charge_card"]
    story.tools["charge_card"] = facts._replace(derived=True)


TWICE = ["AF105 charge: Committed#1 Committed#2"]


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([charge(), timeout(), charged(), done()], "HELD"),
        ([charged(), charged(), done()], TWICE),
        ([charged(), charge(), timeout(), charged(), done()], TWICE),
        ([charged(), looked_up(), charged(), done()], "HELD"),
        ([charged(), charged("B1"), charged(), done()], "HELD"),
    ],
)  # fmt: skip
def test_not_strict_of_a_scope_that_nobody_named(steps, found):
    """What lies between may have been a look, or an undo: the same call again at once counts."""
    assert judge(replay_transparency(strict=False), tell(derived, *steps), CLEAN) == found
