"""Laws of approvals, cancelling, endings and memory on whole loops: for each law by itself a loop
that breaks it, found by exactly the smallest plan; one that keeps it under the same campaign; and
a campaign in which the law had nothing to judge.

Law: a plan is asserted as text, and the law finds nothing else. The loops are those of the bundled
scenarios, where they fit, and of `law_loops_b`.
"""

from contextlib import suppress
from dataclasses import replace

import pytest

from agentfuzz import (
    Completion,
    World,
    approval_single_use,
    budget_is_not_success,
    cancel_report,
    effects_remembered,
    ends_within,
    errors_surface,
    no_effect_after_cancel,
    no_hidden_calls,
    run,
)
from agentfuzz.core.events import Called
from agentfuzz.engine.simulation import Simulation
from agentfuzz.scenarios import approve_payment, cancel_campaign
from agentfuzz.search.space import Space
from law_loops_b import (
    DONE,
    FAULTS,
    UNKNOWN,
    asks_four_times,
    asks_on,
    done_at_the_limit,
    forgets,
    hanging_order,
    has_a_deadline,
    logs_attempts,
    logs_requests,
    looks_each_time,
    looks_once,
    order,
    remembers,
    says_it_was_the_limit,
    shop,
    talk,
    waits_an_hour,
    waits_for_ever,
)
from search.support import hunt, shown

PAYING, MAILING = approve_payment.approve_payment, cancel_campaign.cancel_campaign


@pytest.fixture(scope="module")
def simulation():
    """One for all."""
    with Simulation() as simulation:
        yield simulation


def alone(law, story):
    """The story under this law and no other."""
    return replace(story, invariants=(law,))


def found(story, agent, simulation, **words):
    """What one fault of any kind that the story has to live with is enough for."""
    room = space(story, **words)
    return shown(hunt(story, agent, simulation, space=room, depth=1, deep_runs=0))


def held(story, agent, simulation, **words):
    """How often the one law of the story held: by no plan with two faults was it broken."""
    result = hunt(story, agent, simulation, space=space(story, **words))
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


# A1 approval_single_use

APPROVED = alone(approval_single_use("pay_invoice"), PAYING)


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        (approve_payment.any_answer, ["AF409 pay_invoice: approval:pay_invoice#1:refused"]),
        (approve_payment.in_order, ["AF409 pay_invoice: approval:pay_invoice#1:twice"]),
        (approve_payment.whenever, ["AF409 pay_invoice late: approval:pay_invoice#1:late"]),
        (
            approve_payment.every_click,
            [
                "AF409 pay_invoice again: approval:pay_invoice#1:twice",
                "AF409 pay_invoice late: approval:pay_invoice#1:late",
            ],
        ),
    ],
)
def test_a_payment_without_an_approval_of_its_own(simulation, victim, expected):
    """A refusal, another call's yes, an expired yes, a yes that was used up."""
    assert found(APPROVED, victim, simulation) == expected


def test_an_approval_used_once(simulation):
    """The first answer uses it up."""
    assert held(APPROVED, approve_payment.used_once, simulation) > 500


def test_approvals_where_nobody_is_asked(simulation):
    """Nothing waits for a decision: without a tool's name, nothing needs one."""

    def never_asks(world: World) -> Completion:
        for name, cents in approve_payment.INVOICES.items():
            try:
                world.tools.pay_invoice(invoice_id=name, cents=cents)
            except FAULTS:
                return UNKNOWN
        return DONE

    asked = alone(approval_single_use(), PAYING)
    assert untested(asked, never_asks, simulation) == [
        "AF802 approval_single_use was never exercised"
    ]


# B16 no_effect_after_cancel

STOPPED = alone(no_effect_after_cancel(), MAILING)


@pytest.mark.parametrize("victim", [cancel_campaign.finishes_first, looks_once])
def test_sending_after_stop(simulation, victim):
    """Children that are shielded and waited for; a token that is looked at once."""
    assert found(STOPPED, victim, simulation) == ["AF310 mail: process:send_mail#1:cancel"]


@pytest.mark.parametrize("survivor", [cancel_campaign.stops_and_reports, looks_each_time])
def test_nothing_is_sent_after_stop(simulation, survivor):
    """Before a mail, after one, and with one under way."""
    assert held(STOPPED, survivor, simulation) > 50


def test_no_effect_after_cancel_where_nobody_stops(simulation):
    """The same loop, and nobody presses Stop."""
    assert untested(STOPPED, cancel_campaign.finishes_first, simulation, exclude=("cancel",)) == [
        "AF802 no_effect_after_cancel was never exercised"
    ]


# B16 cancel_report

REPORTED = alone(cancel_report(), MAILING)


@pytest.mark.parametrize(
    ("victim", "plan"),
    [
        (cancel_campaign.says_nothing_was_sent, "process:send_mail#2:cancel"),
        (cancel_campaign.counts_receipts_only, "process:send_mail#1:cancel/after"),
    ],
)
def test_a_report_that_keeps_back_what_was_sent(simulation, victim, plan):
    """All of it; or the one that was under way."""
    assert found(REPORTED, victim, simulation) == [f"AF311 mail: {plan}"]


def test_a_report_of_what_was_sent(simulation):
    """With what is in doubt."""
    assert held(REPORTED, cancel_campaign.stops_and_reports, simulation) > 50


def test_cancel_report_where_nobody_stops(simulation):
    """The same loop, and nobody presses Stop."""
    victim = cancel_campaign.says_nothing_was_sent
    assert untested(REPORTED, victim, simulation, exclude=("cancel",)) == [
        "AF802 cancel_report was never exercised"
    ]


# C10 budget_is_not_success

LIMITED = alone(budget_is_not_success(), shop)


