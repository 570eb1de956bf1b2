"""`no_effect_after_reported_failure`: what was reported as failed does not happen afterwards."""

import pytest

from agentfuzz import no_effect_after_reported_failure
from invariants.conversations import asks, gets, shows, under, user, wants
from invariants.histories import (
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    raised,
    reply,
    returned,
    strikes,
    tell,
    timeout,
)
from invariants.loops.field import Loop, plain, shop

LAW = no_effect_after_reported_failure()
REFUSED = reply("failed", raised="ToolError")
TOLD = shows(user(), wants("tc_1"), gets("tc_1", "Error: charge_card timed out"))


@pytest.mark.parametrize("failed", [timeout(), REFUSED, reply("unknown", "?")])
def test_held(failed):
    """A call failed, and no effect of it came later; a new call is another matter."""
    assert judge(LAW, tell(charge(), commit(), failed, done("blocked"))) == "HELD"
    assert judge(LAW, tell(charge(), failed, charged(), done())) == "HELD"


def test_broken():
    """AF210: the effect came after the reply that reported the call as failed."""
    for failed in (timeout(), REFUSED):
        history = tell(charge(), failed, lookup(), ok(), commit(of=1), done("blocked"))
        assert judge(LAW, history) == ["AF210 charge: Replied#1 Committed#1"]
        assert LAW(history).violations[0].title == "charge_card ran after its failure"


def test_after_the_model_was_told():
    """AF210: the model was told that the call failed, and it was executed, or went on, later."""
    running = (asks("tc_1"), under("tc_1", charge()), TOLD, commit(), ok())
    assert judge(LAW, tell(*running, done())) == ["AF210 charge: ModelInput#1 Committed#1"]
    queued = (asks("tc_1"), under("tc_1", charge()), timeout(), TOLD, under("tc_1", charged()))
    assert judge(LAW, tell(*queued, done())) == ["AF210 charge: ModelInput#1 Committed#1"]
    anew = (asks("tc_1"), under("tc_1", charge()), timeout(), TOLD, asks("tc_1"))
    assert judge(LAW, tell(*anew, under("tc_1", charged()), done())) == "HELD"
    told = shows(user(), wants("tc_1"), gets("tc_1", "started as job 7"))
    background = (asks("tc_1"), under("tc_1", charge()), told, commit(), ok())
    assert judge(LAW, tell(*background, done())) == "NOT_EXERCISED"


@pytest.mark.parametrize("fault", ["late/timeout", "late/timeout@90", "lost/error"])
def test_leaves_the_network_alone(fault):
    """A request that the network delivered late is not the loop's doing."""
    story = [charge(), strikes(f"charge_card#1:{fault}"), timeout(), done("blocked"), commit()]
    assert judge(LAW, tell(*story)) == "HELD"
    story[1] = strikes(f"charge_card#2:{fault}")
    found = ["AF210 charge: Replied#1 Committed#1"]
    assert judge(LAW, tell(*story)) == found
    story[1] = strikes("charge_card#1:twice/timeout")
    assert judge(LAW, tell(*story)) == found


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (done(), "Done"),
        (done("failed"), "Done"),
        (raised("ValueError"), "Ended"),
        (cut_off("budget"), "Ended"),
    ],
)
def test_of_the_run(end, kind):
    """AF210: a stray task acts after the answer, or what it had begun goes on."""
    found = [f"AF210 charge: {kind}#1 Committed#1"]
    assert judge(LAW, tell(looked_up(), end, charged(), returned())) == found
    assert judge(LAW, tell(charge(), end, commit(), ok(), returned())) == found


def test_not_exercised():
    """Nothing failed; only a look-up failed; or the done tool ended it."""
    for history in (
        tell(charged(), done()),
        tell(lookup(), timeout(), charged(), done()),
        tell(done("blocked", via="tool"), charged()),
    ):
        assert judge(LAW, history) == "NOT_EXERCISED"


# on whole loops


class Outbox(Loop):
    """P6: reports a failure, and sends the call again at the end, when nobody looks."""

    def __init__(self, world):
        super().__init__(world)
        self.failed = []

    def attempt(self, call):
        text = super().attempt(call)
        self.failed += [call] * (
            text.startswith("error") and call["name"] in self.world.gateway.specs
        )
        return text

    def answer(self, turn):
        for call in self.failed:
            super().attempt(call)
        return super().answer(turn)


def test_victim(found):
    """Reports a failure, and sends the call again at the end."""
    assert found(LAW, shop(), plain(Outbox)) == ["AF210 charge: charge_card#1:once/timeout"]


def test_survivor(held):
    """What has failed is left alone."""
    assert held(LAW, shop(), plain(Loop), depth=1) > 10
