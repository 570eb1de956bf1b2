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
    grants_are_used,
    handle_resolves,
    key_not_from_model,
    later_calls_work,
    no_blind_repeat,
    no_contradiction,
    no_effect_after_cancel,
    no_effect_after_completion,
    no_lost_intent,
    no_stale_answer,
    one_intent_per_key,
    receipt_once,
    replay_transparency,
    results_not_blanked,
    same_arguments,
    same_key_on_retry,
    single_flight,
    text_has_no_authority,
    truthful,
    unknown_is_not_failed,
)
from agentfuzz.engine.scenario import ALWAYS
from agentfuzz.search.space import Space
from search.support import hunt
from tests.extent import upto
from trust import models, plain, processes

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
    same_arguments(strict=False),
    same_arguments(),
    handle_resolves(),
    later_calls_work(),
    grants_are_used(),
    results_not_blanked(),
    receipt_once(),
)
SAGAS = [plain.saga, plain.saga_again, plain.careful_saga]
DESKS = [plain.escalates, plain.hands_over, plain.raises_an_alarm]
TALKS = [plain.each_by_itself, plain.catches_up]
SHOPS = [plain.keyed, plain.partial, plain.money_back]
STOPPED = [processes.all_at_once, processes.gathered, processes.one_by_one]
# A 429 after the work is a double that nobody can see; nor is a false look-up any loop's affair.
SEEN = {"exclude": ("once/rate_limited", "twice/rate_limited", "late/rate_limited")}
TRUE = {"exclude": ("twice", "late", "wrong")}
MODEL = models.with_model(models.by_receipts)
CASES = [
    *[(plain.trip, agent, {}) for agent in SAGAS],
    *[(plain.tell_ann, agent, {}) for agent in DESKS],
    (plain.tell_somehow, plain.another_channel, SEEN),
    *[(plain.tell_both, agent, {}) for agent in TALKS],
    *[(plain.shop("key"), agent, {}) for agent in SHOPS],
    (plain.shop("none"), plain.looks_up, TRUE),
    (plain.shop("none"), plain.polls, TRUE),
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
    searched(simulation, story, agent, space, depth=2, deep_runs=100, max_runs=upto(500, 1_200))


@pytest.mark.parametrize("agent", [*SAGAS, plain.money_back])
def test_compensations(simulation, agent):
    """What was undone was there, and nothing stands that nobody was told of."""
    story = plain.shop("key") if agent is plain.money_back else plain.trip
    laws = (compensated(),)
    held = searched(simulation, story, agent, {}, laws, depth=1, deep_runs=150, seed=1)
    assert held[laws[0].name].violated == 0
