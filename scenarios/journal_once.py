"""The journal that says one execution, where the world has seen two.

A durable engine runs the steps of a job and writes each result into its journal; when its process
has died it plays the journal back and goes on. "Each step runs exactly once", says its page. But
the result is written after the body has run, so a step whose process died in between runs again,
and the engine repeats a body that failed by itself. The journal has one line for all of these.
Whoever audits the job by its journal, or pays for calls, learns of the others from the bill.

Rows: B45.
"""

from typing import Any

from agentfuzz import (
    Completion,
    RateLimited,
    World,
    exactly_once,
    no_hidden_calls,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, RateLimited)
RECEIPTS = {"charge_card": "charge_id", "send_mail": "mail_id"}


def ending(value: Any) -> Completion | None:
    """The completion in what the engine returns."""
    return Completion(**value["ending"]) if isinstance(value, dict) else None


@scenario(
    no_hidden_calls(durable=True),
    exactly_once("charge", intents=[{"order_id": "A17"}]),
    exactly_once("mail", intents=[{"order_id": "A17"}]),
    structured_termination(),
    truthful(),
    task="Charge order A17, then tell the customer.",
    outcome=ending,
    resume=True,
)
def journal_once(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Charge the customer's card."""
        return {"charge_id": f"ch_{order_id}"}

    @world.tool(effect="mail", scope=("order_id",), dedup="key")
    def send_mail(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Tell the customer."""
        return {"mail_id": f"mail_{order_id}"}


def body(world: World, tool: str) -> bool:
    """One execution of a step, under the key of the step, and whether its receipt came."""
    try:
        reply = world.tools[tool](order_id="A17", idempotency_key=f"{world.trigger_id}:{tool}")
    except FAILURES:
        return False
    return isinstance(reply, dict) and isinstance(reply.get(RECEIPTS[tool]), str)


def told(world: World, completion: Completion) -> dict[str, Any]:
    """The end of the job, with the engine's own account of it."""
    journal = world.store.get("journal", {})
    calls = [{"tool": tool, "attempts": times} for tool, times in journal.items()]
    return {"ending": completion.model_dump(), "calls": calls}


def stuck(world: World) -> dict[str, Any]:
    return told(world, Completion.blocked(reason="outcome_unknown", handle="A17"))


def writes_results(world: World) -> dict[str, Any]:
    """Victim: a line for each step that has come to its end."""
    journal = world.store.get("journal", {})
    for tool in RECEIPTS:
        if tool in journal:
            continue
        if not any(body(world, tool) for _ in range(3)):
            return stuck(world)
        journal = world.store["journal"] = {**journal, tool: 1}
    return told(world, Completion.success(handle="A17"))


def counts_its_own_attempts(world: World) -> dict[str, Any]:
    """Victim: counts the attempts, and writes them down with the result; those of a process that
    died are gone with it."""
    journal = world.store.get("journal", {})
    for tool in RECEIPTS:
        if tool in journal:
            continue
        for nth in range(1, 4):
            if body(world, tool):
                journal = world.store["journal"] = {**journal, tool: nth}
                break
        else:
            world.store["journal"] = {**journal, tool: 3}
            return stuck(world)
    return told(world, Completion.success(handle="A17"))


def writes_attempts_ahead(world: World) -> dict[str, Any]:
    """Survivor: each attempt is in the journal before it is made, and each result after it."""
    journal = world.store.get("journal", {})
    for tool in RECEIPTS:
        if world.store.get(tool):
            continue
        for _ in range(3):
            journal = world.store["journal"] = {**journal, tool: journal.get(tool, 0) + 1}
            if body(world, tool):
                break
        else:
            return stuck(world)
        world.store[tool] = "done"
    return told(world, Completion.success(handle="A17"))


VICTIMS = {
    writes_results: ("AF410",),
    counts_its_own_attempts: ("AF410",),
}
SURVIVORS = (writes_attempts_ahead,)
