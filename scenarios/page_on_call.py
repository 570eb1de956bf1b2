"""Restart it, look at it, wake somebody: the runbook that made the outage.

A service is down. The runbook restarts it, looks whether it is healthy, and pages the person on
call if that cannot be said. Each step can fail, and each layer means well: the client tries three
times, the runbook starts over three times, the counter of errors begins anew with each new kind of
error, and a 429 that asks for patience is asked again at once. The other way round is no better:
whoever pages somebody at three in the morning because one request timed out has paged for nothing.
One budget for a step, over all layers; wait as long as the service says; then wake somebody, once.

Source: Tian Pan, "When Your Agent Framework Becomes the Bug" (2026).
Rows: F30 B18 B27 B36 B37 B38 B47.
"""

import time
from collections import Counter

from agentfuzz import (
    Completion,
    RateLimited,
    ToolError,
    World,
    at_most_once,
    bounded,
    honours_retry_after,
    recovers,
    retry_budget,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
SERVICE = "search"
ATTEMPTS = 3


@scenario(
    retry_budget(attempts=ATTEMPTS),
    honours_retry_after(),
    recovers(),
    bounded(calls=3 * ATTEMPTS),
    at_most_once(),
    structured_termination(),
    truthful(),
    task="The search service is down: restart it, see that it is healthy, or page the one on call.",
)
def page_on_call(world: World) -> None:
    up: set[str] = set()

    @world.tool(effect="restart", scope=("service",), dedup="key")
    def restart(service: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Restart a service."""
        up.add(service)
        return {"restarted": service}

    @world.tool
    def health(service: str) -> dict[str, object]:
        """Whether a service is healthy."""
        return {"service": service, "healthy": service in up}

    @world.tool(effect="page", scope=("service",), dedup="key")
    def page(service: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Wake the person on call."""
        return {"paged": service}


EXPECTED = {
    "restart": {"restarted": SERVICE},
    "health": {"service": SERVICE, "healthy": True},
    "page": {"paged": SERVICE},
}


def once(world: World, tool: str) -> bool:
    """One attempt at a step, and whether it worked."""
    key = {} if tool == "health" else {"idempotency_key": f"{world.trigger_id}:{tool}"}
    return bool(world.tools[tool](service=SERVICE, **key) == EXPECTED[tool])


def one_budget(world: World, tool: str) -> bool:
    """So many attempts at a step, as far apart as the service asks for."""
    for _ in range(ATTEMPTS):
        try:
            if once(world, tool):
                return True
        except FAILURES as error:
            time.sleep(getattr(error, "retry_after", 0.0) or 1.0)
    return False


def impatient(world: World, tool: str) -> bool:
    """So many attempts at a step, one right after the other."""
    for _ in range(ATTEMPTS):
        try:
            if once(world, tool):
                return True
        except FAILURES:
            continue
    return False


def by_kind(world: World, tool: str) -> bool:
    """So many attempts for each kind of error."""
    kinds: Counter[str] = Counter()
    while max(kinds.values(), default=0) < ATTEMPTS:
        try:
            if once(world, tool):
                return True
            kinds["no answer"] += 1
        except FAILURES as error:
            kinds[type(error).__name__] += 1
            time.sleep(error.retry_after if isinstance(error, RateLimited) else 1.0)
    return False


def runbook(world: World, step, passes: int = 1) -> Completion:
    """Restart, look, or page; `passes` times over before somebody is woken."""
    for _ in range(passes):
        if step(world, "restart") and step(world, "health"):
            return Completion.success(handle=SERVICE)
    paged = step(world, "page")
    detail = "somebody was paged" if paged else "and nobody is known to have been paged"
    return Completion.blocked(reason="dependency_unavailable", handle=SERVICE, detail=detail)


def client_times_runbook(world: World) -> Completion:
    """Victim: the client tries three times, and the runbook starts over three times."""
    return runbook(world, one_budget, passes=3)


def counts_kinds(world: World) -> Completion:
    """Victim: three timeouts are enough, and three refusals; two of each are not."""
    return runbook(world, by_kind)


def asks_at_once(world: World) -> Completion:
    """Victim: told to come back in a while, and asks again at once."""
    return runbook(world, impatient)


def wakes_somebody(world: World) -> Completion:
    """Victim: one attempt at a step, and the person on call is awake."""

    def step(world: World, tool: str) -> bool:
        try:
            return once(world, tool)
        except FAILURES:
            return False

    return runbook(world, step)


def waits_and_counts(world: World) -> Completion:
    """Survivor: one budget for a step, however it fails, and as much patience as is asked for."""
    return runbook(world, one_budget)


DEPTH = 2  # errors of two kinds
VICTIMS = {
    client_times_runbook: ("AF201", "AF217"),
    counts_kinds: ("AF217",),
    asks_at_once: ("AF218",),
    wakes_somebody: ("AF219",),
}
SURVIVORS = (waits_and_counts,)
