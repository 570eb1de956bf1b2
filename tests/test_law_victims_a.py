"""Laws of keys, repeats, second deliveries and compensation on whole loops: for each law by itself
a loop that breaks it, found by exactly the smallest plan; one that keeps it under the same
campaign; and a campaign in which the law had nothing to judge.

Law: a plan is asserted as text, and the law finds nothing else. The loops of the bundled scenarios
serve where they fit, and those of `law_loops_a`.
"""

from dataclasses import replace

import pytest
from law_loops_a import (
    DONE,
    UNKNOWN,
    a_number_for_each,
    cancels_what_it_planned,
    charged,
    does_as_it_is_told,
    gives_it_back,
    hashes_the_arguments,
    looks_it_up,
    order,
    refuses_the_second,
    rolls_a_key,
    same_keys_again,
    saves_each_key,
    saves_the_first_key,
    saves_the_key_behind,
    stands_by_it,
    takes_the_call_id,
    takes_the_intent,
    three_valued,
    two_valued,
)
from search.support import hunt, shown

from agentfuzz import (
    Completion,
    World,
    compensated,
    duplicate_trigger_ignored,
    key_not_from_model,
    key_saved_before_use,
    no_contradiction,
    no_redo,
    retry_budget,
    run,
    single_flight,
    unknown_is_not_failed,
)
from agentfuzz.core.events import Committed
from agentfuzz.engine.simulation import Simulation
from agentfuzz.scenarios import resume_after_crash, retry_storm, saga, webhook_twice
from agentfuzz.search.space import Space


@pytest.fixture(scope="module")
def simulation():
    """One for all."""
    with Simulation() as simulation:
        yield simulation


def alone(law, story):
    """The story under this law and no other."""
    return replace(story, invariants=(law,))


def found(story, agent, simulation, depth=1, **words):
    """What so many faults of any kind that the story has to live with are enough for."""
    given = {"depth": depth, "deep_runs": 0}
    return shown(hunt(story, agent, simulation, space=space(story, **words), **given))


def held(story, agent, simulation, depth=2, **words):
    """How often the one law of the story held: by no plan was it broken."""
    result = hunt(story, agent, simulation, space=space(story, **words), depth=depth)
    assert shown(result) == []
    assert result.stopped == "exhausted"
    (count,) = result.laws.values()
    return count.held


def untested(story, agent, simulation, **words):
    """What a campaign in which faults did strike says of the one law of the story."""
    result = hunt(story, agent, simulation, space=space(story, **words), depth=1, deep_runs=0)
    assert shown(result) == []
    assert result.struck
    return [line for line in result.untested if line.startswith("AF802")]


def space(story, **words):
    return Space(faults=story.faults, **words)


def never(name):
    return [f"AF802 {name} was never exercised"]


# K4 key_saved_before_use

AHEAD = alone(key_saved_before_use(), order)


@pytest.mark.parametrize(
    ("victim", "plan"),
    [
        (saves_the_first_key, "charge_card#1:once/timeout"),
        (saves_the_key_behind, "no faults"),
    ],
)
def test_a_key_that_is_not_written_ahead(simulation, victim, plan):
    """Not at all, or too late."""
    assert found(AHEAD, victim, simulation) == [f"AF109 charge: {plan}"]


def test_a_checkpoint_that_knows_no_keys(simulation):
    """The position of fourteen is saved, before or behind: its keys die with the process."""
    law = alone(key_saved_before_use(), resume_after_crash.resume_after_crash)
    for victim in resume_after_crash.VICTIMS:
        assert found(law, victim, simulation) == ["AF109 salary: no faults"]
    assert held(law, resume_after_crash.saves_the_key_ahead, simulation, depth=1) > 400


def test_a_key_that_is_written_ahead(simulation):
    """Wherever the process dies."""
    assert held(AHEAD, saves_each_key, simulation) > 500


def test_write_ahead_where_there_is_no_key(simulation):
    """A loop that never sends one."""

    def sends_no_key(world: World) -> Completion:
        return DONE if charged(world, None) else UNKNOWN

    assert untested(AHEAD, sends_no_key, simulation) == never("key_saved_before_use")


# K3 key_not_from_model

LIVES = replace(order, resume=False, faults=())  # a process that does not die
INDEPENDENT = alone(key_not_from_model(), LIVES)


@pytest.mark.parametrize(
    ("victim", "plan"),
    [(hashes_the_arguments, "model#1:drift"), (takes_the_call_id, "model#1:repeat")],
)
def test_a_key_that_the_model_moves(simulation, victim, plan):
    """By other words, or by asking again."""
    assert found(INDEPENDENT, victim, simulation) == [f"AF113 charge: {plan}"]


@pytest.mark.slow
def test_a_key_that_the_model_cannot_move(simulation):
    """Whatever it says, in one turn or in two."""
    assert held(INDEPENDENT, takes_the_intent, simulation) > 10


