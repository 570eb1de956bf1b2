"""The release whose steps overtook each other.

The model asks for three calls in one turn: migrate the database, deploy the build, announce it. The
loop sends them side by side, as its framework does by default, and tells the results in the order
of the turn, so every log looks right. In every test they also happen in that order. Then one of
them is held up on its way, or its reply is lost and it arrives a minute later; and the new code has
met the old tables.

Rows: B50.
"""

import asyncio

from agentfuzz import (
    Completion,
    RateLimited,
    World,
    exactly_once,
    in_order,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, RateLimited)
TURN = ("migrate", "deploy", "announce")


@scenario(
    in_order("migration", "deployment", "mail"),
    exactly_once("migration", intents=[{"release": "r7"}]),
    exactly_once("deployment", intents=[{"release": "r7"}]),
    exactly_once("mail", intents=[{"release": "r7"}]),
    structured_termination(),
    truthful(),
    task="Release r7: migrate the database, deploy, and tell everybody.",
)
def ordered_effects(world: World) -> None:
    @world.tool(effect="migration", scope=("release",), dedup="key")
    def migrate(release: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Change the tables."""
        return {"migrate": release}

    @world.tool(effect="deployment", scope=("release",), dedup="key")
    def deploy(release: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Start the new code."""
        return {"deploy": release}

    @world.tool(effect="mail", scope=("release",), dedup="key")
    def announce(release: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Tell everybody."""
        return {"announce": release}


async def sure(world: World, tool: str) -> bool:
    """Three attempts with one key, and whether the receipt came."""
    for _ in range(3):
        try:
            reply = await world.tools.aio[tool](release="r7", idempotency_key=f"r7:{tool}")
        except FAILURES:
            continue
        if reply == {tool: "r7"}:
            return True
    return False


def ending(results: list[bool]) -> Completion:
    """What the results, in the order of the turn, come to."""
    if all(results):
        return Completion.success(handle="r7")
    return Completion.blocked(reason="outcome_unknown", handle="r7")


async def all_at_once(world: World) -> Completion:
    """Victim: the calls of a turn side by side."""
    return ending(await asyncio.gather(*(sure(world, tool) for tool in TURN)))


async def whatever_comes_of_it(world: World) -> Completion:
    """Victim: one after the other, each tried once; what is not answered will not have happened."""
    results = []
    for tool in TURN:
        try:
            reply = await world.tools.aio[tool](release="r7", idempotency_key=f"r7:{tool}")
        except FAILURES:
            reply = None
        results.append(reply == {tool: "r7"})
    return ending(results)


async def one_receipt_after_the_other(world: World) -> Completion:
    """Survivor: the next step is sent when the receipt of the one before is there."""
    for tool in TURN:
        if not await sure(world, tool):
            return Completion.blocked(reason="outcome_unknown", handle="r7")
    return Completion.success(handle="r7")


VICTIMS = {
    all_at_once: ("AF115",),
    whatever_comes_of_it: ("AF115",),
}
SURVIVORS = (one_receipt_after_the_other,)
