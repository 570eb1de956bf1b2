"""A long session: the limit is forgotten, the connection is dead, and the end is said twice.

A buyer is to look pens up in two shops, and to order them within the limit that stands in its first
message. The conversation grows, and what is cut off first is what was said first. One look-up
fails, and the client that made it is closed: every later one fails as well. And the model closes
with a completion that has no such status, or with two, and the loop passes on what it says. What
helps: a constraint in a message that is never cut, a client for each call, and a completion that
the loop makes itself, from receipts.

Source: Tian Pan, "When Your Agent Framework Becomes the Bug" and '"Done!" Is Not a Return Code'
(2026).
Rows: F27 B10 B42.
"""

import json

from agentfuzz import (
    Completion,
    ModelError,
    ToolError,
    World,
    at_most_once,
    constraints_survive,
    later_calls_work,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
LIMIT = "Spend at most 50 EUR."
SHOPS = ("north", "south")


@scenario(
    at_most_once(),
    constraints_survive(facts=(LIMIT,)),
    later_calls_work(),
    structured_termination(),
    truthful(),
    task=f"Order pens where they are cheaper, north or south. {LIMIT}",
    script=[
        *(("price", {"shop": shop}) for shop in SHOPS),
        ("order", {"item": "pens"}),
        Completion.success(handle="pens"),
    ],
)
def long_session(world: World) -> None:
    @world.tool
    def price(shop: str) -> dict[str, object]:
        """What pens cost there."""
        return {"shop": shop, "cents": 900}

    @world.tool(effect="order", scope=("item",), dedup="key")
    def order(item: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Order something."""
        return {"ordered": item}


class Client:
    """A connection to the shop. `closes`: the first error is its last word."""

    def __init__(self, world: World, closes: bool = False) -> None:
        self.world, self.closes, self.closed = world, closes, False

    def call(self, each: dict) -> object:
        arguments = each["arguments"]
        if each["name"] == "order" and isinstance(arguments, dict):
            key = f"{self.world.trigger_id}:{arguments.get('item')}"
            arguments = {**arguments, "idempotency_key": key}
        if self.closed:
            raise ConnectionError("the client has been closed")
        try:
            return self.world.call(each["name"], arguments, asked=each["id"])
        except FAILURES:
            self.closed = self.closes
            raise


def whole(messages: list[dict]) -> list[dict]:
    return messages


def last_ones(messages: list[dict]) -> list[dict]:
    """As much as there is room for, from the end: enough, as long as nothing is done twice."""
    return messages if len(messages) <= 7 else messages[-6:]


def session(world: World, keep=whole, closes=False, passes_on=False) -> Completion | None:
    """A tool-calling loop. `keep` says what of the conversation is sent; `passes_on`: the
    completion is what the model says."""
    client = Client(world, closes)
    messages: list[dict] = [{"role": "user", "content": world.task}]
    ordered = False
    for _ in range(12):
        try:
            turn = world.model(keep(messages), list(world.tools))
        except (ModelError, TimeoutError, ConnectionError):
            continue
        if turn["stop"] == "length":
            continue
        messages.append(turn)
        closings = [each for each in turn["tool_calls"] if each["name"] == "done"]
        if passes_on and closings:
            for each in closings:
                world.tools.done(**each["arguments"])
            return None
        if closings or not turn["tool_calls"]:
            break
        for each in turn["tool_calls"]:
            try:
                reply = client.call(each)
                text = json.dumps(reply)
            except FAILURES as error:
                reply, text = None, f"Error: {type(error).__name__}: {error}"
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
            ordered = ordered or reply == {"ordered": "pens"}
    if ordered:
        return Completion.success(handle="pens")
    return Completion.blocked(reason="outcome_unknown", handle="pens")


def keeps_the_end(world: World) -> Completion | None:
    """Victim: a window of the last messages; the limit stood in the first one."""
    return session(world, keep=last_ones)


def one_client(world: World) -> Completion | None:
    """Victim: one connection for the whole session, which an error closes."""
    return session(world, closes=True)


def as_the_model_says(world: World) -> Completion | None:
    """Victim: each completion of the model is passed on."""
    return session(world, passes_on=True)


def limit_first(world: World) -> Completion | None:
    """Survivor: what must hold stays in view, a failure is that call's alone, receipts decide."""
    return session(world)


VICTIMS = {
    keeps_the_end: ("AF608",),
    one_client: ("AF220",),
    as_the_model_says: ("AF205", "AF206"),
}
SURVIVORS = (limit_first,)
