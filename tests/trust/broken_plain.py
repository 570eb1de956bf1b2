"""Broken loops without a model: each a loop that a working engineer could have written, with one
bug planted in it.

Law: the bug is found, and told by one of the codes that are named.
"""

import time
import uuid
from contextlib import suppress
from typing import Any

import tenacity

from agentfuzz import (
    Completion,
    RateLimited,
    ToolError,
    World,
    at_most_once,
    compensated,
    ends_within,
    exactly_once,
    no_blind_repeat,
    no_lost_intent,
    one_intent_per_key,
    replay_transparency,
    retry_budget,
    same_key_on_retry,
    single_flight,
    structured_termination,
    truthful,
    unknown_is_not_failed,
)

from .loops import FAILURES, LOST, broken
from .shops import bank, depot, shop, travel

DOUBT = Completion.blocked(reason="outcome_unknown")
DONE = Completion.success(handle="ch_A17")


@broken(shop(), "AF101")
def a_key_for_each_attempt(world: World) -> Completion:
    """The bug: uuid4 inside of the retried function."""

    @tenacity.retry(stop=tenacity.stop_after_attempt(3), reraise=True)
    def charge() -> Any:
        key = str(uuid.uuid4())
        return world.tools.charge(order_id="A17", cents=4200, idempotency_key=key)

    try:
        charge()
    except FAILURES:
        return DOUBT
    return DONE


@broken(shop(dedup="none"), "AF101", exclude=("twice",))
def a_look_up_at_once(world: World) -> Completion:
    """The bug: it looks up while the request may still be under way."""
    for _ in range(2):
        try:
            world.tools.charge(order_id="A17", cents=4200)
            return DONE
        except LOST:
            known = world.tools.find_charge(order_id="A17")
            if isinstance(known, dict) and known.get("cents"):
                return DONE
        except ToolError:
            return DOUBT
    return DOUBT


@broken(shop(exactly_once("charge"), truthful()), "AF103", "AF301")
def accepted_is_done(world: World) -> Completion:
    """The bug: whatever came back is a receipt."""
    try:
        world.tools.charge(order_id="A17", cents=4200, idempotency_key="A17")
    except FAILURES:
        return DOUBT
    return DONE


@broken(shop(unknown_is_not_failed()), "AF307")
def a_timeout_is_a_failure(world: World) -> Completion:
    """The bug: no answer is told as not done."""
    try:
        world.tools.charge(order_id="A17", cents=4200, idempotency_key="A17")
    except FAILURES:
        return Completion.failed(reason="tool_failed")
    return DONE


@broken(travel(compensated()), "AF110")
def forgets_the_flight(world: World) -> Completion:
    """The bug: the hotel fails, the flight stands, the answer says failed."""
    try:
        world.tools.book_flight(trip="T1")
        world.tools.book_hotel(trip="T1")
    except FAILURES:
        return Completion.failed(reason="tool_failed")
    return Completion.success(handle="T1")


@broken(travel(compensated()), "AF110")
def cancels_in_the_wrong_order(world: World) -> Completion:
    """The bug: the flight is cancelled first, and when that fails the hotel never is."""
    try:
        world.tools.book_flight(trip="T1")
        world.tools.book_hotel(trip="T1")
        world.tools.booked_for(trip="T1")
    except FAILURES:
        with suppress(*FAILURES):
            world.tools.cancel_flight(trip="T1")
            world.tools.cancel_hotel(trip="T1")
        return Completion.failed(reason="tool_failed")
    return Completion.success(handle="T1")


@broken(travel(at_most_once("flight"), dedup="none"), "AF101", exclude=("twice",))
def books_again_without_a_cancel(world: World) -> Completion:
    """The bug: a cancel that failed is taken for done, and the flight booked anew."""
    try:
        world.tools.book_flight(trip="T1")
        with suppress(*FAILURES):
            world.tools.cancel_flight(trip="T1")
        world.tools.book_flight(trip="T1")
    except FAILURES:
        return DOUBT
    return Completion.success(handle="T1")


@broken(bank(one_intent_per_key()), "AF107", "AF403")
def a_key_for_the_batch(world: World) -> Completion:
    """The bug: all rows share the batch's key."""
    for row in (1, 2, 3):
        try:
            world.tools.pay_out(row=row, cents=100 * row, idempotency_key="batch-B")
        except FAILURES:
            return DOUBT
    return Completion.success(handle="B")


