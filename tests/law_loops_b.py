"""Loops for the laws of cancelling, endings, logs and memory: each victim has one flaw, and beside
it stands the loop that does without it.

Law: a victim says in one line what its flaw is. Called by `test_law_victims_b`.
"""

import asyncio
from contextlib import suppress

from agentfuzz import Completion, ModelError, ToolError, World, scenario
from agentfuzz.scenarios import cancel_campaign
from agentfuzz.world.reply_faults import as_text

FAULTS = (TimeoutError, ConnectionError, ToolError)
MODEL_FAULTS = (ModelError, TimeoutError, ConnectionError)
DONE = Completion.success(handle="A17")
UNKNOWN = Completion.blocked(reason="outcome_unknown", handle="A17")
OVER = Completion.partial(reason="budget_exhausted")
SHOPPING = "Charge and ship order A17."
WINDOW = 4


def mails(world: World, *, looks_each_time: bool) -> Completion:
    """A sync loop that polls the token: before each mail, or once before the first."""
    sent: list[str] = []
    stopped = world.cancelled
    for name in cancel_campaign.CUSTOMERS:
        stopped = world.cancelled if looks_each_time else stopped
        if stopped:
            break
        try:
            world.tools.send_mail(customer=name, idempotency_key=name)
        except FAULTS:
            return UNKNOWN
        sent.append(name)
    return Completion.cancelled(handle=", ".join(sent)) if world.cancelled else DONE


def looks_once(world: World) -> Completion:
    """Victim."""
    return mails(world, looks_each_time=False)


def looks_each_time(world: World) -> Completion:
    """Survivor."""
    return mails(world, looks_each_time=True)


@scenario(
    task=SHOPPING,
    script=[
        ("charge_card", {"order_id": "A17"}),
        ("ship", {"order_id": "A17"}),
        "It is on its way.",
    ],
)
def shop(world: World) -> None:
    """An order is charged and shipped."""

    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge_card(order_id: str) -> dict:
        return {"charge_id": f"ch_{order_id}"}

    @world.tool(effect="shipment", scope=("order_id",), dedup="scope")
    def ship(order_id: str) -> dict:
        return {"parcel": f"p_{order_id}"}


def talk(
    world: World,
    *,
    turns: int = 8,
    over: Completion = OVER,
    tell=lambda error: f"Error: {error}",
    shorten=lambda messages: messages,
) -> Completion:
    """A plain loop: `turns` at most, and then it is `over`; `tell` is what the model is told of an
    error, `shorten` what it is shown of the conversation."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    receipts: set[str] = set()
    for _ in range(turns):
        try:
            turn = world.model(shorten(messages), list(world.tools))
        except MODEL_FAULTS:
            return Completion.blocked(reason="dependency_unavailable")
        if turn["stop"] not in ("end", "tool_calls"):
            return Completion.partial(reason="unverified")
        messages.append(turn)
        if not turn["tool_calls"]:
            return DONE if receipts == {"charge_card", "ship"} else UNKNOWN
        for one in turn["tool_calls"]:
            try:
                if not isinstance(one["arguments"], dict):
                    raise ToolError("the arguments are no JSON object")
                text = as_text(world.call(one["name"], one["arguments"], asked=one["id"]))
                receipts |= {one["name"]} if "_A17" in text else set()
            except FAULTS as error:
                text = tell(error)
            messages.append({"role": "tool", "tool_call_id": one["id"], "content": text})
    return over


def done_at_the_limit(world: World) -> Completion:
    """Victim: three turns are enough, and whoever gets through them is done."""
    return talk(world, turns=3, over=DONE)


def says_it_was_the_limit(world: World) -> Completion:
    """Survivor."""
    return talk(world, turns=3)


@scenario(task="Charge order A17.")
def order(world: World) -> None:
    """An order is charged."""
    shop.build(world)


@scenario(task="Charge order A17.")
def hanging_order(world: World) -> None:
    """An order is charged, and a lost reply is never missed by itself."""
    shop.build(world)
    world.raise_as(timeout="hang")


async def waits_an_hour(world: World) -> Completion:
    """Victim: a failure is tried again when the other side has had time to recover."""
    for _ in range(3):
        try:
            await world.tools.aio.charge_card(order_id="A17")
            return DONE
        except FAULTS:
            await asyncio.sleep(3600)
    return UNKNOWN


async def waits_for_ever(world: World) -> Completion:
    """Victim: no deadline."""
    await world.tools.aio.charge_card(order_id="A17")
    return DONE


async def has_a_deadline(world: World) -> Completion:
    """Survivor: two attempts, of twenty seconds each."""
    for wait in (60, 0):
        with suppress(*FAULTS):
            async with asyncio.timeout(20):
                await world.tools.aio.charge_card(order_id="A17")
            return DONE
        await asyncio.sleep(wait)
    return UNKNOWN


def asks_on(world: World) -> Completion:
    """Victim: a limit, and nothing that notices that nothing comes of it."""
    return talk(world, turns=12)


def asks_four_times(world: World) -> Completion:
    """Survivor."""
    return talk(world, turns=4)


def sdk(world: World, *, logs_attempts: bool) -> dict:
    """A loop that hands on its log, and an SDK that tries each request twice."""
    log: list[str] = []
    for tool in ("charge_card", "ship"):
        log += [] if logs_attempts else [tool]
        for _ in range(2):
            log += [tool] if logs_attempts else []
            try:
                world.tools[tool](order_id="A17")
                break
            except FAULTS:
                continue
    return {"calls": log}


def logs_requests(world: World) -> dict:
    """Victim: one line for each request, above the SDK."""
    return sdk(world, logs_attempts=False)


def logs_attempts(world: World) -> dict:
    """Survivor: one line for each attempt, where it leaves."""
    return sdk(world, logs_attempts=True)


def last_four(messages: list[dict]) -> list[dict]:
    """The task and the last four messages: two calls with their results."""
    return [*messages[:1], *messages[1:][-WINDOW:]]


def results_and_last_four(messages: list[dict]) -> list[dict]:
    """The same, and every call whose result was no error."""
    results = [message for message in messages if message["role"] == "tool"]
    kept = {one["tool_call_id"] for one in results if not one["content"].startswith("Error")}
    kept |= {one["tool_call_id"] for one in results if one in messages[-WINDOW:]}
    return [
        message
        for message in messages
        if message["role"] == "user"
        or message.get("tool_call_id") in kept
        or any(one["id"] in kept for one in message.get("tool_calls", ()))
    ]


def forgets(world: World) -> Completion:
    """Victim: a window over the conversation."""
    return talk(world, shorten=last_four)


def remembers(world: World) -> Completion:
    """Survivor: what was done outlives the window."""
    return talk(world, shorten=results_and_last_four)
