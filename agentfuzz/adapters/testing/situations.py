"""The situations that every framework is put into: what its users do with it every day.

Law: a situation says nothing of any framework and is written for no bug; it declares all the laws
that speak of what happens in it. Read by the test kit, the conformance report and the gauntlet.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from inspect import iscoroutinefunction
from typing import Any

from agentfuzz.adapters.contract import Adapter, entrypoint_of
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import AgentfuzzError, near_miss
from agentfuzz.engine.scenario import Scenario, scenario
from agentfuzz.invariants import (
    Invariant,
    approval_single_use,
    at_most_once,
    effects_remembered,
    errors_surface,
    executed_as_asked,
    grants_are_used,
    later_calls_work,
    no_act_on_cut_reply,
    no_effect_after_cancel,
    no_effect_after_reported_failure,
    no_stale_answer,
    one_decision_one_interrupt,
    receipt_once,
    receipts_shown,
    results_not_blanked,
    results_paired,
    returns_control,
    truthful,
)
from agentfuzz.model.script import call, own, ref
from agentfuzz.world.world import World

TASK = "Charge order A17 and ship it."
FIND = ("find_order", {"order_id": "A17"})
CHARGE = call("charge_card", order_id="A17", cents=ref("find_order", "cents"))
BILL = ("charge_card", {"order_id": "A17", "cents": 4200})  # by who was not shown the order
SHIP = ("ship", {"order_id": "A17"})
CLOSED = "Order A17 is charged and shipped."


def laws() -> tuple[Invariant, ...]:
    """What holds of every loop, whatever it is for."""
    return (
        at_most_once(),
        truthful(),
        effects_remembered(),
        errors_surface(),
        executed_as_asked(),
        later_calls_work(),
        no_act_on_cut_reply(),
        no_effect_after_cancel(),
        no_effect_after_reported_failure(),
        no_stale_answer(),
        receipt_once(),
        receipts_shown(),
        results_not_blanked(),
        results_paired(),
        returns_control(),
    )


@dataclass(frozen=True, slots=True)
class Situation:
    """A scenario, and the words (`agents`, `approvals`, `session`, `tries`, `typed`) with which a
    framework is set up in it: see `contract.agent`. `awaits` says that it is for async entrypoints
    alone."""

    scenario: Scenario
    words: Mapping[str, Any] = field(default_factory=dict)
    awaits: bool = False

    def fits(self, adapter: Adapter, entrypoint: str = "") -> bool:
        """Whether the framework has what is asked for, behind this entrypoint."""
        entry = adapter.entrypoints[entrypoint_of(adapter, entrypoint)]
        if self.awaits and not iscoroutinefunction(entry):
            return False
        has = {
            "session": adapter.sessions,
            "typed": adapter.typed,
            "approvals": adapter.pauses_for,
            "agents": adapter.hands_over,
            "tries": True,
        }
        return all(has[word] for word, asked in self.words.items() if asked)


def shop(world: World) -> None:
    """An order, a card, a parcel."""

    @world.tool
    def find_order(order_id: str) -> dict[str, object]:
        """Look an order up."""
        return {"order_id": order_id, "cents": 4200}

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, cents: int) -> dict[str, object]:
        """Charge the card of an order."""
        return {"charge_id": f"ch_{order_id}", "cents": cents}

    @world.tool(effect="shipment", scope=("order_id",), dedup="key")
    def ship(order_id: str) -> dict[str, object]:
        """Ship an order."""
        return {"parcel": f"p_{order_id}"}


def slow_shop(world: World) -> None:
    """The same; to charge takes a virtual minute, in which others get their turn."""

    @world.tool
    def find_order(order_id: str) -> dict[str, object]:
        """Look an order up."""
        return {"order_id": order_id, "cents": 4200}

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    async def charge_card(order_id: str, cents: int) -> dict[str, object]:
        """Charge the card of an order."""
        await asyncio.sleep(60)
        return {"charge_id": f"ch_{order_id}", "cents": cents}

    @world.tool(effect="shipment", scope=("order_id",), dedup="key")
    def ship(order_id: str) -> dict[str, object]:
        """Ship an order."""
        return {"parcel": f"p_{order_id}"}


def situations(adapter: Adapter) -> dict[str, Situation]:
    """All of them by name, also those that this framework does not fit."""

    def told(name: str, build: Any = shop, **words: Any) -> Scenario:
        made = scenario(*laws(), *words.pop("more", ()), **{"task": TASK, **words})(build)
        return replace(made, name=name)

    one_by_one = [FIND, CHARGE, SHIP]
    tool, arguments = adapter.handoff("billing")
    waits = ("charge_card", "ship")
    return {
        "one_by_one": Situation(told("one_by_one", script=[*one_by_one, CLOSED])),
        "structured": Situation(
            told("structured", script=[*one_by_one, Completion.success(handle="A17")])
        ),
        "siblings": Situation(told("siblings", script=[FIND, [CHARGE, SHIP], CLOSED])),
        "alone": Situation(told("alone", script=[SHIP, "Shipped."], task="Ship order A17.")),
        "conversation": Situation(
            told(
                "conversation",
                script=[*one_by_one, CLOSED],
                follow_ups=("And what did you do for order A17?",),
                faults=("unsaved",),
            ),
            {"session": True},
        ),
        "recalled": Situation(
            told(
                "recalled",
                script=[FIND, [CHARGE, SHIP], CLOSED],
                follow_ups=("And what did you do for order A17?",),
            ),
            {"session": True},
        ),
        "discussed": Situation(
            told(
                "discussed",
                script=[FIND, [CHARGE, SHIP], CLOSED],
                follow_ups=("And what did you do for order A17?",),
            ),
            {"session": True},
        ),
        "restarted": Situation(
            told(
                "restarted",
                script=[*one_by_one, CLOSED],
                resume=True,
                faults=("crash", "cancel"),
            ),
            {"session": True},
        ),
        "approved": Situation(
            told(
                "approved",
                script=[FIND, [CHARGE, SHIP], CLOSED],
                more=(
                    approval_single_use(*waits),
                    one_decision_one_interrupt(),
                    grants_are_used(),
                ),
            ),
            {"approvals": waits, "session": adapter.sessions},
        ),
        "approved_recalled": Situation(
            told(
                "approved_recalled",
                script=[FIND, [CHARGE, SHIP], CLOSED],
                follow_ups=("And what did you do for order A17?",),
                more=(approval_single_use(*waits), grants_are_used()),
            ),
            {"approvals": waits, "session": True},
        ),
        "approved_again": Situation(
            told(
                "approved_again",
                script=[FIND, [CHARGE, SHIP], CLOSED],
                follow_ups=("And what did you do for order A17?",),
                faults=("unsaved",),
                more=(approval_single_use(*waits), grants_are_used()),
            ),
            {"approvals": waits, "session": True, "tries": 2},
        ),
        "called_again": Situation(
            told("called_again", script=[*one_by_one, CLOSED], faults=("unsaved",)), {"tries": 2}
        ),
        "tried_again": Situation(
            told(
                "tried_again",
                script=[*one_by_one, CLOSED],
                follow_ups=("And what did you do for order A17?",),
                faults=("unsaved",),
            ),
            {"session": True, "tries": 2},
        ),
        "handed_over": Situation(
            told(
                "handed_over",
                script={
                    "triage": [FIND, own(tool, **arguments), "Handed over."],
                    "billing": [BILL, SHIP, CLOSED],
                },
                follow_ups=("And what did you do for order A17?",) if adapter.sessions else (),
            ),
            {"agents": ("triage", "billing"), "session": adapter.sessions},
        ),
        "delegated": Situation(
            told(
                "delegated",
                script={
                    "triage": [own(tool, **arguments), "Handed over."],
                    "billing": [SHIP, "Shipped."],
                },
                task="Ship order A17.",
            ),
            {"agents": ("triage", "billing")},
        ),
        "handed_over_beside": Situation(
            told(
                "handed_over_beside",
                script={
                    "triage": [[BILL, own(tool, **arguments)], "Handed over."],
                    "billing": [SHIP, CLOSED],
                },
            ),
            {"agents": ("triage", "billing"), "session": adapter.sessions},
        ),
        "typed": Situation(
            told("typed", script=[*one_by_one, Completion.success(handle="A17")]),
            {"typed": True},
        ),
        "slow": Situation(
            told("slow", slow_shop, script=[FIND, [CHARGE, SHIP], CLOSED], faults=("cancel",)),
            awaits=True,
        ),
    }


def situation(adapter: Adapter, name: str) -> Situation:
    """One of them. Raises AgentfuzzError."""
    known = situations(adapter)
    if name not in known:
        raise AgentfuzzError(
            f"there is no situation {name!r}; there is {', '.join(known)}.{near_miss(name, known)}"
        )
    return known[name]
