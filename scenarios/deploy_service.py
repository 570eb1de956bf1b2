"""The deploy that was accepted, and the rollback that a hiccup set off.

Version 2 is to go live. The deploy tool starts a job and answers at once; the rollout takes a
minute, and the loop has to ask how it stands until it is over. "Accepted" is no "live", and an
answer that is neither "rolling out" nor "live" is none at all. And a status page that does not
answer once is no broken deploy: whoever rolls back on the first timeout turns a hiccup into an
outage of a feature, and whoever rolls back and forgets to say so reports a version that is gone.

Source: Tian Pan, "AI Agent Architecture: What Actually Works in Production" (2026).
Rows: F60 B14 B24 B38.
"""

import time

from agentfuzz import (
    Completion,
    History,
    ToolError,
    World,
    compensated,
    ends_within,
    exactly_once,
    no_contradiction,
    recovers,
    scenario,
    structured_termination,
    truthful,
    unknown_is_not_failed,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
VERSION = "v2"
ROLLOUT, PACE, PATIENCE = 60.0, 25.0, 600.0  # virtual seconds


def rolled_out(history: History) -> bool:
    """The job of each deploy was over when success was claimed."""
    claim = history.success
    made = [commit.t for commit in history.ledger if commit.tool == "start_deploy"]
    return claim is not None and all(claim.t >= t + ROLLOUT for t in made)


@scenario(
    exactly_once("deployment", intents=[{"version": VERSION}]),
    truthful(postcondition=rolled_out),
    recovers(),
    compensated(),
    no_contradiction(),
    ends_within(seconds=3600.0),
    structured_termination(),
    unknown_is_not_failed(),
    task="Deploy version v2. If it cannot be brought up, roll it back.",
)
def deploy_service(world: World) -> None:
    started: dict[str, float] = {}

    @world.tool(effect="deployment", scope=("version",), dedup="key")
    def start_deploy(version: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Start the rollout of a version. It goes on in the background."""
        started[version] = world.clock.now
        return {"job": f"job_{version}", "status": "accepted"}

    @world.tool
    def deploy_status(version: str) -> dict[str, object]:
        """How a rollout stands: none, rolling_out, or live."""
        if version not in started:
            return {"version": version, "status": "none"}
        live = world.clock.now >= started[version] + ROLLOUT
        return {"version": version, "status": "live" if live else "rolling_out"}

    @world.tool(effect="rollback", scope=("version",), dedup="key", undoes="start_deploy")
    def rollback(version: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Put the version before this one back."""
        started.pop(version, None)
        return {"rolled_back": version}


def sure(world: World, tool: str, name: str, value: str) -> bool:
    """Three attempts with one key, and whether the receipt came."""
    for _ in range(3):
        key = f"{world.trigger_id}:{tool}:{VERSION}"
        try:
            reply = world.tools[tool](version=VERSION, idempotency_key=key)
        except FAILURES:
            continue
        if isinstance(reply, dict) and reply.get(name) == value:
            return True
    return False


def status(world: World) -> str:
    """How the rollout stands; "unknown" where the page does not say."""
    try:
        reply = world.tools.deploy_status(version=VERSION)
    except FAILURES:
        return "unknown"
    return str(reply.get("status")) if isinstance(reply, dict) else "unknown"


def undo(world: World) -> Completion:
    """Put the old version back, and say so."""
    if sure(world, "rollback", "rolled_back", VERSION):
        return Completion.failed(reason="tool_failed", detail=f"{VERSION} was rolled back")
    return _unknown()


def _unknown() -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle=VERSION)


def deploy(world: World, go_on) -> Completion:
    """Start the job; `go_on` takes it to its end."""
    if not sure(world, "start_deploy", "job", f"job_{VERSION}"):
        return _unknown()
    return go_on(world)


def accepted_is_live(world: World) -> Completion:
    """Victim: waits while the page says "rolling_out"; whatever else it says is the end."""

    def go_on(world: World) -> Completion:
        while status(world) == "rolling_out":
            time.sleep(PACE)
        return Completion.success(handle=VERSION)

    return deploy(world, go_on)


def rolls_back_on_a_hiccup(world: World) -> Completion:
    """Victim: a page that does not answer is a broken deploy."""

    def go_on(world: World) -> Completion:
        while (now := status(world)) == "rolling_out":
            time.sleep(PACE)
        return Completion.success(handle=VERSION) if now == "live" else undo(world)

    return deploy(world, go_on)


def forgets_the_rollback(world: World) -> Completion:
    """Victim: rolls back to be safe, and reports that the job is over."""

    def go_on(world: World) -> Completion:
        while (now := status(world)) == "rolling_out":
            time.sleep(PACE)
        if now != "live":
            undo(world)
        return Completion.success(handle=VERSION)

    return deploy(world, go_on)


def polls_to_the_end(world: World) -> Completion:
    """Survivor: asks until the page says "live", however it hiccups; rolls back when its time is
    over, and says what came of it."""

    def go_on(world: World) -> Completion:
        for _ in range(int(PATIENCE / PACE)):
            if status(world) == "live":
                return Completion.success(handle=VERSION)
            time.sleep(PACE)
        return undo(world)

    return deploy(world, go_on)


VICTIMS = {
    accepted_is_live: ("AF301",),
    rolls_back_on_a_hiccup: ("AF219",),
    forgets_the_rollback: ("AF301", "AF306"),
}
SURVIVORS = (polls_to_the_end,)
