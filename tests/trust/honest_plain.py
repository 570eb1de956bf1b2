"""Honest loops without a model: sagas, batches, pollers, outboxes, fallbacks, breakers.

Law: none of them has a bug that its world could show. What they have in common is that they say
what they know, and no more.
"""

import time
from typing import Any

from agentfuzz import (
    Completion,
    RateLimited,
    ToolError,
    World,
    at_most_once,
    bounded,
    compensated,
    ends_within,
    exactly_once,
    no_blind_repeat,
    no_stuck_repeats,
    replay_transparency,
    retry_budget,
    same_key_on_retry,
    structured_termination,
    truthful,
)

from .loops import FAILURES, LOST, honest
from .shops import bank, depot, shop, travel

DOUBT = Completion.blocked(reason="outcome_unknown")


def charged(reply: object) -> bool:
    """A receipt that belongs to this order and this amount."""
    return reply == {"charge_id": "ch_A17", "cents": 4200}


@honest(shop())
def charges_by_one_key_then_ships(world: World) -> Completion:
    """Three attempts with the key of the order; ships only with the receipt in hand."""
    for _ in range(3):
        try:
            receipt = world.tools.charge(order_id="A17", cents=4200, idempotency_key="A17")
        except FAILURES:
            continue
        if charged(receipt):
            break
    else:
        return DOUBT
    try:
        parcel = world.tools.ship(order_id="A17")
    except FAILURES:
        return Completion.partial(reason="some_effects_missing", handle="ch_A17")
    if parcel != {"parcel": "p_A17"}:
        return Completion.partial(reason="unverified", handle="ch_A17")
    return Completion.success(handle="ch_A17")


@honest(shop(exactly_once("charge"), no_blind_repeat("charge"), dedup="none"), exclude=("twice",))
def looks_up_when_all_has_landed(world: World) -> Completion:
    """No keys: waits until nothing can be under way, looks up, and repeats only what is not
    there."""
    for _ in range(3):
        try:
            if charged(world.tools.charge(order_id="A17", cents=4200)):
                return Completion.success(handle="ch_A17")
        except RateLimited as error:
            time.sleep(error.retry_after or 1.0)
        except ToolError:
            return Completion.failed(reason="rejected")
        except LOST:
            pass
        time.sleep(600)
        try:
            known = world.tools.find_charge(order_id="A17")
        except FAILURES:
            return DOUBT
        if not isinstance(known, dict) or set(known) != {"order_id", "cents"}:
            return DOUBT
        if known["cents"] is not None:
            return Completion.partial(reason="unverified", handle="ch_A17")
        return DOUBT
    return DOUBT


@honest(shop(structured_termination()))
def escalates_by_mail_when_it_fails(world: World) -> Completion:
    """An effect that stands for failure: a mail to the customer, and the ending says blocked."""
    try:
        receipt: Any = world.tools.charge(order_id="A17", cents=4200, idempotency_key="A17")
    except FAILURES:
        receipt = None
    if charged(receipt):
        return Completion.success(handle="ch_A17")
    try:
        world.tools.mail(order_id="A17", about="we are looking into your payment")
    except FAILURES:
        return Completion.blocked(reason="dependency_unavailable")
    return DOUBT


@honest(shop())
def refunds_what_it_cannot_ship(world: World) -> Completion:
    """Charge, ship; if the depot refuses, refund and say failed."""
    try:
        receipt = world.tools.charge(order_id="A17", cents=4200, idempotency_key="A17")
    except FAILURES:
        return DOUBT
    if not charged(receipt):
        return DOUBT
    try:
        if world.tools.ship(order_id="A17") == {"parcel": "p_A17"}:
            return Completion.success(handle="ch_A17")
        return Completion.partial(reason="unverified", handle="ch_A17")
    except (RateLimited, ToolError):
        pass
    except LOST:
        return Completion.partial(reason="unverified", handle="ch_A17")
    try:
        world.tools.refund(order_id="A17")
    except FAILURES:
        return Completion.partial(reason="unverified", handle="ch_A17")
    return Completion.failed(reason="tool_failed")


@honest(travel(compensated()))
def cancels_the_flight_without_a_hotel(world: World) -> Completion:
    """A saga: what was booked is cancelled, last first, each until it is confirmed."""
    begun, done = [], []
    for kind in ("flight", "hotel"):
        begun.append(kind)
        for _ in range(3):
            try:
                reply = getattr(world.tools, f"book_{kind}")(trip="T1")
            except FAILURES:
                continue
            if reply == {"booked": "T1", "kind": kind}:
                done.append(kind)
                break
        else:
            break
    if done == ["flight", "hotel"]:
        return Completion.success(handle="T1")
    left = []
    for kind in reversed(begun):  # whatever was begun: the reply may have been lost
        for _ in range(3):
            try:
                if getattr(world.tools, f"cancel_{kind}")(trip="T1") == {
                    "cancelled": "T1",
                    "kind": kind,
                }:
                    break
            except FAILURES:
                continue
        else:
            left.append(kind)
    if left:
        return Completion.partial(reason="unverified", handle="flight T1, hotel T1")
    return Completion.failed(reason="tool_failed", handle="flight T1, hotel T1")


