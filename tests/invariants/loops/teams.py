"""Teams that refund one order: a lead hands the task over, another agent carries it out.

Law: agents are deterministic, and keep the laws of handoffs unless they say which one they break.
Called by the tests of the laws of handoffs.
"""

from collections.abc import Iterable
from typing import Any

from agentfuzz import Claim, Completion, Payload, Scenario, ToolError, World, scenario

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked(reason="outcome_unknown")
ORDER = {"order_id": "A17"}


def refunds(*laws: Any, dedup: Any = "key", team: Iterable[str] = ("lead", "billing")) -> Scenario:
    """Refunding an order, mailing its customer, and looking it up; the agents of the team."""

    @scenario(*laws, task="Refund order A17.")
    def refunds(world: World) -> None:
        world.agents(*team)

        @world.tool(effect="refund", scope=("order_id",), dedup=dedup)
        def refund(order_id: str, amount: int = 42, idempotency_key: str | None = None) -> dict:
            return {"refund_id": f"re_{order_id}"}

        @world.tool(effect="mail", scope=("order_id",), dedup=dedup)
        def mail(order_id: str, text: str = "", idempotency_key: str | None = None) -> dict:
            return {"mail_id": f"ma_{order_id}"}

        @world.tool
        def find(order_id: str) -> dict:
            return {"order_id": order_id, "amount": 42}

    return refunds


def payload(version: int = 1, **fields: Any) -> Payload:
    """What the lead hands over."""
    given = {"task": "refund", "owner": "billing", "carry": ORDER, **fields}
    return Payload(version=version, **given)


def pays(world: World, order: str = "A17", tool: str = "refund", **arguments: Any) -> bool:
    """Three times, with one key; whether it was answered well."""
    for _ in range(3):
        try:
            keyed = {"order_id": order, "idempotency_key": f"{tool}-{order}", **arguments}
            if f"{tool[:2]}_{order}" in str(world.call(tool, keyed)):
                return True
        except FAULTS:
            continue
    return False


def fits(handed: Any, seen: dict[str, int], agent: str = "billing") -> str:
    """What is wrong with a handoff, or nothing: its type, whom it is for, its version."""
    try:
        read = handed.read()
    except ValueError:
        return "invalid"
    if read.owner != agent:
        return "not for me"
    if read.version <= seen.get(read.task, 0):
        return "not newer"
    return "" if read.carry.get("order_id") else "which order?"


def works(world: World, seen: dict[str, int], agent: str = "billing", tool: str = "refund") -> None:
    """A careful receiver: rejects what does not fit, accepts, then acts."""
    with world.acting(agent):
        for handed in world.inbox_of(agent):
            problem = fits(handed, seen, agent)
            if problem:
                handed.reject(problem)
                continue
            seen[handed.payload["task"]] = handed.payload["version"]
            handed.accept()
            pays(world, handed.payload["carry"]["order_id"], tool)


def claim(world: World, source: str = "call_1") -> Claim:
    """What the lead has found."""
    return Claim(item="amount", value=world.tools.find(order_id="A17")["amount"], source=source)
