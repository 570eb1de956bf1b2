"""Stories of several agents: what each victim does, by the smallest plan that shows it."""

from agentfuzz.scenarios import child_dies, support_triage, two_desks

from .test_scenarios import plans


def test_two_seams():
    """Each of the ways in which a handoff dies is the smallest plan of a victim."""
    story = support_triage
    first, second = "handoff:billing#1", "handoff:payments#1"
    assert plans(story, story.skims, "buried") == {"AF608 cents": f"{first}:once/buried"}
    assert plans(story, story.skims, "trimmed") == {"AF608 cents": f"{first}:once/trimmed=2"}
    assert plans(story, story.mails_again, "trimmed")["AF605 mail"] == f"{first}:once/trimmed"
    found = plans(story, story.takes_all_that_comes, "misrouted", "twice", "invalid")
    assert found["AF603 payments"] == f"{first}:misrouted"
    assert found["AF607 billing"] == f"{first}:twice"
    assert found["AF601 billing"] == f"{first}:once/invalid"
    assert plans(story, story.throws_over, "lost")["AF607 billing"] == f"{first}:lost"
    assert plans(story, story.lends_a_hand, "late")["AF602 payments"] == f"{second}:late"


def test_a_cascade():
    """What is wrong between the first and the second is paid by the third."""
    found = plans(support_triage, support_triage.believes, "poisoned")
    assert found["AF604 payments"] == "handoff:billing#1:once/poisoned=2"


def test_each_waits_for_the_other():
    """A draft is lost, and nobody is left who could end the other one's wait."""
    found = plans(two_desks, two_desks.waits_for_the_other, "lost")
    assert found == {"AF606 run": "handoff:reviewer#1:lost"}


def test_a_no_without_a_reason():
    """The reason is lost; the same draft is asked about until the run is cut off."""
    lost = "handoff:writer#1:once/trimmed=2"
    found = plans(two_desks, two_desks.until_they_agree, "trimmed")
    assert found == {"AF201 run": lost, "AF207 check": lost}


def test_a_child_that_dies_after_its_payment():
    """The next one has another name, and another key."""
    dies = "child:payer_of_ann#1:dies"
    found = plans(child_dies, child_dies.key_of_its_own, "dies")
    assert found == {"AF101 payout": dies, "AF106 payout": dies}
