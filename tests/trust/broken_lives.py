"""Broken loops that are stopped, started again, approved, asked on, run in parallel, or built
around a model.

Law: the bug that is planted in each is found, and told by one of the codes that are named.
"""

import asyncio
import json
import re
from contextlib import suppress
from typing import Any

from agentfuzz import (
    Completion,
    ModelError,
    World,
    approval_single_use,
    at_most_once,
    budget_is_not_success,
    cancel_report,
    duplicate_trigger_ignored,
    errors_surface,
    exactly_once,
    key_not_from_model,
    no_act_on_cut_reply,
    no_effect_after_cancel,
    no_redo,
    receipts_shown,
    text_has_no_authority,
    truthful,
)

from .loops import FAILURES, LOST, broken
from .shops import bank, desk, shop, travel

DOUBT = Completion.blocked(reason="outcome_unknown")
DONE = Completion.success(handle="ch_A17")


@broken(shop(exactly_once("charge"), resume=True), "AF103", "AF105")
def ticks_it_off_before_it_acts(world: World) -> Completion:
    """The bug: the outbox says done before it is."""
    if world.store.get("done"):
        return DONE
    world.store["done"] = True
    try:
        reply = world.tools.charge(order_id="A17", cents=4200, idempotency_key="A17")
    except FAILURES:
        return DOUBT
    return DONE if reply == {"charge_id": "ch_A17", "cents": 4200} else DOUBT


@broken(shop(at_most_once("charge"), resume=True), "AF101", "AF106")
def a_key_in_memory(world: World) -> Completion:
    """The bug: the key is counted in the process, and a new process counts anew after it was
    told otherwise."""
    run = world.store["run"] = world.store.get("run", 0) + 1
    try:
        world.tools.charge(order_id="A17", cents=4200, idempotency_key=f"run-{run}")
    except FAILURES:
        return DOUBT
    return DONE


@broken(travel(at_most_once("flight"), dedup="none", resume=True), "AF101", exclude=("twice",))
def saves_its_cursor_after_the_step(world: World) -> Completion:
    """The bug: a crash between the step and the save does the step again."""
    if world.store.get("cursor", 0) < 1:
        try:
            world.tools.book_flight(trip="T1")
        except FAILURES:
            return DOUBT
        world.store["cursor"] = 1
    return Completion.success(handle="T1")


@broken(
    shop(duplicate_trigger_ignored(), faults=("duplicate_trigger",), dedup="none"),
    "AF101",
    "AF111",
    exclude=("twice",),
)
def serves_each_trigger(world: World) -> Completion:
    """The bug: whoever rings twice is served twice."""
    try:
        world.tools.charge(order_id="A17", cents=4200)
    except FAILURES:
        return DOUBT
    return DONE


@broken(shop(approval_single_use("refund")), "AF409")
def takes_any_yes(world: World) -> Completion:
    """The bug: it never looks whether the decision was used, or came in time."""
    if world.decision is None:
        world.request_approval("refund", call="call_refund")
        return Completion.blocked(reason="needs_approval")
    if world.decision.granted is False:
        return Completion.failed(reason="rejected")
    try:
        world.call("refund", {"order_id": "A17"}, asked="call_refund")
    except FAILURES:
        return DOUBT
    return Completion.success(handle="A17")


@broken(shop(at_most_once("shipment"), follow_ups=("And the invoice?",)), "AF101", "AF102", "AF216")
def starts_from_the_beginning(world: World) -> Completion:
    """The bug: each message of the user runs the whole task."""
    try:
        world.tools.charge(order_id="A17", cents=4200, idempotency_key=f"leg-{world.leg}")
    except FAILURES:
        return DOUBT
    return DONE


@broken(bank(no_effect_after_cancel(), cancel_report(), faults=("cancel",)), "AF310", "AF311")
def finishes_the_batch_first(world: World) -> Completion:
    """The bug: the token is looked at before the first row, and when all rows are paid."""
    if world.cancelled:
        return Completion.cancelled()
    for row in (1, 2, 3):
        with suppress(*FAILURES):
            world.tools.pay_out(row=row, cents=5, idempotency_key=f"r{row}")
    if world.cancelled:
        return Completion.cancelled()
    return Completion.partial(reason="unverified", handle="B")


