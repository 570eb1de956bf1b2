"""The child that pays and dies before it can say so.

A lead begins a child for each of two payouts. One pays, and dies before it answers; all that the
lead sees is a child that is gone, so it begins another one. That one is new: it has a name of its
own, a run of its own and a key of its own, and pays again. Whoever begins no other one leaves a
payout unsaid. What helps is a key that belongs to the payout, and not to whoever is at it.

Source: Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
Rows: F05.
"""

import asyncio
from collections.abc import Callable

from agentfuzz import (
    Completion,
    ToolError,
    World,
    at_most_once,
    joins_all,
    same_key_on_retry,
    scenario,
    structured_termination,
    truthful,
)

FAULTS = (TimeoutError, ConnectionError, ToolError)
NAMES = ("ann", "bob")
PATIENCE = 150.0  # seconds for which a child is waited for


@scenario(
    at_most_once(),
    same_key_on_retry(),
    joins_all(),
    structured_termination(),
    truthful(),
    task="Pay Ann and Bob.",
)
def child_dies(world: World) -> None:
    @world.tool(effect="payout", scope=("to",), dedup="key")
    def pay_out(to: str, cents: int, idempotency_key: str | None = None) -> dict[str, object]:
        """Pay somebody."""
        return {"payout_id": f"po_{to}"}


def of_the_payout(world: World, name: str) -> str:
    return f"{world.trigger_id}:{name}"


def of_the_child(world: World, name: str) -> str:
    return f"{world.agent}:{name}"


async def payer(world: World, name: str, key_of: Callable[[World, str], str]) -> bool:
    """Three attempts with one key, and whether the receipt came."""
    key = key_of(world, name)
    for _ in range(3):
        try:
            reply = await world.tools.aio.pay_out(to=name, cents=500, idempotency_key=key)
        except FAULTS:
            continue
        if reply == {"payout_id": f"po_{name}"}:
            return True
    return False


async def paid(world: World, name: str, key_of, children: int) -> bool:
    """Whether a child says that it has paid; one that is gone, or late, has so many successors."""
    for _ in range(children):
        child = world.spawn(f"payer_of_{name}", payer, world, name, key_of)
        try:
            return await asyncio.wait_for(child, PATIENCE)
        except FAULTS:
            continue
        finally:
            child.cancel()
    return False


async def payday(world: World, key_of=of_the_payout, children: int = 2) -> Completion:
    """Everybody is paid; who is not, or not for certain, is named."""
    with world.acting("lead"):
        done = await asyncio.gather(*(paid(world, name, key_of, children) for name in NAMES))
    unsure = [name for name, known in zip(NAMES, done, strict=True) if not known]
    if unsure:
        return Completion.blocked(reason="outcome_unknown", handle=", ".join(unsure))
    return Completion.success(handle=", ".join(NAMES))


async def key_of_its_own(world: World) -> Completion:
    """Victim: the second child is another one, with another key."""
    return await payday(world, key_of=of_the_child)


async def counts_on_it(world: World) -> Completion:
    """Victim: a child that was begun has paid."""
    await payday(world, children=1)
    return Completion.success(handle=", ".join(NAMES))


async def key_of_the_payout(world: World) -> Completion:
    """Survivor: whoever pays Ann does so with Ann's key."""
    return await payday(world)


VICTIMS = {
    key_of_its_own: ("AF101", "AF106"),
    counts_on_it: ("AF301", "AF703"),
}
SURVIVORS = (key_of_the_payout,)