def test_key_independence_where_the_model_says_the_same(simulation):
    """Its words are never changed; or the key hangs on none."""
    calm = {"exclude": ("drift", "repeat", "reword")}
    assert untested(INDEPENDENT, hashes_the_arguments, simulation, **calm) == never(
        "key_not_from_model"
    )
    assert untested(INDEPENDENT, rolls_a_key, simulation) == never("key_not_from_model")


# E3, R2, C5: the second delivery

HOOK = webhook_twice.webhook_twice
AT_THE_END = "end#1:duplicate_trigger"
ON_THE_WAY = "process:send_mail#1:duplicate_trigger"


def test_two_requests_at_once(simulation):
    """The second delivery comes while the first one's request is under way."""
    law = alone(single_flight(), HOOK)
    for victim in webhook_twice.VICTIMS:
        assert found(law, victim, simulation) == [
            f"AF112 mail: {ON_THE_WAY}",
            "AF112 shipment: process:ship#1:duplicate_trigger",
        ]


def test_one_request_at_a_time(simulation):
    """Whoever has claimed the trigger is alone."""
    assert held(alone(single_flight(), HOOK), webhook_twice.claims_it_first, simulation) > 500


def test_single_flight_where_nothing_is_tried_twice(simulation):
    """No second delivery gets as far as a call, and no reply is lost."""
    law, agent = alone(single_flight(), HOOK), webhook_twice.claims_it_first
    assert untested(law, agent, simulation, only=("duplicate_trigger",)) == never("single_flight")


@pytest.mark.parametrize(
    ("victim", "plan"),
    [
        (webhook_twice.takes_every_delivery, AT_THE_END),
        (webhook_twice.notes_it_at_the_end, ON_THE_WAY),
    ],
)
def test_a_trigger_that_counts_twice(simulation, victim, plan):
    """After the end, or on the way to it."""
    assert found(alone(duplicate_trigger_ignored(), HOOK), victim, simulation) == [
        f"AF111 mail: {plan}",
        f"AF111 shipment: {plan}",
    ]


def test_a_trigger_that_counts_once(simulation):
    """However often and whenever it comes."""
    assert (
        held(alone(duplicate_trigger_ignored(), HOOK), webhook_twice.claims_it_first, simulation)
        > 5
    )


def test_input_dedup_where_each_trigger_comes_once(simulation):
    """The other faults say nothing about it."""
    law, agent = alone(duplicate_trigger_ignored(), HOOK), webhook_twice.takes_every_delivery
    calm = {"exclude": ("duplicate_trigger",)}
    assert untested(law, agent, simulation, **calm) == never("duplicate_trigger_ignored")


REDONE = alone(no_redo(), HOOK)


@pytest.mark.parametrize("victim", [webhook_twice.takes_every_delivery, same_keys_again])
def test_work_that_is_done_again(simulation, victim):
    """With keys of its own; or for nothing, as long as the keys are kept."""
    assert found(REDONE, victim, simulation) == [
        f"AF216 mail: {AT_THE_END}",
        f"AF216 shipment: {AT_THE_END}",
    ]


def test_another_answer_to_the_same_task(simulation):
    """Nothing is done again, and the caller has two handles."""
    assert found(REDONE, a_number_for_each, simulation) == [f"AF216 claim: {AT_THE_END}"]


@pytest.mark.parametrize(
    "survivor", [webhook_twice.claims_it_first, webhook_twice.notes_it_at_the_end]
)
def test_what_is_done_is_done(simulation, survivor):
    """To look whether it is done is enough for this law."""
    assert held(REDONE, survivor, simulation) > 40


@pytest.mark.slow
def test_a_restart_after_the_answer(simulation):
    """It had answered, and nobody had taken note: the payroll is not paid again."""
    law = alone(no_redo(), resume_after_crash.resume_after_crash)
    survivor = resume_after_crash.saves_the_key_ahead
    assert held(law, survivor, simulation, only=("crash",)) > 40


def test_no_redo_where_each_trigger_comes_once(simulation):
    """Nothing begins again."""
    agent, calm = webhook_twice.takes_every_delivery, {"exclude": ("duplicate_trigger",)}
    assert untested(REDONE, agent, simulation, **calm) == never("no_redo")


# B06 compensated

TRIP = alone(compensated(), saga.saga)
SLOW = "book_flight#1:once/timeout"


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        (saga.first_one_first, f"AF110 order: {SLOW}"),
        (saga.forgets, f"AF110 flight: {SLOW}"),
        (cancels_what_it_planned, f"AF110 nothing: {SLOW}"),
        (saga.key_per_attempt, f"AF110 cancellation: {SLOW} + cancel_flight#1:once/timeout"),
        (saga.fire_and_forget, f"AF110 flight: {SLOW} + cancel_flight#1:lost/timeout"),
    ],
)
def test_a_bad_compensation(simulation, victim, expected):
    """In the wrong order, not at all, of nothing, twice, or only sent."""
    assert found(TRIP, victim, simulation, depth=expected.count("+") + 1) == [expected]


