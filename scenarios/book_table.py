"""The table that was confirmed, and cancelled in the same breath.

A table for four at eight. The restaurant holds it, and a hold has to be confirmed; who gets none is
put on the waitlist. A guest who is confirmed and on the waitlist is called at seven and told that
a table is free; a loop that has confirmed, does not see it, and cancels "to be safe" has given the
table away and says that it is booked; and when the task is brought again, a second pass books
another table, or reports another outcome than the first. One task has one account of how it ended.

Source: Tian Pan, "'Done!' Is Not a Return Code" (2026).
Rows: F22 F62 F65 B26.
"""

from agentfuzz import (
    Completion,
    ToolError,
    World,
    at_most_once,
    duplicate_trigger_ignored,
    no_contradiction,
    no_redo,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
GUEST = "ada"


@scenario(
    no_contradiction(),
    at_most_once(),
    no_redo(),
    duplicate_trigger_ignored(),
    structured_termination(),
    truthful(),
    task="Book a table for Ada, four people, at eight; else put her on the waitlist.",
    faults=("duplicate_trigger",),
    instead={"booking": ("waiting",)},
)
def book_table(world: World) -> None:
    @world.tool(effect="booking", scope=("guest",), dedup="key")
    def confirm_table(guest: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Confirm the table that is held for a guest."""
        return {"booking": f"b_{guest}"}

    @world.tool(effect="cancellation", scope=("guest",), dedup="key", undoes="confirm_table")
    def cancel_table(guest: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Give a guest's table back."""
        return {"cancelled": guest}

    @world.tool(effect="waiting", scope=("guest",), dedup="key")
    def join_waitlist(guest: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Put a guest on the waitlist."""
        return {"place": f"w_{guest}"}


def attempt(world: World, tool: str, receipt: str, value: str, tries: int = 3) -> bool:
    """So many attempts with one key, and whether the receipt came."""
    for _ in range(tries):
        key = f"{world.trigger_id}:{tool}:{GUEST}"
        try:
            reply = world.tools[tool](guest=GUEST, idempotency_key=key)
        except FAILURES:
            continue
        if isinstance(reply, dict) and reply.get(receipt) == value:
            return True
    return False


def confirm(world: World, tries: int = 3) -> bool:
    return attempt(world, "confirm_table", "booking", f"b_{GUEST}", tries)


def cancel(world: World) -> bool:
    return attempt(world, "cancel_table", "cancelled", GUEST)


def wait(world: World) -> bool:
    return attempt(world, "join_waitlist", "place", f"w_{GUEST}")


def booked() -> Completion:
    return Completion.success(handle=f"b_{GUEST}")


def unknown() -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle=GUEST)


def once(world: World, work) -> Completion:
    """Do the work the first time; whoever comes later answers with what was written down then."""
    if not world.store.claim(world.trigger_id, "at work"):
        known = world.store[world.trigger_id]
        return unknown() if known == "at work" else Completion.success(handle=known)
    done = work()
    if done.status == "success":
        world.store[world.trigger_id] = done.handle
    return done


def confirmed_and_waiting(world: World) -> Completion:
    """Victim: no confirmation seen, so it is the waitlist: Ada has a table, and waits for one."""

    def work() -> Completion:
        if confirm(world):
            return booked()
        return Completion.success(handle=f"w_{GUEST}") if wait(world) else unknown()

    return once(world, work)


def cancels_to_be_safe(world: World) -> Completion:
    """Victim: an attempt without a receipt is cancelled before the next one. That one has the same
    key, and the restaurant answers it from memory: booked, and the table is gone."""

    def work() -> Completion:
        if not confirm(world, tries=1):
            cancel(world)
        return booked() if confirm(world) else unknown()

    return once(world, work)


def second_pass(world: World) -> Completion:
    """Victim: finds that the task was begun before, has no account of how it ended, and makes one:
    the table is taken, so Ada waits."""
    if world.store.claim(world.trigger_id, "at work"):
        return booked() if confirm(world) else unknown()
    return Completion.success(handle=f"w_{GUEST}") if wait(world) else unknown()


def one_account(world: World) -> Completion:
    """Survivor: one step and its receipt, or nobody knows; and whoever asks again is told the
    same."""
    return once(world, lambda: booked() if confirm(world) else unknown())


VICTIMS = {
    confirmed_and_waiting: ("AF105",),
    cancels_to_be_safe: ("AF301", "AF306"),
    second_pass: ("AF105", "AF111", "AF216", "AF306"),
}
SURVIVORS = (one_account,)
