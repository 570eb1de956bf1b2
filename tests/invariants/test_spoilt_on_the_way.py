"""What a fault of a handoff has taken away no law holds against the team."""

import pytest

from agentfuzz import effects_remembered, no_stale_answer, receipts_shown
from invariants.conversations import asks, says, shows, under, user
from invariants.histories import charged, judge, passes, returned, strikes, tell
from invariants.teams import accepts, acts, gets, sends

DONE = (acts("triage"), asks("tc_1"), under("tc_1", charged()))
TAKEN = (acts("billing"), gets("billing"), accepts())
TOLD = (shows(user()), says("All done."), returned("All done."))


@pytest.mark.parametrize("law", [effects_remembered(), receipts_shown()], ids=["AF412", "AF406"])
def test_a_receipt_that_was_trimmed_away(law):
    """Whoever is handed a task without its receipts cannot show them."""
    sent = (shows(user()), *DONE, sends("billing"))
    assert judge(law, tell(*sent, *TAKEN, *TOLD)) not in ("HELD", "NOT_EXERCISED")
    struck = strikes("handoff:billing#1:once/trimmed")
    assert judge(law, tell(*sent, struck, *TAKEN, *TOLD)) in ("HELD", "NOT_EXERCISED")
    lost = strikes("handoff:billing#1:lost")  # of which nothing was spoilt
    assert judge(law, tell(*sent, lost, *TAKEN, *TOLD)) not in ("HELD", "NOT_EXERCISED")


@pytest.mark.parametrize(("plan", "held"), [("late", True), ("once/poisoned", False)])
def test_what_is_done_for_a_handoff_that_was_given_up(plan, held):
    """It comes when the answer has been said, and makes it no older."""
    given_up = (acts("triage"), sends("billing"), strikes(f"handoff:billing#1:{plan}"))
    answered = (passes(30), says("I could not reach billing."), passes(15))
    late = (*TAKEN, asks("tc_1"), under("tc_1", charged()))
    story = tell(*given_up, *answered, *late, returned("I could not reach billing."))
    assert (judge(no_stale_answer(), story) == "HELD") is held