@pytest.mark.slow
def test_a_good_compensation(simulation):
    """Even if its own replies get lost."""
    assert held(TRIP, saga.last_one_first, simulation) > 1000


def test_compensated_where_the_trip_takes_place(simulation):
    """Nothing is slow, and the room is still there."""
    assert untested(TRIP, saga.forgets, simulation, only=("error",)) == never("compensated")


# L2 retry_budget

STORM = retry_storm.retry_storm
ONE_LOSS = "get_quote#1:once/error"


@pytest.mark.parametrize("victim", list(retry_storm.VICTIMS))
def test_layers_that_multiply(simulation, victim):
    """One lost reply is enough for nine attempts."""
    law = alone(retry_budget(attempts=3), STORM)
    assert found(law, victim, simulation) == [f"AF217 get_quote: {ONE_LOSS}"]
    (verdict,) = run(law, victim, ONE_LOSS, simulation=simulation).verdicts
    assert verdict.violations[0].title == "get_quote tried 9x, budget 3"


def test_a_client_that_multiplies_what_is_asked(simulation):
    """Three calls for each that the model asks for; or one for each, however often it is asked."""
    law = alone(retry_budget(attempts=200, factor=2), STORM)
    assert found(law, retry_storm.client_times_model, simulation) == [
        f"AF217 get_quote factor: {ONE_LOSS}"
    ]
    assert found(law, retry_storm.model_times_supervisor, simulation) == []


@pytest.mark.slow
def test_one_budget_for_all_layers(simulation):
    """Whoever asks, and however often."""
    law = alone(retry_budget(attempts=3), STORM)
    assert held(law, retry_storm.one_budget, simulation) > 1000


def test_retry_budget_where_nothing_fails(simulation):
    """A model that closes badly costs no attempt."""
    law, agent = alone(retry_budget(attempts=3), STORM), retry_storm.client_times_model
    only = ("no_done", "bad_done", "double_done")
    assert untested(law, agent, simulation, only=only) == never("retry_budget(attempts=3)")


# E6 unknown_is_not_failed

THIRD = alone(unknown_is_not_failed(), LIVES)


def test_a_deadline_is_no_failure(simulation):
    """The reply was late, the charge was not."""
    assert found(THIRD, two_valued, simulation) == ["AF307 charge: charge_card#1:once/timeout"]


def test_a_compensation_is_no_exception(simulation):
    """A cancellation that nobody has confirmed is in doubt, too."""
    trip = alone(unknown_is_not_failed(), saga.saga)
    assert found(trip, saga.fire_and_forget, simulation, depth=2) == [
        f"AF307 cancellation: {SLOW} + cancel_flight#1:once/timeout"
    ]


@pytest.mark.parametrize("survivor", [three_valued, looks_it_up, gives_it_back])
def test_the_third_answer(simulation, survivor):
    """Said, looked up, or made a certainty."""
    assert held(THIRD, survivor, simulation) > 20


def test_unknown_is_not_failed_where_all_is_known(simulation):
    """A 429 says that nothing was done."""
    assert untested(THIRD, two_valued, simulation, only=("rate_limited",)) == never(
        "unknown_is_not_failed"
    )


# C9 no_contradiction

AGREES = alone(no_contradiction(), LIVES)
ANSWERS = alone(no_contradiction(), HOOK)


def test_a_model_that_changes_its_mind(simulation):
    """Charged, confirmed, given back, and nobody had asked for that."""
    assert found(AGREES, does_as_it_is_told, simulation) == ["AF306 refund: model#2:contradict"]
    history = run(AGREES, does_as_it_is_told, "model#2:contradict", simulation=simulation).history
    assert [commit.tool for commit in history.of(Committed)] == ["charge_card", "refund"]


@pytest.mark.slow
def test_a_mind_that_is_not_changed(simulation):
    """Neither by the model nor by the network."""
    assert held(AGREES, stands_by_it, simulation) > 500


def test_two_accounts_of_one_task(simulation):
    """Success, and on the second delivery a failure."""
    assert found(ANSWERS, refuses_the_second, simulation) == [
        f"AF306 completion: {AT_THE_END}",
    ]


def test_one_account_of_one_task(simulation):
    """What is under way is left open, what is done stays done."""
    assert held(ANSWERS, webhook_twice.claims_it_first, simulation) > 40


def test_no_contradiction_where_all_is_said_once(simulation):
    """One completion, and nothing that could be taken back."""
    calm = {"exclude": ("duplicate_trigger",)}
    assert untested(ANSWERS, refuses_the_second, simulation, **calm) == never("no_contradiction")
