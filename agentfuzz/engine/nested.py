"""A leg within another one: a second delivery, or a decision, that arrives while the agent works.

Law: it is the same agent, begun at once and run to its end; the leg around it goes on as before,
whatever came of it. Called by the simulation, which hands the process a way to begin one.
"""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from agentfuzz.engine.ending import asserted, completed
from agentfuzz.engine.outcomes import Outcomes
from agentfuzz.engine.scenario import Scenario
from agentfuzz.world.acting import nobody
from agentfuzz.world.process import Decision
from agentfuzz.world.world import World, inside


def within(
    scenario: Scenario,
    agent: Callable[[World], Any],
    now: World,
    task: str,
    outcomes: Outcomes,
    note: Callable[[World, str, BaseException], None],
) -> Callable[[str, Decision | None], Any]:
    """How a leg of this agent begins within the one that has this world: with the first task, for
    that is what is delivered again. `note` is told of what was raised."""

    def begin(why: str, decision: Decision | None) -> Any:
        process = inside(now).process
        outer = process.leg
        process.begin(why, "running")
        world = now._again(why, task=task, decision=decision)
        if decision is not None:
            process.decided(decision)
        how = "returned"
        try:
            with nobody():
                answer = agent(world)
            if isawaitable(answer):
                return awaited(answer, world, outer)
            completed(scenario, inside(world), answer)
        except Exception as error:
            how = raised(error, world)
        process.back(outer, how)
        return None

    async def awaited(answer: Awaitable[Any], world: World, outer: int) -> None:
        how = "returned"
        try:
            with nobody():
                found = await answer
            completed(scenario, inside(world), found)
        except Exception as error:
            how = raised(error, world)
        inside(world).process.back(outer, how)

    def raised(error: Exception, world: World) -> str:
        if outcomes.leaving(error) is not None:
            raise error
        failed = asserted(error, inside(world), agent, outcomes)
        note(world, "asserted" if failed else "raised", failed or error)
        return "raised"

    return begin