@broken(bank(truthful(), exactly_once("payout")), "AF103", "AF301", "AF105")
async def gathers_the_exceptions(world: World) -> Completion:
    """The bug: return_exceptions=True, and nobody looks."""
    jobs = [
        world.acall("pay_out", {"row": row, "cents": 5, "idempotency_key": f"r{row}"})
        for row in range(3)
    ]
    await asyncio.gather(*jobs, return_exceptions=True)
    return Completion.success(handle="B")


@broken(shop(at_most_once("charge"), dedup="none"), "AF101", exclude=("twice",))
async def gives_up_early_and_calls_again(world: World) -> Completion:
    """The bug: wait_for cancels the waiting, not the charge."""
    for _ in range(2):
        try:
            await asyncio.wait_for(world.acall("charge", {"order_id": "A17", "cents": 4200}), 10)
            return DONE
        except FAILURES:
            continue
    return DOUBT


# Around a model -----------------------------------------------------------------------------


def chat(world: World, *, key: bool = False, shown: Any = json.dumps, turns: int = 8) -> str:
    """A common loop: what the model said last."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": world.task}]
    text = ""
    for _ in range(turns):
        turn = world.model(messages, list(world.tools))
        messages.append(turn)
        text = turn["content"] or text
        if not turn["tool_calls"]:
            break
        for each in turn["tool_calls"]:
            if each["name"] == "done":
                return "done"
            arguments = dict(each["arguments"])
            if key:
                arguments["idempotency_key"] = each["id"]
            try:
                reply = world.call(each["name"], arguments, asked=each["id"])
            except Exception as error:
                reply = {"error": str(error)}
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": shown(reply)})
    return text


CHARGE = [("charge", {"order_id": "A17", "cents": 4200}), "Charged, all done."]


@broken(shop(script=CHARGE), "AF101")
def runs_it_again_unless_it_says_done(world: World) -> Completion:
    """The bug: a regular expression reads the model's closing, and another run is made."""
    for _ in range(3):
        with suppress(ModelError, *LOST):
            if re.search(r"\b(done|complete)\b", chat(world, key=True), re.I):
                return DONE
    return DOUBT


@broken(shop(key_not_from_model(), script=CHARGE), "AF113", "AF101")
def keys_by_call_id(world: World) -> Completion:
    """The bug: the key is the id of the model's call."""
    try:
        chat(world, key=True)
    except (ModelError, *LOST):
        return DOUBT
    return DONE


@broken(desk(truthful(), exactly_once("reply")), "AF103", "AF301", "AF105")
def believes_the_closing(world: World) -> Completion:
    """The bug: the model said that it is done."""
    try:
        said = chat(world)
    except (ModelError, *LOST):
        return DOUBT
    return Completion.success(handle="7") if said else DOUBT


@broken(desk(errors_surface()), "AF411")
def shows_every_failure_as_ok(world: World) -> Completion:
    """The bug: an error is shown to the model as an empty result."""
    try:
        chat(world, shown=lambda reply: "{}" if "error" in reply else json.dumps(reply))
    except (ModelError, *LOST):
        return DOUBT
    return Completion.success(handle="7")


@broken(desk(receipts_shown()), "AF406", "AF404", "AF105", "AF101")
def shows_nothing(world: World) -> Completion:
    """The bug: results are never shown to the model."""
    try:
        chat(world, shown=lambda reply: "")
    except (ModelError, *LOST):
        return DOUBT
    return Completion.partial(reason="unverified", handle="7")


@broken(shop(no_act_on_cut_reply(), script=CHARGE), "AF208", "AF209")
def hands_on_half_a_turn(world: World) -> Completion:
    """The bug: it never looks at why the model stopped, and hands on what there is."""
    try:
        said = chat(world)
    except (ModelError, *LOST):
        return DOUBT
    return Completion.success(detail=said)


@broken(desk(budget_is_not_success(), text_has_no_authority()), "AF308", "AF304", "AF105")
def out_of_turns_is_done(world: World) -> Completion:
    """The bug: the turns are used up, and that is an end like any other."""
    try:
        chat(world, turns=5)
    except (ModelError, *LOST):
        return DOUBT
    return Completion.success(handle="7")


@broken(shop(no_redo(), resume=True, dedup="none"), "AF216", "AF101", exclude=("twice",))
def forgets_that_it_has_answered(world: World) -> Completion:
    """The bug: nothing of its end is saved."""
    try:
        world.tools.charge(order_id="A17", cents=4200)
    except FAILURES:
        return DOUBT
    return DONE
