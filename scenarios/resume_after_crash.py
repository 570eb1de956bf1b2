"""The payroll that knows how far it came, and not what it did.

Four salaries have to be paid, each once (a first, a last, and two in the middle), by a job whose
process may die at any step and is started again. A checkpoint of the position alone cannot be
right: saved after the payment, a crash in between pays it again; saved before it, a crash in
between skips it, and the job reports success. What helps is to write down, ahead of the payment,
under which key it will be made.

Source: Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
Rows: F10 F13 B04 B05.
"""

from uuid import uuid4

from agentfuzz import (
    Completion,
    RateLimited,
    World,
    exactly_once,
    key_saved_before_use,
    no_blind_repeat,
    no_redo,
    same_key_on_retry,
    scenario,
    structured_termination,
    truthful,
)

STAFF = ("E01", "E02", "E03", "E04")
FAILURES = (TimeoutError, ConnectionError, RateLimited)


@scenario(
    exactly_once("salary", intents=[{"employee": employee} for employee in STAFF]),
    key_saved_before_use(),
    same_key_on_retry(),
    no_blind_repeat(),
    no_redo(),
    structured_termination(),
    truthful(),
    task="Pay the salaries of May.",
    resume=True,
)
def resume_after_crash(world: World) -> None:
    @world.tool(effect="salary", scope=("employee",), dedup="key")
    def pay(employee: str, cents: int, idempotency_key: str | None = None) -> dict[str, object]:
        """Pay one salary."""
        return {"payment_id": f"pay_{employee}", "cents": cents}


def paid(world: World, employee: str, key: str) -> bool:
    """Three attempts with one key, and whether a receipt came."""
    for _ in range(3):
        try:
            reply = world.tools.pay(employee=employee, cents=250_000, idempotency_key=key)
        except FAILURES:
            continue
        if isinstance(reply, dict) and isinstance(reply.get("payment_id"), str):
            return True
    return False


def saves_the_position_after(world: World) -> Completion:
    """Victim: the checkpoint follows the payment. A crash in between pays twice, with a new key."""
    for position in range(world.store.get("position", 0), len(STAFF)):
        if not paid(world, STAFF[position], str(uuid4())):
            return _stuck(position)
        world.store["position"] = position + 1
    return Completion.success(handle="2026-05")


def saves_the_position_before(world: World) -> Completion:
    """Victim: the checkpoint precedes the payment. A crash in between forgets it for good."""
    for position in range(world.store.get("position", 0), len(STAFF)):
        world.store["position"] = position + 1
        if not paid(world, STAFF[position], str(uuid4())):
            return _stuck(position)
    return Completion.success(handle="2026-05")


def saves_the_key_ahead(world: World) -> Completion:
    """Survivor: one record says which payment is next and under which key it is made; whoever
    finds it repeats that payment with that key."""
    step = world.store.get("step") or _step(world, 0)
    while step["position"] < len(STAFF):
        if not paid(world, STAFF[step["position"]], step["key"]):
            return _stuck(step["position"])
        step = _step(world, step["position"] + 1)
    return Completion.success(handle="2026-05")


def _step(world: World, position: int) -> dict:
    step = world.store["step"] = {"position": position, "key": str(uuid4())}
    return step


def _stuck(position: int) -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle=STAFF[position])


VICTIMS = {
    saves_the_position_after: ("AF101", "AF109"),
    saves_the_position_before: ("AF103", "AF109", "AF301"),
}
SURVIVORS = (saves_the_key_ahead,)
