"""The bundled scenarios: each victim breaks the laws it is there for, each survivor none."""

import pytest

from agentfuzz._run import Simulation
from agentfuzz.scenarios import charge_order, resolve_ticket
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space

STORIES = {
    charge_order: charge_order.charge_order,
    resolve_ticket: resolve_ticket.resolve_ticket,
}


def campaign(story, agent, depth=1, **words):
    """The result of a campaign, with the faults chosen by `words`."""
    with Simulation() as simulation:
        found = Campaign(
            STORIES[story],
            agent,
            simulation,
            space=Space(**words),
            budget=Budget(max_seconds=240, max_runs=100_000, depth=depth),
        )
        found.search()
        return found.result()


CASES = [(story, victim, codes) for story in STORIES for victim, codes in story.VICTIMS.items()]


@pytest.mark.parametrize(
    ("story", "victim", "codes"), CASES, ids=lambda x: getattr(x, "__name__", "")
)
def test_victim_breaks_its_laws(story, victim, codes):
    """A victim breaks every law that its story says it breaks."""
    found = {finding.code for finding in campaign(story, victim).findings}
    assert set(codes) <= found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("story", "survivor"), [(story, agent) for story in STORIES for agent in story.SURVIVORS]
)
def test_survivor_keeps_every_law(story, survivor):
    """A survivor breaks no law under any plan with up to two faults, and every law of the story
    is exercised."""
    result = campaign(story, survivor, depth=2)
    assert result.findings == ()
    assert result.stopped == "exhausted"
    assert not [text for text in result.untested if text.startswith(("AF801", "AF802"))]


def test_missed_completion():
    """A closing phrase that the detector does not know makes it answer the customer twice: other
    words for the same ending are the only fault there is."""
    result = campaign(resolve_ticket, resolve_ticket.reads_prose, only=("reword",))
    plans = {finding.code: str(finding.plan) for finding in result.findings}
    assert set(plans) == {"AF101", "AF105", "AF304"}
    assert set(plans.values()) == {"model#3:reword"}


def test_premature_completion():
    """A model that skips the work and closes is believed: success is claimed, nothing happened."""
    result = campaign(resolve_ticket, resolve_ticket.reads_prose, only=("skip",))
    plans = {finding.code: str(finding.plan) for finding in result.findings}
    assert plans["AF103"] == plans["AF301"] == "model#1:skip"


def test_words_do_not_move_the_survivor():
    """No closing phrase changes what a loop does that reads receipts."""
    assert campaign(resolve_ticket, resolve_ticket.reads_receipts, only=("reword",)).findings == ()
