"""Stories for agents that run in a process of their own, and one run of them.

Law: an agent stands in the test that needs it. Called by the tests of children.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from agentfuzz import World, exactly_once, scenario
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.world.injector import FromPlan

Agent = Callable[[World], Any]


@scenario(exactly_once("charge"), task="Charge A17.", resume=True, follow_ups=("And B18.",),
          faults=("cancel", "interrupt", "duplicate_trigger", "clock_jump"))  # fmt: skip
def shop(world: World) -> None:
    @world.tool
    def find(order_id: str) -> dict[str, object]:
        return {"order_id": order_id, "cents": 4200}

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge(order_id: str, idempotency_key: str | None = None) -> str:
        return f"ch_{order_id}"

    @world.tool(effect="mail", scope=("to",))
    async def mail(to: str) -> str:
        await asyncio.sleep(2)
        return "sent"


@scenario(exactly_once("charge"), task="Charge A17.", resume=True)
def card_twice(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> str:
        return f"ch_{order_id}"


def history(simulation: Simulation, agent: Agent, plan: str, story: Any = shop) -> History:
    injector = FromPlan(FaultPlan.parse(plan), process=True)
    return simulation.execute(story, agent, injector)