@broken(bank(no_lost_intent("payout"), exactly_once("payout")), "AF103", "AF105")
def skips_a_row_that_fails(world: World) -> Completion:
    """The bug: a row that failed is logged, and the batch a success."""
    for row in (1, 2, 3):
        with suppress(*FAILURES):
            world.tools.pay_out(row=row, cents=100 * row, idempotency_key=f"B:{row}")
    return Completion.success(handle="B")


@broken(bank(), "AF105")
def keeps_the_hold(world: World) -> Completion:
    """The bug: a capture that was not confirmed leaves its hold, and claims success."""
    try:
        world.tools.hold(account="x", cents=5)
    except FAILURES:
        return DOUBT
    with suppress(*FAILURES):
        world.tools.capture(account="x", cents=5, idempotency_key="x")
    return Completion.success(handle="x")


@broken(depot(), "AF201")
def polls_for_ever(world: World) -> Completion:
    """The bug: no deadline, if the export was never begun."""
    with suppress(*FAILURES):
        world.tools.start_export(month="may")
    while True:
        with suppress(*FAILURES):
            if world.tools.job_state(job="job_may") == {"job": "job_may", "state": "done"}:
                return Completion.success(handle="job_may")
        time.sleep(60)


@broken(depot(ends_within(seconds=600)), "AF215")
def waits_an_hour(world: World) -> Completion:
    """The bug: after a failure it sleeps for an hour, and it promised ten minutes."""
    for _ in range(2):
        try:
            if world.tools.start_export(month="may") == {"job": "job_may"}:
                return Completion.success(handle="job_may")
        except FAILURES:
            time.sleep(3600)
    return DOUBT


@broken(depot(retry_budget(attempts=2)), "AF217")
def two_layers_retry(world: World) -> Completion:
    """The bug: three attempts of three attempts are nine, and two were promised."""

    @tenacity.retry(stop=tenacity.stop_after_attempt(3), reraise=True)
    def inner() -> Any:
        return world.tools.fetch(job="job_may")

    for _ in range(3):
        try:
            world.tools.job_state(job="job_may")
            inner()
        except FAILURES:
            continue
        return Completion.success(reason="nothing_to_do")
    return DOUBT


@broken(depot(retry_budget(attempts=2)), "AF201", "AF217")
def counts_timeouts_only(world: World) -> Completion:
    """The bug: the budget of retries counts timeouts, and a 429 is for ever."""
    timeouts = 0
    while timeouts < 3:
        try:
            world.tools.fetch(job="job_may")
        except RateLimited:
            continue
        except FAILURES:
            timeouts += 1
            continue
        world.tools.job_state(job="job_may")
        return Completion.success(reason="nothing_to_do")
    return DOUBT


@broken(shop(replay_transparency()), "AF105")
def mails_instead(world: World) -> Completion:
    """The bug: where the shipment fails it mails an apology, and claims success."""
    try:
        world.tools.ship(order_id="A17")
    except FAILURES:
        with suppress(*FAILURES):
            world.tools.mail(order_id="A17", about="sorry")
    return Completion.success(handle="A17")


@broken(shop(same_key_on_retry()), "AF106", "AF403", "AF101")
def the_amount_is_in_the_key(world: World) -> Completion:
    """The bug: the key is made of what changes from attempt to attempt."""
    for attempt in range(2):
        try:
            key = f"A17:{4200 + attempt}"
            world.tools.charge(order_id="A17", cents=4200, idempotency_key=key)
            return DONE
        except FAILURES:
            continue
    return DOUBT


@broken(shop(structured_termination()), "AF204")
def ends_in_silence(world: World) -> Completion | None:
    """The bug: the failing path returns nothing."""
    try:
        world.tools.ship(order_id="A17")
    except FAILURES:
        return None
    return DONE


@broken(shop(no_blind_repeat("charge"), dedup="none"), "AF104", exclude=("twice",))
def repeats_after_a_timeout(world: World) -> Completion:
    """The bug: it waits, and calls again without looking."""
    for _ in range(2):
        try:
            world.tools.charge(order_id="A17", cents=4200)
            return DONE
        except LOST:
            time.sleep(5)
        except ToolError:
            break
    return DOUBT


@broken(shop(single_flight("charge"), dedup="none"), "AF112", "AF101", exclude=("twice",))
async def hedges_its_bets(world: World) -> Completion:
    """The bug: two requests at once for one order, and the first that answers is taken."""
    import asyncio

    arguments = {"order_id": "A17", "cents": 4200}
    jobs = [asyncio.ensure_future(world.acall("charge", arguments)) for _ in range(2)]
    await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*jobs, return_exceptions=True)
    return DONE
