"""Stories of agents and their users: what each victim does, by the smallest plan of it."""

from agentfuzz.scenarios import (
    charge_order,
    child_dies,
    interrupted_mail,
    long_session,
    marker_in_text,
    page_on_call,
    research_team,
    support_triage,
    two_desks,
)

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


def test_a_word_in_between():
    """The mail is out and nobody has noted it; half a reply is carried out and asked for again; one
    request arrives twice."""
    story = interrupted_mail
    found = plans(story, story.drops_what_it_was_at, "interrupt")
    assert found["AF101 mail"].startswith("process:send_mail#1:interrupt")
    assert found["AF412 mail"].startswith("process:send_mail#1:interrupt")
    half = plans(story, story.makes_do_with_half, "truncated")
    assert half["AF101 mail"] == "model#1:truncated"
    assert plans(story, story.without_a_key, "twice")["AF102 mail"] == "send_mail#1:twice"


def test_a_long_session():
    """One retry too many, and the limit is out of sight; one error, and the client is closed; what
    the model says at the end is passed on."""
    story = long_session
    found = plans(story, story.keeps_the_end, "timeout")
    assert found["AF608 Spend at most 50 EUR."] == "order#1:once/timeout"
    assert plans(story, story.one_client, "timeout") == {"AF220 price": "price#1:once/timeout"}
    assert plans(story, story.as_the_model_says, "bad_done", "double_done") == {
        "AF205 completion": "model#4:bad_done",
        "AF206 completion": "model#4:double_done",
    }


def test_what_a_charge_is_answered():
    """A receipt that is cut off, and one that asks for a repeat, make it charge again."""
    story = charge_order
    cut = plans(story, story.key_per_call, "truncated")
    assert cut["AF101 charge"] == "charge_card#1:once/truncated"
    asked = plans(story, story.key_per_call, "hostile")
    assert asked["AF101 charge"].startswith("charge_card#1:once/hostile")


def test_a_right_that_expires():
    """Refused once, refused each time: it is asked again all the same."""
    found = plans(page_on_call, page_on_call.client_times_runbook, "unauthorized")
    assert found["AF201 tool calls"].startswith("health#1-6:lost/unauthorized")


def test_a_search_that_is_down():
    """What nobody found is in the report, with a source that is none."""
    found = plans(research_team, research_team.improvises, "timeout")
    down = [plan for name, plan in found.items() if name.startswith("AF706")]
    assert down
    assert all(plan.startswith("search#") for plan in down)


def test_a_marker_in_a_sentence():
    """Cut off it is half a marker, in other words it is none, and it is there when nothing was
    booked."""
    victim = marker_in_text.reads_the_marker
    assert plans(marker_in_text, victim, "reword") == {"AF204 completion": "model#2:reword"}
    assert plans(marker_in_text, victim, "skip")["AF301 claim"] == "model#1:skip"
    cut = plans(marker_in_text, victim, "truncated")
    assert cut["AF205 completion"] == "model#2:truncated"
