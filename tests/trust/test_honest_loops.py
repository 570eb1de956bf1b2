"""Honest loops break no law of effects or claims, whatever strikes them."""

from dataclasses import replace

import pytest

from agentfuzz import (
    Completion,
    at_most_once,
    budget_is_not_success,
    cancel_report,
    compensated,
    duplicate_trigger_ignored,
    key_not_from_model,
    no_blind_repeat,
    no_contradiction,
    no_effect_after_cancel,
    no_effect_after_completion,
    no_lost_intent,
    no_stale_answer,
    one_intent_per_key,
    replay_transparency,
    same_key_on_retry,
    single_flight,
    text_has_no_authority,
    truthful,
    unknown_is_not_failed,
)
from agentfuzz.engine.scenario import ALWAYS
from agentfuzz.search.space import Space
from search.support import hunt
from trust import loops, models, processes

LAWS = (
    *ALWAYS,
    at_most_once(),
    replay_transparency(),
    duplicate_trigger_ignored(),
    key_not_from_model(),
    no_blind_repeat(),
    no_lost_intent(),
    one_intent_per_key(),
    same_key_on_retry(),
    single_flight(),
    budget_is_not_success(),
    cancel_report(),
    no_contradiction(),
    no_effect_after_cancel(),
    no_effect_after_completion(),
    no_stale_answer(),
    text_has_no_authority(),
    truthful(),
    unknown_is_not_failed(),
)
SAGAS = [loops.saga, loops.saga_again, loops.careful_saga]
DESKS = [loops.escalates, loops.hands_over, loops.raises_an_alarm]
TALKS = [loops.each_by_itself, loops.catches_up]
SHOPS = [loops.keyed, loops.partial, loops.money_back]
STOPPED = [processes.all_at_once, processes.gathered, processes.one_by_one]
# A 429 after the work is a double that nobody can see; nor is a false look-up any loop's affair.
SEEN = {"exclude": ("once/rate_limited", "twice/rate_limited", "late/rate_limited")}
TRUE = {"exclude": ("twice", "late", "wrong")}
MODEL = models.with_model(models.by_receipts)
CASES = [
    *[(loops.trip, agent, {}) for agent in SAGAS],
    *[(loops.tell_ann, agent, {}) for agent in DESKS],
    (loops.tell_somehow, loops.another_channel, SEEN),
    *[(loops.tell_both, agent, {}) for agent in TALKS],
    *[(loops.shop("key"), agent, {}) for agent in SHOPS],
    (loops.shop("none"), loops.looks_up, TRUE),
    (loops.shop("none"), loops.polls, TRUE),
    (models.counter("All done."), MODEL, {}),
    (models.counter(Completion.success()), MODEL, {}),
    (models.counter("All done."), models.with_model(models.logs_last), {}),
    (processes.restarted, processes.worker, {}),
    (processes.resumed, processes.cursor, {}),
    (processes.goes_on, processes.one_a_request, {}),
    *[(processes.stopped, agent, {}) for agent in STOPPED],
    (processes.asked, processes.async_model, {}),
]
BOTH = pytest.mark.parametrize(("story", "agent", "space"), CASES)


def searched(simulation, story, agent, space, laws=LAWS, **budget):
    judged = replace(story, invariants=laws)
    room = Space(faults=story.faults, **space)
    result = hunt(judged, agent, simulation, space=room, **budget)
    assert [(cx.code, cx.title, str(cx.plan)) for cx in result.findings] == []
    return result.laws


@BOTH
def test_one_fault(simulation, story, agent, space):
    """No finding with one fault, nor in a few plans with many; and the oracle was asked."""
    laws = searched(simulation, story, agent, space, depth=1, deep_runs=60)
    assert laws["replay_transparency"].held > 10


@pytest.mark.slow
@BOTH
def test_two_faults(simulation, story, agent, space):
    """Nor with two."""
    searched(simulation, story, agent, space, depth=2, deep_runs=200, max_runs=2000)


@pytest.mark.parametrize("agent", [*SAGAS, loops.money_back])
def test_compensations(simulation, agent):
    """What was undone was there, and nothing stands that nobody was told of."""
    story = loops.shop("key") if agent is loops.money_back else loops.trip
    laws = (compensated(),)
    held = searched(simulation, story, agent, {}, laws, depth=1, deep_runs=150, seed=1)
    assert held[laws[0].name].violated == 0
