"""Loops that charge one order without a model: what they do about a fault is all there is to them.

Law: a loop is deterministic, and returns a completion. Called by the tests of the laws of effects,
endings and claims, and by those of the search.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from agentfuzz import Completion, Scenario, ToolError, World, scenario

LOST = (TimeoutError, ConnectionError)  # a reply that did not come: the effect is in doubt
FAULTS = (*LOST, ToolError)  # and a refusal
DONE, BLOCKED = Completion.success(handle="ch_1"), Completion.blocked()
ONCE, LOST_TIMEOUT = "charge#1:once/timeout", "charge#1:lost/timeout"


def billing(dedup: Any = "none", budget: int = 20) -> Scenario:
    """Two tools: charging an order, and looking up whether it is charged."""

    @scenario(task="Charge order A17.", max_crossings=budget)
    def billing(world: World) -> None:
        charged = world.state.setdefault("charged", [])

        @world.tool(effect="charge", scope=("order_id",), dedup=dedup)
        def charge(order_id: str, amount: int = 42) -> dict:
            charged.append(order_id)
            return {"charge_id": "ch_1"}

        @world.tool
        def find(order_id: str) -> dict:
            return {"charged": order_id in charged}

    return billing


def honest(world: World) -> Completion:
    """Calls once, and says what it knows."""
    try:
        reply = world.tools.charge(order_id="A17")
    except FAULTS:
        return BLOCKED
    return DONE if reply == {"charge_id": "ch_1"} else BLOCKED


def with_key(world: World) -> Completion:
    """Tries twice with one key, minted before the first attempt."""
    for _ in range(2):
        try:
            reply = world.tools.charge(order_id="A17", idempotency_key="charge-A17")
        except FAULTS:
            continue
        return DONE if reply == {"charge_id": "ch_1"} else BLOCKED
    return BLOCKED


def looks_first(world: World) -> Completion:
    """Waits and looks up what happened before it tries again; does not believe half an answer."""
    for _ in range(2):
        try:
            reply = world.tools.charge(order_id="A17")
        except LOST:
            time.sleep(120)  # nothing is under way any more
            try:
                found = world.tools.find(order_id="A17")
            except FAULTS:
                return BLOCKED
            if found != {"charged": False}:
                return DONE if found == {"charged": True} else BLOCKED
        except ToolError:
            return BLOCKED
        else:
            return DONE if reply == {"charge_id": "ch_1"} else BLOCKED
    return BLOCKED


def retries(world: World) -> Completion:
    """Victim: calls again after a timeout, as if nothing had happened."""
    for _ in range(3):
        try:
            world.tools.charge(order_id="A17")
        except TimeoutError:
            continue
        except FAULTS:
            return BLOCKED
        return DONE
    return BLOCKED


def swallows(world: World) -> Completion:
    """Victim: whatever happens, all is well."""
    with contextlib.suppress(FAULTS):
        world.tools.charge(order_id="A17")
    return DONE


def waits(limit: int) -> Callable[[World], Completion]:
    """Looks until the charge is there; `limit` 0: for ever, which makes it a victim."""

    def agent(world: World) -> Completion:
        with contextlib.suppress(FAULTS):
            world.tools.charge(order_id="A17")
        looks = 0
        while not limit or looks < limit:
            looks += 1
            try:
                if world.tools.find(order_id="A17") == {"charged": True}:
                    return DONE
            except FAULTS:
                pass
        return BLOCKED

    return agent