def test_the_limit_is_taken_for_the_end(simulation):
    """One retry, and the last result is seen by nobody."""
    assert found(LIMITED, done_at_the_limit, simulation) == [
        "AF308 limit: charge_card#1:once/timeout"
    ]


def test_a_stop_is_taken_for_the_end(simulation):
    """Cancelled, and in good order: a success."""
    law = alone(budget_is_not_success(), MAILING)
    assert found(law, cancel_campaign.stopped_is_done, simulation) == [
        "AF308 cancelled: process:send_mail#1:cancel"
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("story", "survivor"),
    [(shop, says_it_was_the_limit), (MAILING, cancel_campaign.stops_and_reports)],
)
def test_a_limit_is_owned_up_to(simulation, story, survivor):
    """partial, or cancelled."""
    assert held(alone(budget_is_not_success(), story), survivor, simulation) > 50


def test_budget_is_not_success_where_nothing_stops(simulation):
    """No model that asks for more, and nobody who presses Stop."""
    law = alone(budget_is_not_success(), MAILING)
    assert untested(law, cancel_campaign.stopped_is_done, simulation, exclude=("cancel",)) == [
        "AF802 budget_is_not_success was never exercised"
    ]


# C7 ends_within

TIMED = alone(ends_within(seconds=600), order)


def test_an_ending_that_is_long_in_coming(simulation):
    """An hour is too long, and for ever as well."""
    assert found(TIMED, waits_an_hour, simulation) == ["AF215 seconds: charge_card#1:once/timeout"]
    assert found(alone(ends_within(seconds=600), hanging_order), waits_for_ever, simulation) == [
        "AF215 run: charge_card#1:once/timeout"
    ]


IN_TURNS = alone(ends_within(turns=4), shop)


def test_asking_a_model_that_never_changes_its_mind(simulation):
    """Turn after turn, and nothing new."""
    assert found(IN_TURNS, asks_on, simulation) == ["AF215 turns: model#1:loop"]


@pytest.mark.slow
def test_a_model_that_is_not_asked_for_ever(simulation):
    """Nothing new in four turns is the end."""
    assert held(IN_TURNS, asks_four_times, simulation) > 50


@pytest.mark.parametrize("story", [order, hanging_order])
def test_an_ending_in_time(simulation, story):
    """Whether a lost reply is reported or not."""
    assert held(alone(ends_within(seconds=600), story), has_a_deadline, simulation) > 10


def test_ends_within_where_nothing_ends(simulation):
    """A run that its budget stops before its time is up has not been judged."""

    def never_ends(world: World) -> None:
        while True:
            with suppress(*FAULTS):
                world.tools.charge_card(order_id="A17")

    short = replace(TIMED, max_crossings=20)
    assert untested(short, never_ends, simulation, exclude=("timeout",)) == [
        "AF802 ends_within(seconds=600) was never exercised"
    ]


# L4 no_hidden_calls

LOGGED = alone(no_hidden_calls(), order)


def test_an_attempt_that_is_in_no_log(simulation):
    """The SDK's own retry."""
    assert found(LOGGED, logs_requests, simulation) == [
        "AF410 charge_card: charge_card#1:once/timeout",
        "AF410 ship: ship#1:once/timeout",
    ]


def test_every_attempt_is_in_the_log(simulation):
    """Whatever the network did."""
    assert held(LOGGED, logs_attempts, simulation) > 50


def test_no_hidden_calls_without_a_log(simulation):
    """A loop that returns a completion and no log."""
    assert untested(alone(no_hidden_calls(), order), has_a_deadline, simulation) == [
        "AF802 no_hidden_calls was never exercised"
    ]


# L5 errors_surface

SURFACES = alone(errors_surface(), shop)


@pytest.mark.parametrize("nothing", ["", "null", '{"status": "ok"}'])
def test_an_error_that_is_swallowed(simulation, nothing):
    """An empty result, or a success, in its place."""

    def swallows(world: World) -> Completion:
        return talk(world, tell=lambda error: nothing)

    assert found(SURFACES, swallows, simulation) == [
        "AF411 charge_card: charge_card#1:once/timeout",
        "AF411 ship: ship#1:once/timeout",
        "AF411 charge_card_v2: model#1:unknown_tool",
        "AF411 ship_v2: model#2:unknown_tool",
    ]


@pytest.mark.slow
def test_an_error_that_is_told(simulation):
    """As the result of its call."""
    assert held(SURFACES, talk, simulation) > 50


def test_errors_surface_where_no_model_asks(simulation):
    """A loop without a model tells nobody."""
    assert untested(alone(errors_surface(), order), has_a_deadline, simulation) == [
        "AF802 errors_surface was never exercised"
    ]


# X1 effects_remembered

REMEMBERS = alone(effects_remembered(), shop)


def test_a_receipt_falls_out_of_the_window(simulation):
    """One retry more than usual, and the charge is forgotten: the model plans it again. A model
    that loops on the charge pushes the shipment out."""
    plan = "ship#1:once/timeout"
    assert found(REMEMBERS, forgets, simulation) == [
        f"AF412 charge: {plan}",
        "AF412 shipment: model#1:loop",
    ]
    history = run(REMEMBERS, forgets, plan, simulation=simulation).history
    assert [call.slot.name for call in history.of(Called)][:4] == [
        "charge_card",
        "ship",
        "ship",
        "charge_card",
    ]


@pytest.mark.slow
def test_results_outlive_the_window(simulation):
    """What was done is what is kept."""
    assert held(REMEMBERS, remembers, simulation) > 50


def test_effect_memory_where_no_model_asks(simulation):
    """There is no conversation to be shortened."""
    assert untested(alone(effects_remembered(), order), has_a_deadline, simulation) == [
        "AF802 effects_remembered was never exercised"
    ]