@honest(travel(at_most_once("flight")))
def books_again_after_a_cancelled_booking(world: World) -> Completion:
    """Books, changes its mind, cancels, and books again: one booking stands."""
    steps = (world.tools.book_flight, world.tools.cancel_flight, world.tools.book_flight)
    for step in steps:
        try:
            reply = step(trip="T1")
        except FAILURES:
            return Completion.blocked(reason="outcome_unknown", handle="T1")
        if not isinstance(reply, dict) or reply.get("kind") != "flight":
            return Completion.blocked(reason="outcome_unknown", handle="T1")
    return Completion.success(handle="T1")


@honest(bank(at_most_once(), same_key_on_retry()))
def pays_row_by_row(world: World) -> Completion:
    """A batch: one key a row, the rows that are in doubt are named."""
    try:
        rows = world.tools.rows()
    except FAILURES:
        return Completion.failed(reason="tool_failed")
    want = {"rows": [{"row": n, "cents": 100 * n} for n in (1, 2, 3)]}
    if rows != want:
        return Completion.failed(reason="invalid_request")
    open_rows = []
    for row in rows["rows"]:
        for _ in range(2):
            try:
                reply = world.tools.pay_out(**row, idempotency_key=f"B:{row['row']}")
            except FAILURES:
                continue
            if reply == {"row": row["row"], "paid": row["cents"]}:
                break
        else:
            open_rows.append(row["row"])
    if open_rows:
        return Completion.partial(reason="unverified", handle=f"open: {open_rows}")
    return Completion.success(handle="B")


@honest(bank())
def holds_then_captures(world: World) -> Completion:
    """Two phases: the hold is released where the capture was refused."""
    try:
        if world.tools.hold(account="x", cents=5) != {"hold": "h_x"}:
            return DOUBT
    except FAILURES:
        return DOUBT
    try:
        reply = world.tools.capture(account="x", cents=5, idempotency_key="x")
    except LOST:
        return DOUBT
    except ToolError:
        try:
            world.tools.release(account="x")
        except FAILURES:
            return DOUBT
        return Completion.failed(reason="rejected")
    return Completion.success(handle="x") if reply == {"captured": "x", "cents": 5} else DOUBT


@honest(depot(no_stuck_repeats(), bounded(), ends_within(seconds=7200)))
def polls_until_the_export_is_done(world: World) -> Completion:
    """The same call, the same answer, a minute apart: until it is done, or an hour has passed."""
    try:
        started = world.tools.start_export(month="may")
    except FAILURES:
        return DOUBT
    if started != {"job": "job_may"}:
        return DOUBT
    for _ in range(60):
        try:
            state = world.tools.job_state(job="job_may")
        except FAILURES:
            state = {}
        if state == {"job": "job_may", "state": "done"}:
            break
        time.sleep(60)
    else:
        return Completion.partial(reason="unverified", handle="job_may")
    try:
        found = world.tools.fetch(job="job_may")
    except FAILURES:
        return Completion.partial(reason="unverified", handle="job_may")
    done = found == {"job": "job_may", "rows": 3}
    return (
        Completion.success(handle="job_may")
        if done
        else Completion.partial(reason="unverified", handle="job_may")
    )


@honest(depot(replay_transparency(), retry_budget(attempts=4)))
def backs_off_by_doubling(world: World) -> Completion:
    """Waits 1, 2, 4 seconds between attempts, with jitter by the clock, under a deadline."""
    begun, wait = time.monotonic(), 1.0
    while time.monotonic() - begun < 300:
        try:
            if world.tools.start_export(month="may") == {"job": "job_may"}:
                return Completion.success(handle="job_may")
        except RateLimited as error:
            wait = max(wait, error.retry_after or 0)
        except FAILURES:
            pass
        if wait > 4:
            break
        time.sleep(wait + (time.time_ns() % 7) / 100)
        wait *= 2
    return DOUBT


@honest(shop(truthful()))
def opens_its_breaker(world: World) -> Completion:
    """Two failures in a row and it calls no more."""
    failures, done = 0, []
    for order, cents in (("A17", 4200), ("A18", 100), ("A19", 250)):
        if failures >= 2:
            break
        try:
            reply = world.tools.charge(order_id=order, cents=cents, idempotency_key=order)
            failures = 0
        except FAILURES:
            failures += 1
            continue
        if reply == {"charge_id": f"ch_{order}", "cents": cents}:
            done.append(order)
    if len(done) == 3:
        return Completion.success(handle=",".join(done))
    return Completion.partial(reason="unverified", handle=",".join(done) or "none")
