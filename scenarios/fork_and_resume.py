"""The checkpoint from which a run was resumed twice.

A shop's agent prepares a refund, saves where it stands, and waits for a click. The click names the
checkpoint to go on from, as the resume commands of agent frameworks do. It comes twice: once more
afterwards, or while the first one is at work. Each time the checkpoint is found as it was, and each
branch pays the refund and writes to the customer, with keys of its own. To load a checkpoint is not
to use it up.

Rows: B43.
"""

from agentfuzz import (
    Completion,
    RateLimited,
    World,
    consume_once,
    exactly_once,
    grants_are_used,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, RateLimited)
STEPS = {"refund": "refund_id", "write": "mail_id"}


@scenario(
    consume_once(),
    exactly_once("refund", intents=[{"order_id": "A17"}]),
    exactly_once("mail", intents=[{"order_id": "A17"}]),
    grants_are_used(),
    structured_termination(),
    truthful(),
    task="Refund order A17, once somebody has approved it, and tell the customer.",
)
def fork_and_resume(world: World) -> None:
    @world.tool(effect="refund", scope=("order_id",), dedup="key")
    def refund(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Give the money back."""
        return {"refund_id": f"re_{order_id}"}

    @world.tool(effect="mail", scope=("order_id",), dedup="key")
    def write(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Tell the customer."""
        return {"mail_id": f"mail_{order_id}"}


def ask(world: World) -> Completion:
    """The first leg: save where the run stands, and ask."""
    world.store["checkpoint_1"] = {"order_id": "A17", "next": list(STEPS)}
    world.request_approval("refund", call="refund_A17")
    return Completion.blocked(reason="needs_approval", handle="A17")


def sure(world: World, tool: str, order: str, key: str) -> bool:
    """Three attempts with one key, and whether the receipt came."""
    for _ in range(3):
        try:
            reply = world.call(
                tool, {"order_id": order, "idempotency_key": key}, asked=f"{tool}_{order}"
            )
        except FAILURES:
            continue
        if isinstance(reply, dict) and isinstance(reply.get(STEPS[tool]), str):
            return True
    return False


def go_on(world: World, branch: str) -> Completion:
    """All that the checkpoint says is still to be done."""
    saved = world.store["checkpoint_1"]
    for tool in saved["next"]:
        if not sure(world, tool, saved["order_id"], f"{branch}:{tool}"):
            return Completion.blocked(reason="outcome_unknown", handle=saved["order_id"])
    return Completion.success(handle=saved["order_id"])


def refused(world: World) -> Completion | None:
    """How the run ends without a yes."""
    if world.decision is not None and world.decision.granted:
        return None
    return Completion.failed(reason="rejected", handle="A17")


def branches(world: World) -> Completion:
    """Victim: each click goes on from the checkpoint that it names, as a branch of its own."""
    if world.decision is None:
        return ask(world)
    return refused(world) or go_on(world, f"branch-{world.leg}")


def marks_it_at_the_end(world: World) -> Completion:
    """Victim: marks the checkpoint as used, once all is done; a second click comes before that."""
    if world.decision is None:
        return ask(world)
    if "ended" in world.store:
        return Completion(**world.store["ended"])
    ending = refused(world) or go_on(world, f"branch-{world.leg}")
    world.store["ended"] = ending.model_dump()
    return ending


def uses_it_up(world: World) -> Completion:
    """Survivor: takes the checkpoint in one step; who comes later tells what came of it."""
    decision = world.decision
    if decision is None:
        return ask(world)
    if decision.granted is None:
        return Completion.blocked(reason="needs_approval", handle="A17")
    if not world.store.claim("used", decision.granted):
        if "ended" in world.store:
            return Completion(**world.store["ended"])
        return Completion.blocked(reason="other", handle="A17", detail="another branch is at it")
    ending = refused(world) or go_on(world, "checkpoint_1")
    world.store["ended"] = ending.model_dump()
    return ending


VICTIMS = {
    branches: ("AF101", "AF418"),
    marks_it_at_the_end: ("AF101", "AF418"),
}
SURVIVORS = (uses_it_up,)
