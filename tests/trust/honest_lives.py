"""Honest loops that are stopped, started again, approved, asked on, or run in parallel.

Law: none of them has a bug that its world could show; what outlives them is in the store.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from agentfuzz import (
    Completion,
    World,
    approval_single_use,
    at_most_once,
    cancel_report,
    duplicate_trigger_ignored,
    exactly_once,
    key_saved_before_use,
    no_effect_after_cancel,
    no_redo,
    retry_budget,
    single_flight,
    structured_termination,
    truthful,
)

from .loops import FAILURES, honest
from .shops import bank, shop, travel

DOUBT = Completion.blocked(reason="outcome_unknown")


@honest(shop(exactly_once("charge"), key_saved_before_use(), no_redo(), resume=True))
def works_from_an_outbox(world: World) -> Completion:
    """What it will do is saved before it does it, and what came of it after."""
    if world.store.get("outcome") == "charged":
        return Completion.success(handle="ch_A17")
    key = world.store.get("key")
    if key is None:
        key = world.store["key"] = f"{world.trigger_id}:charge"
    for _ in range(2):
        try:
            receipt = world.tools.charge(order_id="A17", cents=4200, idempotency_key=key)
        except FAILURES:
            continue
        if receipt == {"charge_id": "ch_A17", "cents": 4200}:
            world.store["outcome"] = "charged"
            return Completion.success(handle="ch_A17")
    return DOUBT


@honest(travel(at_most_once(), resume=True))
def goes_on_at_its_cursor(world: World) -> Completion:
    """A state machine: the step it is at is saved, and a step may be done twice without harm."""
    steps = ("flight", "hotel")
    at = world.store.get("cursor", 0)
    for number in range(at, len(steps)):
        try:
            reply = getattr(world.tools, f"book_{steps[number]}")(trip="T1")
        except FAILURES:
            return Completion.partial(reason="unverified", handle="T1")
        if reply != {"booked": "T1", "kind": steps[number]}:
            return Completion.partial(reason="unverified", handle="T1")
        world.store["cursor"] = number + 1
    return Completion.success(handle="T1")


@honest(
    shop(duplicate_trigger_ignored(), single_flight("charge"), faults=("duplicate_trigger",)),
)
def claims_its_trigger(world: World) -> Completion:
    """The second delivery of a trigger finds it taken."""
    if not world.store.claim(world.trigger_id):
        return Completion.blocked(reason="other", detail="somebody else is at it")
    try:
        receipt = world.tools.charge(order_id="A17", cents=4200, idempotency_key=world.trigger_id)
    except FAILURES:
        return DOUBT
    done = receipt == {"charge_id": "ch_A17", "cents": 4200}
    return Completion.success(handle="ch_A17") if done else DOUBT


@honest(shop(approval_single_use("refund"), structured_termination()))
def refunds_when_a_person_agrees(world: World) -> Completion:
    """Asks once, ends, and does what was granted once."""
    if world.decision is None:
        if world.store.get("asked") is None:
            world.store["asked"] = True
            world.request_approval("refund", call="call_refund")
        return Completion.blocked(reason="needs_approval")
    if not world.store.claim(world.decision.approval):
        return Completion.blocked(reason="other", detail="that request was decided before")
    if not world.decision.granted:
        return Completion.failed(reason="rejected")
    try:
        reply = world.call("refund", {"order_id": "A17"}, asked="call_refund")
    except FAILURES:
        return DOUBT
    return Completion.success(handle="A17") if reply == {"refunded": "A17"} else DOUBT


@honest(shop(at_most_once(), follow_ups=("Where is my parcel?", "Thank you.")))
def answers_what_it_is_asked(world: World) -> Completion:
    """Three requests: an order, a question, a thank-you. Each ends on its own."""
    if world.leg == 1:
        try:
            reply = world.tools.ship(order_id="A17")
        except FAILURES:
            return DOUBT
        return Completion.success(handle="p_A17") if reply == {"parcel": "p_A17"} else DOUBT
    if world.leg == 2:
        try:
            world.tools.find_charge(order_id="A17")
        except FAILURES:
            return Completion.blocked(reason="dependency_unavailable")
        return Completion.success(reason="nothing_to_do")
    return Completion.success(reason="nothing_to_do")


@honest(bank(cancel_report(), no_effect_after_cancel(), faults=("cancel",)))
async def stops_between_two_rows(world: World) -> Completion:
    """Looks at its cancel token before each row, and names the rows that were paid."""
    begun: list[str] = []
    for row in (1, 2, 3):
        if world.cancelled:
            return Completion.cancelled(handle=f"begun: {', '.join(begun)}")
        begun.append(f"payout {row}")
        try:
            await world.acall("pay_out", {"row": row, "cents": 5, "idempotency_key": f"r{row}"})
        except FAILURES:
            return Completion.partial(reason="unverified", handle=f"begun: {', '.join(begun)}")
    if world.cancelled:
        return Completion.cancelled(handle=f"begun: {', '.join(begun)}")
    return Completion.partial(reason="unverified", handle=f"begun: {', '.join(begun)}")


async def paid(world: World, row: int) -> bool:
    arguments: Mapping[str, Any] = {"row": row, "cents": 5, "idempotency_key": f"r{row}"}
    try:
        return bool(await world.acall("pay_out", arguments) == {"row": row, "paid": 5})
    except FAILURES:
        return False


@honest(bank(retry_budget(attempts=2), truthful()))
async def fans_out_and_counts(world: World) -> Completion:
    """Five payouts at once; one that fails is asked for once more, by the same key."""
    first = await asyncio.gather(*(paid(world, row) for row in range(5)))
    again = [row for row, done in enumerate(first) if not done]
    second = await asyncio.gather(*(paid(world, row) for row in again))
    if all(second):
        return Completion.success(handle="all")
    return Completion.partial(reason="unverified", handle="some")


@honest(bank())
async def takes_them_as_they_complete(world: World) -> Completion:
    """`as_completed` over coroutines: whichever is first."""
    jobs = [paid(world, row) for row in range(3)]
    results = [await job for job in asyncio.as_completed(jobs)]
    if all(results):
        return Completion.success(handle="all")
    return Completion.partial(reason="unverified", handle="some")


@honest(shop(exactly_once("charge")))
async def keeps_its_own_deadline(world: World) -> Completion:
    """Gives a call ten seconds, then takes the outcome for unknown."""
    arguments = {"order_id": "A17", "cents": 4200, "idempotency_key": "A17"}
    for _ in range(2):
        try:
            receipt = await asyncio.wait_for(world.acall("charge", arguments), 10)
        except FAILURES:
            await asyncio.sleep(1)
            continue
        if receipt == {"charge_id": "ch_A17", "cents": 4200}:
            return Completion.success(handle="ch_A17")
    return DOUBT


@honest(bank(at_most_once()))
def pays_from_three_threads(world: World) -> Completion:
    """A pool of threads, a key a row."""

    def pay(row: int) -> bool:
        for _ in range(2):
            try:
                reply = world.tools.pay_out(row=row, cents=5, idempotency_key=f"r{row}")
            except FAILURES:
                continue
            if reply == {"row": row, "paid": 5}:
                return True
        return False

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(pay, range(3)))
    if all(done):
        return Completion.success(handle="all")
    return Completion.partial(reason="unverified", handle="some")
