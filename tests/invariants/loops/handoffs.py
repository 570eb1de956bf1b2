"""Loops of two agents: a lead that hands a refund over, and a desk that carries it out.

Law: what the desk takes it takes once, and only as it was meant. Called by the tests of the laws of
handoffs.
"""

from agentfuzz import Completion, Invariant, Payload, Scenario, ToolError, World, scenario

FAULTS = (TimeoutError, ConnectionError, ToolError)
LIMIT = {"limit": 50}
UNKNOWN = Completion.blocked(reason="outcome_unknown")


def refunds(*laws: Invariant, resume: bool = False) -> Scenario:
    """A tool that refunds an order, and one that looks up whether it is refunded."""

    @scenario(*laws, task="Refund A17, at most 50.", max_crossings=200, resume=resume)
    def refunds(world: World) -> None:
        world.agents("lead", "desk", "third")
        refunded = world.state.setdefault("refunded", [])

        @world.tool(effect="refund", scope=("order_id",), dedup="key")
        def refund(order_id: str, limit: int = 50) -> dict:
            refunded.append(order_id)
            return {"refund_id": f"re_{order_id}"}

        @world.tool
        def find(order_id: str) -> dict:
            return {"order_id": order_id, "refunded": order_id in refunded}

    return refunds


def wanted(version: int = 1, owner: str = "desk", **fields: object) -> Payload:
    """What the lead hands over: the limit is said twice."""
    said = {"task": "A17", "carry": LIMIT, "text": "limit=50", **fields}
    return Payload(version=version, owner=owner, **said)


def refunded(world: World, order: str = "A17") -> bool:
    """Whether it was refunded, by one key, and is known to be."""
    for _ in range(3):
        try:
            reply = world.tools.refund(order_id=order, idempotency_key=f"refund-{order}")
        except FAULTS:
            continue
        if reply == {"refund_id": f"re_{order}"}:
            return True
    return False


def is_refunded(world: World, order: str = "A17") -> bool:
    """Whether the backend says so."""
    try:
        return world.tools.find(order_id=order) == {"order_id": order, "refunded": True}
    except FAULTS:
        return False


def receives(world: World, agent: str, order: str = "A17") -> bool:
    """A desk takes what lies there: each task and version once, and only as it was meant. Whether
    it took something over, and all of it is done."""
    done: list[bool] = []
    with world.acting(agent):
        for handed in world.inbox_of(agent):
            if (why := problem(world, handed)) is not None:
                handed.reject(why)
                continue
            handed.accept()
            done.append(refunded(world, order))
    return bool(done) and all(done)


def problem(world: World, handed: object) -> str | None:
    """Why a handoff is not to be taken over, or None."""
    try:
        payload = handed.read()
    except ValueError:
        return "no payload"
    if payload.owner not in ("", handed.agent):
        return "for somebody else"
    if dict(payload.carry) != LIMIT or payload.text != "limit=50":
        return "the limit is not clear"
    if not world.store.claim(f"{payload.task}/{payload.version}", handed.id):
        return "known"
    return None
