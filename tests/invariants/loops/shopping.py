"""One order to be charged and shipped, by a plain loop with a model, or by one without.

Law: what the loop is told, shown and allowed is given to it; a flaw is one argument. Called by the
tests of the laws of limits, logs, errors and memory.
"""

import asyncio
from contextlib import suppress

from agentfuzz import Completion, ModelError, ToolError, World, scenario
from agentfuzz.world.reply_faults import as_text

FAULTS = (TimeoutError, ConnectionError, ToolError)
MODEL_FAULTS = (ModelError, TimeoutError, ConnectionError)
DONE = Completion.success(handle="A17")
UNKNOWN = Completion.blocked(reason="outcome_unknown", handle="A17")
OVER = Completion.partial(reason="budget_exhausted")


@scenario(
    task="Charge and ship order A17.",
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


@scenario(task="Charge order A17.")
def order(world: World) -> None:
    """An order is charged."""
    shop.build(world)


async def has_a_deadline(world: World) -> Completion:
    """Survivor: two attempts, of twenty seconds each."""
    for wait in (60, 0):
        with suppress(*FAULTS):
            async with asyncio.timeout(20):
                await world.tools.aio.charge_card(order_id="A17")
            return DONE
        await asyncio.sleep(wait)
    return UNKNOWN
