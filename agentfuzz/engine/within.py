"""A leg within another one: the agent begins again while it is still at work.

Law: the inner leg runs from its beginning to its end at the place where it began, and the outer one
then goes on. Given to the process by the simulation.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from agentfuzz.engine.ending import completed
from agentfuzz.engine.scenario import Scenario
from agentfuzz.world.process import Decision
from agentfuzz.world.world import World, inside


def beginning(
    scenario: Scenario, agent: Callable[[World], Any], first: World
) -> Callable[[str, Decision | None], Any]:
    """How a leg begins within another one: the same agent, at once and to its end."""

    def begin(why: str, decision: Decision | None) -> Any:
        process = inside(first).process
        outer = process.leg
        process.begin(why, "running")
        world = first._again(why, decision=decision)
        if decision is not None:
            process.decided(decision)
        how = "returned"
        try:
            answer = agent(world)
            if inspect.isawaitable(answer):
                return _awaited(answer, scenario, world, outer)
            completed(scenario, inside(world), answer)
        except Exception:
            how = "raised"
        process.back(outer, how)
        return None

    return begin


async def _awaited(answer: Awaitable[Any], scenario: Scenario, world: World, outer: int) -> None:
    how = "returned"
    try:
        completed(scenario, inside(world), await answer)
    except Exception:
        how = "raised"
    inside(world).process.back(outer, how)
