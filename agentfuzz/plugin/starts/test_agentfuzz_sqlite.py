"""An agent over a real database that books an order twice, and the test that finds it."""

import sqlite3
from typing import Any

from agentfuzz import Completion, World, at_most_once, fuzz, scenario, structured_termination

TABLE = "CREATE TABLE charges (order_id TEXT, cents INT)"  # an order may be there twice: the bug
# TABLE = "CREATE TABLE charges (order_id TEXT PRIMARY KEY, cents INT)"  # it may not: the fix


# 1. Put your backend here: whatever a call of yours writes, and a query that sees it.
def book(db: sqlite3.Connection, order_id: str, cents: int) -> dict[str, Any]:
    db.execute("INSERT OR IGNORE INTO charges VALUES (?, ?)", (order_id, cents))
    return {"order_id": order_id, "status": "booked"}


@scenario(at_most_once("charge"), structured_termination(), task="Charge order A17, 42.00 EUR.")
def charge_order(world: World) -> None:
    db = sqlite3.connect(":memory:")  # anew for each run
    db.execute(TABLE)

    @world.tool(
        effect="charge",
        scope=("order_id",),  # what makes two calls the same charge
        dedup="scope",  # what the backend promises: the same order again changes nothing
        observe=lambda world: db.execute("SELECT order_id FROM charges"),  # what truly happened
    )
    def charge(order_id: str, cents: int) -> dict[str, Any]:
        """Book the charge of an order."""
        return book(db, order_id, cents)


# 2. Put your agent here.
def billing_agent(task: str, tools: Any) -> Completion:
    for _ in range(3):
        try:
            reply = tools.charge(order_id="A17", cents=4200)
        except (TimeoutError, ConnectionError):
            continue  # nobody knows whether it was booked: ask again
        if isinstance(reply, dict) and reply.get("status") == "booked":
            return Completion.success(handle="A17")
    return Completion.blocked(reason="outcome_unknown")


# 3. Call it here, with the world's tools, and return how its task ended.
@fuzz(charge_order)
def test_billing_agent(world: World) -> Completion:
    return billing_agent(world.task, world.tools)
