"""The checkpoint that was half written, or acknowledged and lost.

Three suppliers are paid by a job that saves where it stands and is started again when it dies.
It is safe against a death at any step. But the process also dies in the midst of a save, and half
of the record is there; or the save was acknowledged by a cache that nobody had flushed, and the
next leg finds the record before it. Whoever believes what he finds pays twice, or forgets. A record
that says of itself whether it is whole, and keys that follow from the task alone, need nothing
else.

Source: arXiv 2608.03836 (the resume contract).

Rows: B44.
"""

import json
from uuid import uuid4
from zlib import crc32

from agentfuzz import (
    Completion,
    RateLimited,
    World,
    exactly_once,
    scenario,
    structured_termination,
    truthful,
)

SUPPLIERS = ["S1", "S2", "S3"]
FAILURES = (TimeoutError, ConnectionError, RateLimited)


@scenario(
    exactly_once("payout", intents=[{"supplier": name} for name in SUPPLIERS]),
    structured_termination(),
    truthful(),
    task="Pay the three suppliers.",
    resume=True,
    faults=("torn", "stale"),
)
def half_a_checkpoint(world: World) -> None:
    @world.tool(effect="payout", scope=("supplier",), dedup="key")
    def pay(supplier: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Pay a supplier."""
        return {"payout_id": f"po_{supplier}"}


def paid(world: World, supplier: str, key: str) -> bool:
    """Three attempts with one key, and whether the receipt came."""
    for _ in range(3):
        try:
            reply = world.tools.pay(supplier=supplier, idempotency_key=key)
        except FAILURES:
            continue
        if isinstance(reply, dict) and isinstance(reply.get("payout_id"), str):
            return True
    return False


def stuck(supplier: str) -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle=supplier)


def saves_the_key_ahead(world: World) -> Completion:
    """Victim: the key of each payout is saved before it is used, and a save that was acknowledged
    is taken for one that is there."""
    step = world.store.get("step") or {"at": 0, "key": ""}
    while (at := step.get("at", 0)) < len(SUPPLIERS):
        if not step.get("key"):
            step = world.store["step"] = {"at": at, "key": str(uuid4())}
        if not paid(world, SUPPLIERS[at], step["key"]):
            return stuck(SUPPLIERS[at])
        step = {"at": at + 1, "key": ""}
    return Completion.success(handle="all")


def saves_what_is_open(world: World) -> Completion:
    """Victim: whatever list it finds is the list of what is left to do."""
    if "open" not in world.store:
        world.store["open"] = SUPPLIERS
    while left := world.store["open"]:
        if not paid(world, left[0], f"{world.trigger_id}:{left[0]}"):
            return stuck(left[0])
        world.store["open"] = left[1:]
    return Completion.success(handle="all")


def checks_what_it_finds(world: World) -> Completion:
    """Survivor: a record that is not whole is thrown away, and what it stood for is done again,
    under keys that the backend knows."""
    for supplier in _found(world):
        if not paid(world, supplier, f"{world.trigger_id}:{supplier}"):
            return stuck(supplier)
        left = SUPPLIERS[SUPPLIERS.index(supplier) + 1 :]
        world.store["open"] = {"open": left, "sum": _sum(left)}
    return Completion.success(handle="all")


def _found(world: World) -> list[str]:
    record = world.store.get("open") or {}
    left = record.get("open")
    return left if left is not None and record.get("sum") == _sum(left) else SUPPLIERS


def _sum(left: list[str]) -> int:
    return crc32(json.dumps(left).encode())


VICTIMS = {
    saves_the_key_ahead: ("AF101",),
    saves_what_is_open: ("AF103", "AF301"),
}
SURVIVORS = (checks_what_it_finds,)
