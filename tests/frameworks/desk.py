"""A desk of three, in which billing refunds what triage hands to it.

Law: the same for every framework: who hands over is scripted, and whoever gets what is not its own
hands it on.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agentfuzz import (
    Completion,
    Run,
    World,
    exactly_once,
    latest_version,
    ref,
    scenario,
    single_owner,
)
from agentfuzz.engine.scenario import Scenario

MEMBERS = ("triage", "billing", "shipping")
FIND = ("find_order", {"order_id": "A17"})
REFUND = ("refund", {"order_id": "A17", "cents": ref("find_order", "cents")})
DONE = Completion.success(handle="re_A17")


def honest(to: Callable[[str], Any]) -> dict[str, list[Any]]:
    """Scripts of models that hand over with `to(name)`: triage also what comes back."""
    return {
        "triage": [FIND, to("billing"), to("billing"), "Handed over."],
        "billing": [FIND, REFUND, DONE],
        "shipping": [to("billing"), "Not mine."],
    }


def desk(script: Mapping[str, Any]) -> Scenario:
    """The scenario."""

    def built(world: World) -> None:
        @world.tool
        def find_order(order_id: str) -> dict[str, object]:
            """Look an order up."""
            return {"order_id": order_id, "cents": 4200}

        @world.tool(effect="refund", scope=("order_id",), dedup="key")
        def refund(order_id: str, cents: int) -> dict[str, object]:
            """Give the money back."""
            return {"refund_id": f"re_{order_id}"}

    laws = (exactly_once("refund"), latest_version(), single_owner())
    return scenario(*laws, task="Refund order A17.", script=script)(built)


def by_tool(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """One key for each tool: there is one order."""
    return tool


def crossed(found: Run) -> list[str]:
    """The events of handoffs: what, and by whom, or to whom."""
    return [
        f"{type(one).__name__.removeprefix('Handoff')} {getattr(one, 'agent', None) or one.to}"
        for one in found.history.events
        if type(one).__name__.startswith("Handoff")
    ]


ASTRAY = [
    "Sent billing",
    "Received shipping",
    "Sent billing",
    "Rejected shipping",
    "Received billing",
    "Accepted billing",
]
