"""A world with two agents and a tool, for the tests of teams."""

from dataclasses import replace
from typing import Any

from agentfuzz import FaultPlan, World, scenario
from agentfuzz.core.history import History
from agentfuzz.engine.simulation import Simulation
from agentfuzz.model.script import parse
from agentfuzz.world.injector import FromPlan


@scenario(task="Refund A17.", resume=True)
def desk(world: World) -> None:
    world.agents("triage", "billing", "shipping")

    @world.tool(effect="refund", scope=("order_id",), dedup="scope")
    def refund(order_id: str) -> dict[str, str]:
        return {"refund_id": f"re_{order_id}"}


def history(agent: Any, plan: str = "", *, script: Any = None) -> History:
    """What happened when an agent ran in this world under a plan."""
    story = desk if script is None else replace(desk, scripts=(parse(script),))
    with Simulation() as simulation:
        return simulation.execute(story, agent, FromPlan(FaultPlan.parse(plan)))


def told(found: History, *kinds: type) -> list[tuple[Any, ...]]:
    """The events of these kinds without their places, in order."""
    return [tuple(event)[2:] for event in found.events if type(event) in kinds]
