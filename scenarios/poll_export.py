"""The export that was turned away, and was under way all the same.

A month of invoices is exported: the service takes the job, works at it in the background, and says
how it stands when it is asked. It answers 429 to a job that it has already taken, "accepted" to one
that it may never begin, or nothing at all to one that begins a minute later. None of these is a
yes, and none is a no. Whoever starts the job anew has two exports; whoever says that it failed
speaks of one that is going on; and whoever counts "accepted" as done sends a link to no file.

Source: Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
Rows: F02 F14 B01 B02 B03 B14 B24 B47.
"""

import time

from agentfuzz import (
    Completion,
    History,
    RateLimited,
    ToolError,
    World,
    ends_within,
    exactly_once,
    no_blind_repeat,
    no_stuck_repeats,
    scenario,
    single_flight,
    structured_termination,
    truthful,
    unknown_is_not_failed,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
MONTH = "2026-05"
WORK, PACE, PATIENCE = 40.0, 15.0, 400.0  # virtual seconds


def exported(history: History) -> bool:
    """The file was there when success was claimed."""
    claim = history.success
    begun = [commit.t for commit in history.ledger if commit.tool == "start_export"]
    return claim is not None and any(claim.t >= t + WORK for t in begun)


@scenario(
    exactly_once("export", intents=[{"month": MONTH}]),
    truthful(postcondition=exported),
    no_blind_repeat(),
    single_flight(),
    unknown_is_not_failed(),
    no_stuck_repeats(),
    ends_within(seconds=3600.0),
    structured_termination(),
    task="Export the invoices of May and say where the file is.",
)
def poll_export(world: World) -> None:
    begun: dict[str, float] = {}

    @world.tool(effect="export", scope=("month",), dedup="key")
    def start_export(month: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Start the export of a month."""
        begun[month] = world.clock.now
        return {"job": f"job_{month}"}

    @world.tool
    def export_status(month: str) -> dict[str, object]:
        """How the export of a month stands: none, working, or done."""
        if month not in begun:
            return {"month": month, "status": "none"}
        done = world.clock.now >= begun[month] + WORK
        return {"month": month, "status": "done" if done else "working"}


def start(world: World, key: str) -> str:
    """One attempt at the job: taken, refused, or unknown."""
    try:
        reply = world.tools.start_export(month=MONTH, idempotency_key=key)
    except RateLimited as error:
        time.sleep(error.retry_after or 1.0)
        return "refused"
    except FAILURES:
        return "unknown"
    return "taken" if reply == {"job": f"job_{MONTH}"} else "unknown"


def status(world: World) -> str:
    """One look at the job; "unknown" where the page does not say."""
    try:
        reply = world.tools.export_status(month=MONTH)
    except FAILURES:
        return "unknown"
    return str(reply.get("status")) if isinstance(reply, dict) else "unknown"


def poll(world: World) -> Completion:
    """Ask until it is over, or patience is."""
    for _ in range(int(PATIENCE / PACE)):
        if status(world) == "done":
            return Completion.success(handle=MONTH)
        time.sleep(PACE)
    return unknown()


def unknown() -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle=MONTH)


def starts_anew(world: World) -> Completion:
    """Victim: a start is retried like a look: each attempt is a request of its own."""
    for attempt in range(3):
        if start(world, f"try-{attempt}") == "taken":
            return poll(world)
    return unknown()


def refused_is_failed(world: World) -> Completion:
    """Victim: no receipt, no export: it has failed, and the user may try again."""
    if start(world, MONTH) == "taken":
        return poll(world)
    return Completion.failed(reason="tool_failed", handle=MONTH)


def accepted_is_done(world: World) -> Completion:
    """Victim: whatever is not under way any more is over."""
    if start(world, MONTH) == "taken":
        while status(world) == "working":
            time.sleep(PACE)
        return Completion.success(handle=MONTH)
    return unknown()


def asks_without_a_pause(world: World) -> Completion:
    """Victim: asks again as soon as it has the answer."""
    if start(world, MONTH) != "taken":
        return unknown()
    for _ in range(20):
        if status(world) == "done":
            return Completion.success(handle=MONTH)
    return unknown()


def same_job(world: World) -> Completion:
    """Survivor: the same job under the same key until it is taken, and then asks how it stands,
    with pauses, until the page says that it is done; what nobody knows is called unknown."""
    for _ in range(3):
        if start(world, MONTH) == "taken":
            return poll(world)
    return unknown()


VICTIMS = {
    starts_anew: ("AF101", "AF104"),
    refused_is_failed: ("AF307",),
    accepted_is_done: ("AF301",),
    asks_without_a_pause: ("AF207",),
}
SURVIVORS = (same_job,)
