"""The values of the guided phase: only wordings that there are, and no kind without them has one.

Law: a variant names one of the wordings of its kind; the variants of a model's turn stay as the
space has them; a late delivery alone has a latency.
"""

import contextlib

import pytest

from agentfuzz import bounded, scenario
from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Fault
from agentfuzz.model.model_faults import KINDS
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.phases.guided import LATENCIES, Corpus
from agentfuzz.search.space import Space
from agentfuzz.world.reply_faults import VARIANTS

TOOL = BOUNDARIES["tool"].table.default()
NONE = [fault for fault in TOOL if fault.axes[-1] not in VARIANTS and fault.axes[0] != "late"]
SOME = [fault for fault in TOOL if fault.axes[-1] in VARIANTS and fault.axes[0] != "late"]


@pytest.fixture
def corpus():
    return Corpus(Space(), 0)


@pytest.mark.parametrize("fault", NONE, ids=str)
def test_a_kind_without_wordings_has_no_variant(corpus, fault):
    """It is the same fault; there is nothing else of it to try, and no chance is spent."""
    before = corpus._random.getstate()
    assert [corpus._valued(fault) for _ in range(20)] == [fault] * 20
    assert corpus._values(fault) == []
    assert corpus._random.getstate() == before


@pytest.mark.parametrize("fault", SOME, ids=str)
def test_a_kind_with_wordings_has_each_of_them(corpus, fault):
    """All that there are and no more."""
    count = VARIANTS[fault.axes[-1]]
    assert {corpus._valued(fault).variant for _ in range(200)} == set(range(count))
    assert [one.variant for one in corpus._values(fault)] == list(range(1, count))


@pytest.mark.parametrize("variant", range(3))
@pytest.mark.parametrize("kind", ["reword", "truncated"])
def test_a_turn_keeps_the_wording_that_it_has(corpus, kind, variant):
    """The wordings of a model are faults of the space, each by itself; that a tool's reply of the
    same name has some is nothing to it."""
    fault = Fault((kind, "closed"), variant)
    assert [corpus._valued(fault) for _ in range(20)] == [fault] * 20
    assert corpus._values(fault) == []


def test_a_late_delivery_has_a_latency_and_nothing_else(corpus):
    fault = Fault(("late", "timeout"))
    low, high = LATENCIES
    for one in (*(corpus._valued(fault) for _ in range(50)), *corpus._values(fault)):
        assert one.axes == fault.axes
        assert one.variant == 0
        assert low <= one.latency <= high
    assert len({corpus._valued(fault).latency for _ in range(50)}) > 10


def test_a_campaign_draws_what_there_is(simulation):
    """Whatever struck in 300 guided runs is in the tables."""

    @scenario(bounded(), task="t", script=[("act", {"n": 1}), "Done."])
    def story(world):
        @world.tool(effect="act", scope=("n",))
        def act(n: int) -> str:
            return "ok"

    def agent(world):
        for n in range(2):
            with contextlib.suppress(Exception):
                world.model([{"role": "user", "content": "t"}])
                world.tools.act(n=n)

    struck = []

    class Noting(Campaign):
        def _folded(self, outcome, phase, plan=None):
            super()._folded(outcome, phase, plan)
            if phase == "random plans":
                events = outcome.history.of(Struck)
                struck.extend((event.slot, event.fault) for event in events)

    Noting(story, agent, simulation, budget=Budget(deep_runs=300, depth=1)).search()
    assert {fault.variant for _, fault in struck} > {0, 1, 2}
    for slot, fault in struck:
        if slot.boundary == "tool":
            assert fault.variant < VARIANTS.get(fault.axes[-1], 1)
        if slot.boundary == "model":
            assert fault.variant < KINDS[fault.axes[0]].variants
        assert fault.latency is None or fault.axes[0] == "late"
