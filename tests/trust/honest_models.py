"""Honest loops around a model, and loops by well-known libraries for retries.

Law: none of them has a bug that its world could show; whatever the model says, the receipts
decide.
"""

import json
from typing import Any

import stamina
import tenacity

from agentfuzz import (
    Completion,
    ModelError,
    World,
    effects_remembered,
    errors_surface,
    exactly_once,
    executed_as_asked,
    limits_hold,
    no_act_on_cut_reply,
    receipts_shown,
    results_paired,
    same_key_on_retry,
    structured_termination,
    text_has_no_authority,
    truthful,
    unknown_is_not_failed,
)

from .loops import FAILURES, LOST, honest
from .shops import desk, shop

DOUBT = Completion.blocked(reason="outcome_unknown")
GOOD = {
    "reply_to_customer": {"message_id": "m7"},
    "close_ticket": {"number": 7, "state": "closed"},
}


def as_text(reply: object) -> str:
    return reply if isinstance(reply, str) else json.dumps(reply)


def ticket_loop(world: World, show: Any = as_text, turns: int = 10) -> set[str]:
    """Asks the model until it closes, executes what it asks for, and shows it all that came of
    it. Which effects it has receipts for."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": world.task}]
    receipts: set[str] = set()
    for _ in range(turns):
        try:
            turn = world.model(messages, list(world.tools))
        except (ModelError, *LOST):
            return receipts
        messages.append(turn)
        if turn["stop"] not in ("tool_calls", "end"):
            messages.pop()  # cut off: nothing of it is carried out, and it is asked for again
            continue
        if all(each["name"] == "done" for each in turn["tool_calls"]):
            return receipts
        unique = {each["id"]: each for each in turn["tool_calls"]}  # one result for each id
        for each in unique.values():
            if each["name"] == "done":  # beside other calls it says nothing yet
                refused = {"role": "tool", "tool_call_id": each["id"], "content": "Not yet."}
                messages.append(refused)
                continue
            try:
                reply = world.call(each["name"], each["arguments"], asked=each["id"])
            except Exception as error:
                text = f"Error: {type(error).__name__}: {error}"
            else:
                text = show(reply)
                if each["name"] in GOOD and reply == GOOD[each["name"]]:
                    receipts.add(each["name"])
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    return receipts


def by_receipts(receipts: set[str]) -> Completion:
    if receipts == set(GOOD):
        return Completion.success(handle="7")
    if receipts:
        return Completion.partial(reason="some_effects_missing", handle=", ".join(sorted(receipts)))
    return DOUBT


@honest(desk(exactly_once("reply"), truthful(), results_paired(), receipts_shown()))
def resolves_a_ticket(world: World) -> Completion:
    """Success is what the receipts say."""
    return by_receipts(ticket_loop(world))


@honest(desk(errors_surface(), effects_remembered(), no_act_on_cut_reply()))
def shows_python_dicts(world: World) -> Completion:
    """The model reads `str(dict)`, as in many loops."""
    return by_receipts(ticket_loop(world, str))


@honest(desk(receipts_shown(), text_has_no_authority()))
def trims_long_results(world: World) -> Completion:
    """No result is longer than 400 characters in the model's input."""
    return by_receipts(ticket_loop(world, lambda reply: as_text(reply)[:400]))


@honest(desk(executed_as_asked(), limits_hold(turns=6), structured_termination()))
def keeps_to_six_turns(world: World) -> Completion:
    """A limit, and an ending that says what was not reached."""
    return by_receipts(ticket_loop(world, turns=6))


@honest(desk(unknown_is_not_failed()))
def hands_over_what_it_cannot_close(world: World) -> Completion:
    """Escalates: a person gets the ticket, and the ending is blocked."""
    receipts = ticket_loop(world)
    if receipts == set(GOOD):
        return Completion.success(handle="7")
    try:
        world.tools.hand_to_person(number=7)
    except FAILURES:
        return DOUBT
    return Completion.blocked(reason="needs_input", handle="7")


@honest(shop(exactly_once("charge"), same_key_on_retry()))
def retries_by_tenacity(world: World) -> Completion:
    """tenacity, exponential back-off, three attempts, the key outside of the retried function."""
    key = f"{world.trigger_id}:A17"

    @tenacity.retry(
        stop=tenacity.stop_after_attempt(3),
        wait=tenacity.wait_exponential(multiplier=1, max=10),
        retry=tenacity.retry_if_exception_type(FAILURES),
        reraise=True,
    )
    def charge() -> Any:
        return world.tools.charge(order_id="A17", cents=4200, idempotency_key=key)

    try:
        receipt = charge()
    except FAILURES:
        return DOUBT
    done = receipt == {"charge_id": "ch_A17", "cents": 4200}
    return Completion.success(handle="ch_A17") if done else DOUBT


@honest(shop(exactly_once("charge")))
async def retries_by_stamina(world: World) -> Completion:
    """stamina, async, with its jitter."""
    try:
        async for attempt in stamina.retry_context(on=FAILURES, attempts=3):
            with attempt:
                receipt = await world.acall(
                    "charge", {"order_id": "A17", "cents": 4200, "idempotency_key": "A17"}
                )
    except FAILURES:
        return DOUBT
    done = receipt == {"charge_id": "ch_A17", "cents": 4200}
    return Completion.success(handle="ch_A17") if done else DOUBT


@honest(shop(truthful(), outcome=lambda answer: Completion.success() if answer == "ok" else DOUBT))
def answers_in_words(world: World) -> str:
    """A text that `outcome=` reads."""
    try:
        reply = world.tools.ship(order_id="A17")
    except FAILURES:
        return "I do not know whether it was shipped."
    return "ok" if reply == {"parcel": "p_A17"} else "I could not read the answer."
