"""The tool that was there when the plan was made, and is not when it is carried out.

A server of tools is updated in the middle of a task: `refund_order` is gone, and `cancel_order`
still there. The agent has planned with the old list. Its loop may take the 404 for a hiccup, for a
detail that the customer need not know, or for a riddle, and solve it with the tool of the nearest
name, which does something else.

Rows: B46.
"""

from difflib import get_close_matches

from agentfuzz import (
    Completion,
    RateLimited,
    UnknownTool,
    World,
    at_most_once,
    only_tools,
    retry_budget,
    scenario,
    structured_termination,
    truthful,
    valid_calls,
)

FAILURES = (TimeoutError, ConnectionError, RateLimited)
PLAN = {"refund_order": "refund_id", "tell_customer": "mail_id"}


@scenario(
    valid_calls(),
    only_tools(*PLAN),
    at_most_once("refund"),
    at_most_once("mail"),
    retry_budget(attempts=3),
    structured_termination(),
    truthful(),
    task="Refund order A17, and tell the customer.",
    faults=("lost/gone",),
)
def tools_change(world: World) -> None:
    @world.tool(effect="refund", scope=("order_id",), dedup="key")
    def refund_order(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Give the money of an order back."""
        return {"refund_id": f"re_{order_id}"}

    @world.tool(effect="cancellation", scope=("order_id",), dedup="key")
    def cancel_order(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Cancel an order: nothing will be delivered."""
        return {"cancelled": order_id}

    @world.tool(effect="mail", scope=("order_id",), dedup="key")
    def tell_customer(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Write to the customer."""
        return {"mail_id": f"mail_{order_id}"}


def sure(world: World, tool: str) -> bool:
    """Three attempts with one key, and whether the receipt came. Raises UnknownTool."""
    for _ in range(3):
        arguments = {"order_id": "A17", "idempotency_key": f"A17:{tool}"}
        try:
            reply = world.call(tool, arguments)
        except FAILURES:
            continue
        if isinstance(reply, dict) and isinstance(reply.get(PLAN[tool]), str):
            return True
    return False


def stuck(tool: str) -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle="A17", detail=tool)


def never_mind(world: World) -> Completion:
    """Victim: what cannot be called is left out."""
    for tool in PLAN:
        try:
            if not sure(world, tool):
                return stuck(tool)
        except UnknownTool:
            continue
    return Completion.success(handle="A17")


def the_nearest_name(world: World) -> Completion:
    """Victim: a name that is unknown must have been misspelt."""
    for tool in PLAN:
        try:
            if not sure(world, tool):
                return stuck(tool)
        except UnknownTool:
            others = [name for name in world.tools if name != tool]
            near = get_close_matches(tool, others, 1, cutoff=0.4)
            for name in near:
                world.call(name, {"order_id": "A17", "idempotency_key": f"A17:{name}"})
            return stuck(tool)
    return Completion.success(handle="A17")


def tries_until_it_is_back(world: World) -> Completion:
    """Victim: an error is an error, and errors are tried again."""
    for tool in PLAN:
        for _ in range(20):
            try:
                if sure(world, tool):
                    break
                return stuck(tool)
            except UnknownTool:
                continue
        else:
            return stuck(tool)
    return Completion.success(handle="A17")


def says_what_is_missing(world: World) -> Completion:
    """Survivor: a plan whose tool is gone is over, and that is said."""
    for tool in PLAN:
        try:
            if not sure(world, tool):
                return stuck(tool)
        except UnknownTool:
            return Completion.blocked(reason="dependency_unavailable", handle="A17", detail=tool)
    return Completion.success(handle="A17")


VICTIMS = {
    never_mind: ("AF301", "AF401"),
    the_nearest_name: ("AF417",),
    tries_until_it_is_back: ("AF217",),
}
SURVIVORS = (says_what_is_missing,)
