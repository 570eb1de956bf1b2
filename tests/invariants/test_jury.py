"""The jury finds what each law by itself would find, whatever it knows without asking."""

from itertools import chain, product

import pytest

from agentfuzz import Invariant, at_most_once, bounded, exactly_once, structured_termination
from agentfuzz.core.events import Asserted, Refused, Unheard
from agentfuzz.core.history import History
from agentfuzz.engine.declared import ALWAYS, UNDECLARED
from agentfuzz.invariants import jury, replay_transparency, same_arguments
from agentfuzz.invariants.queries.outline import ENDING, KINDS, LEDGER, Resting, outline
from agentfuzz.search.campaign import Budget, Campaign
from invariants.histories import call as calls
from invariants.histories import (
    charge,
    charged,
    commit,
    cut_off,
    done,
    happens,
    has_undos,
    ok,
    raised,
    refund,
    refuse,
    replay,
    restarts,
    resumes,
    ship,
    strikes,
    tell,
    timeout,
)
from search.test_same_histories import STORIES, campaigns

LAWS = (
    *ALWAYS,
    *UNDECLARED,
    *(exactly_once("charge"), exactly_once("charge", intents=[{"order_id": "B2"}])),
    *(at_most_once("shipment"), replay_transparency(), same_arguments(), bounded(calls=2)),
    *(structured_termination(), structured_termination(handle_for=["success"])),
)
DEEDS = (
    *(charged(), charged("B2"), ok(), timeout(), commit(), replay()),
    *(charge(), ship(), calls("charge_card", order_id="A17", cents=7), refund()),
    *(refuse("unknown_tool"), refuse("answered_no"), strikes("charge_card#1:once/timeout")),
    *(happens(Asserted, "test_x", "assert x", ""), happens(Unheard, "task", "f", "OSError", "")),
)
ENDINGS = (
    *((), (done(),), (done(handle="h1"),), (done(reason="already_done"),), (done("blocked"),)),
    *((done(), done()), (done(), done(), raised("ValueError")), (done(problem="no"),)),
    *((raised("ValueError"),), (done(), raised("OSError")), (cut_off("hung"),)),
    *((restarts(), done()), (resumes("follow_up"), done())),
    (resumes("follow_up", after="raised"), done()),
)
BASELINES = (
    *((charged(), done()), (charged(), ship(), commit(), done()), (charged(), charged(), done())),
    *((charged(),), (charge(), done("blocked"))),
)


def runs():
    """Each ending after up to two deeds."""
    for deeds in chain([()], product(DEEDS), product(DEEDS, DEEDS[:5])):
        for ending in ENDINGS:
            yield tell(has_undos(), charge(), *deeds, *ending)


@pytest.mark.slow
@pytest.mark.parametrize("nth", range(len(BASELINES)))
def test_of_runs_of_all_kinds(nth):
    """In whatever order they come, and beside whatever run without faults."""
    for order in (list, reversed):
        baseline = tell(has_undos(), *BASELINES[nth])
        for history in order([baseline, *runs()]):
            same(LAWS, history, baseline)


def same(laws, history, baseline):
    """What a jury says, and what each law says by itself."""
    fresh = History(history.events, history.tools)
    fresh = baseline if history is baseline else fresh
    found = jury.found_by(laws, history, baseline)
    assert found == tuple(law.found(fresh, baseline) for law in laws)
    assert jury.verdicts(laws, history, baseline) == tuple(law(fresh, baseline) for law in laws)


class Both(Campaign):
    """A campaign that asks each law by itself as well."""

    def _folded(self, outcome, phase, plan=None):
        same(self.scenario.invariants, outcome.history, self.runner.baseline(plan))
        super()._folded(outcome, phase, plan)


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
def test_in_every_run_of_a_campaign(name, simulation):
    """Crashes, handoffs, refusals, endings of all kinds."""
    for _, story, agent in campaigns(name):
        Both(story, agent, simulation, budget=Budget(max_runs=120, deep_runs=20)).search()


BROKEN = at_most_once().found(tell(charged(), charged()), None)


def noting(asked, name, *rests, found=()):
    """A law that notes when it is asked."""
    check = lambda history, baseline: asked.append(name) or found  # noqa: E731
    return Invariant(name, Resting(check, *rests) if rests else check)


def test_whom_it_asks_again():
    """A law is not asked about a run that is, in all that it rests on, like one that it was asked
    about; one that rests on more, one that was broken, and one of the user's is."""
    asked = []
    laws = (
        noting(asked, "kinds", KINDS),
        noting(asked, "but for", KINDS, (Refused,)),
        noting(asked, "ending", ENDING),
        noting(asked, "ledger", LEDGER),
        noting(asked, "broken", KINDS, found=BROKEN),
        noting(asked, "own"),
    )
    baseline = tell(charged(), ship(), commit(), done())

    def told(*steps):
        jury.found_by(laws, tell(*steps), baseline)
        asked.clear()
        jury.found_by(laws, tell(*steps), baseline)
        return set(asked)

    assert told(charged(), done("blocked")) == {"broken", "own"}
    assert told(charged(), done()) == {"ledger", "broken", "own"}
    assert told(charged(), charged(), done("blocked")) == {"ledger", "broken", "own"}
    assert told(charged(), done(), done()) == {"ending", "ledger", "broken", "own"}
    assert told(charged(), refuse("answered_no"), done("blocked")) == {"but for", "broken", "own"}


def test_other_laws_are_asked_for_themselves():
    """What some have found beside a run without faults is nothing that others have found there."""
    baseline, steps = tell(charged(), done()), (charged(), done("blocked"))
    for laws in ((at_most_once(), bounded()), (bounded(), at_most_once("shipment")), LAWS):
        same(laws, tell(*steps), baseline)


def test_so_many_outlines_are_kept(monkeypatch):
    """And of those that come after it is found anew."""
    monkeypatch.setattr(jury, "MOST", 1)
    asked, baseline = [], tell(charged(), done())
    laws = (noting(asked, "kinds", KINDS),)
    for ending in (done("blocked"), raised("OSError")) * 2:
        jury.found_by(laws, tell(charged(), ending), baseline)
    assert len(asked) == 3


def test_the_run_without_faults_is_not_compared_with_itself():
    """Nothing that is found in it is kept: it is told later which laws it breaks."""
    baseline, again = tell(charged(), done()), tell(charged(), done())
    assert jury.found_by(LAWS, baseline, baseline) != jury.found_by(LAWS, again, baseline)
    assert len(outline(again, baseline)) == LEDGER
