"""Loops that anybody might write, or gets with a framework, as agents of a story.

Law: a loop knows the story by its task, its tools and its model; the model plans what the story's
survivor does without faults. Where a loop cannot do that, it is not judged. Read by `catalogue`.
"""

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

from agentfuzz import Completion, World, adapters
from agentfuzz.core.events import Called, Committed
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.model.script import parse
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.space import Space
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.tools import KEY

TURNS = 12


def naive(world: World) -> Completion:
    """The ten-line loop: ask, call, append, until the model calls nothing more."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": world.task}]
    for _ in range(TURNS):
        turn = world.model(messages, list(world.tools))
        messages.append(turn)
        if not turn["tool_calls"]:
            return Completion.success(detail=turn["content"] or "")
        for call in turn["tool_calls"]:
            try:
                result = json.dumps(world.call(call["name"], call["arguments"], asked=call["id"]))
            except Exception as error:
                result = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return Completion.blocked(reason="budget")


def reference(world: World) -> Completion:
    """The loop of `examples/reference_loop`."""
    from reference_loop.loop import Loop
    from reference_world import tools_of

    name = world.trigger_id
    loop: Any = Loop(world, tools_of(world), name, name, ())
    ended: dict[str, Any] = loop.run(name, world.task)
    return Completion(**ended)


def langgraph(world: World) -> Completion:
    """`create_agent` of LangChain, as it comes, with the call's id as key."""
    from langchain.agents import create_agent

    lg = adapters.langgraph
    agent = create_agent(lg.model(world), lg.tools(world, key="call_id"))
    said: Any = {"messages": [("user", world.task)]}
    state: Any = agent.invoke(said)
    return Completion.success(detail=str(state["messages"][-1].text))


async def openai_agents(world: World) -> Completion:
    """`Runner.run` of the OpenAI Agents SDK, as it comes, with the call's id as key."""
    from agents import Agent, Runner

    oa = adapters.openai_agents
    agent = Agent(name="agent", model=oa.model(world), tools=oa.tools(world, key="call_id"))
    result = await Runner.run(agent, world.task, max_turns=TURNS)
    return Completion.success(detail=str(result.final_output))


LOOPS: dict[str, Callable[[World], Any]] = {
    "naive": naive,
    "reference": reference,
    "langgraph": langgraph,
    "openai_agents": openai_agents,
}


def scripted(scenario: Scenario, survivor: Callable[[World], Any]) -> Scenario | None:
    """The scenario with a script: its own, or the calls that its survivor makes without faults;
    None where these are no calls of one agent, one after the other."""
    if scenario.cast or scenario.tasks or scenario.given or scenario.cassette is not None:
        return None
    if scenario.script is not None:
        return scenario
    with Simulation() as simulation:
        history = simulation.execute(scenario, survivor, FromPlan())
    calls = [
        (call.slot.name, {name: value for name, value in call.args.items() if name != KEY})
        for call in history.of(Called)
    ]
    return replace(scenario, scripts=(parse([*calls, "Done."]),), resume=False) if calls else None


def fares(story: ModuleType, loop: str, runs: int) -> dict[str, str] | None:
    """What a loop breaks in a story, by code with its smallest plan; None where it does not bring
    about, without faults, what the survivor does."""
    scenario = getattr(story, story.__name__.rpartition(".")[2])
    survivor, agent = story.SURVIVORS[0], LOOPS[loop]
    ready = scripted(scenario, survivor)
    if ready is None:
        return None
    with Simulation() as simulation:
        with contextlib.suppress(Exception):
            meant = simulation.execute(scenario, survivor, FromPlan())
            done = simulation.execute(ready, agent, FromPlan())
            effects = [[one.tool for one in each.of(Committed)] for each in (meant, done)]
            if effects[0] == effects[1] and effects[0]:
                budget = Budget(max_runs=runs, max_seconds=60.0, depth=1, deep_runs=0)
                space = Space(faults=ready.faults)
                search = Campaign(ready, agent, simulation, space=space, budget=budget)
                search.search()
                found: dict[str, str] = {}
                for one in sorted(search.result().findings, key=lambda one: len(one.plan)):
                    found.setdefault(one.code, str(one.plan))
                return found
    return None
