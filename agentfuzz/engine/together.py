"""Several tasks of one run at once: one leg each, all on one event loop.

Law: each leg has the world and the trigger of its task, and its own ending; whichever goes on says
so in the history, as one that was waiting does (`back`). The run ends as the leg does that ends
last. Called by the simulation.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from inspect import isawaitable
from typing import Any

from agentfuzz.core.errors import ScenarioError
from agentfuzz.engine.ending import completed
from agentfuzz.engine.scenario import Scenario
from agentfuzz.world.acting import LEG
from agentfuzz.world.world import World, inside

Note = Callable[[World, str, BaseException], None]


def together(
    scenario: Scenario, agent: Callable[[World], Any], first: World, note: Note
) -> tuple[Scenario, Callable[[World], Awaitable[Any]]]:
    """The scenario and the agent of a leg in which all tasks go on: what each of them answers has
    been taken at its word by its end. `note` is told of what was raised."""

    async def all_of_them(world: World) -> Any:
        process, worlds = inside(first).process, [first]
        for task in scenario.tasks[1:]:
            process.begin("task", "running")
            worlds.append(worlds[-1]._again("task", task=task))
        process.log.leg, process.log.named = len(worlds), True
        return await asyncio.gather(*(one(each) for each in worlds))

    async def one(world: World) -> Any:
        LEG.set(world.leg)
        log, how, value = inside(world).log, "returned", None
        try:
            answer = agent(world)
            if not isawaitable(answer):
                raise ScenarioError(
                    f"scenario {scenario.name!r} has concurrent=True, and the agent is no async "
                    "function: nothing of it could go on beside another task."
                )
            value = await answer
            log.turn()
            completed(scenario, inside(world), value)
        except Exception as error:
            log.turn()
            how = "raised"
            note(world, how, error)
            if ended() == len(scenario.tasks) - 1 or isinstance(error, ScenarioError):
                raise
        over.append(world.leg)
        log.ended = how
        return value

    over: list[int] = []

    def ended() -> int:
        return len(over)

    return replace(scenario, outcome=None), all_of_them
