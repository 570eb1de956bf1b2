"""Loops that anybody might write, or gets with a framework, as agents of a story.

Law: a loop is tried as `--agentfuzz-loop` tries it (`agentfuzz.conformance`): where it does not do
what the story is about, it is not judged. Read by `catalogue`.
"""

import json
from typing import Any

from agentfuzz import Completion, World, adapters
from agentfuzz.conformance.loop import Loop, of
from agentfuzz.conformance.stories import ready, story
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.space import Space

TURNS = 12


def naive(task: str, tools: Any, model: Any) -> Any:
    """The ten-line loop: ask, call, append, until the model calls nothing more."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": task}]
    for _ in range(TURNS):
        turn = model(messages, list(tools))
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"] or ""
        for call in turn["tool_calls"]:
            try:
                result = json.dumps(tools[call["name"]](**call["arguments"]))
            except Exception as error:
                result = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return Completion.failed(reason="budget_exhausted")


def reference(world: World) -> Completion:
    """The loop of `examples/reference_loop`."""
    from reference_loop.loop import Loop
    from reference_world import tools_of

    name = world.trigger_id
    loop: Any = Loop(world, tools_of(world), name, name, ())
    ended: dict[str, Any] = loop.run(name, world.task)
    return Completion(**ended)


def langgraph(world: World) -> str:
    """`create_agent` of LangChain, as it comes, with the call's id as key."""
    from langchain.agents import create_agent

    lg = adapters.langgraph
    agent = create_agent(lg.model(world), lg.tools(world, key="call_id"))
    said: Any = {"messages": [("user", world.task)]}
    state: Any = agent.invoke(said)
    return str(state["messages"][-1].text)


async def openai_agents(world: World) -> str:
    """`Runner.run` of the OpenAI Agents SDK, as it comes, with the call's id as key."""
    from agents import Agent, Runner

    oa = adapters.openai_agents
    agent = Agent(name="agent", model=oa.model(world), tools=oa.tools(world, key="call_id"))
    result = await Runner.run(agent, world.task, max_turns=TURNS)
    return str(result.final_output)


LOOPS: dict[str, Loop] = {
    "naive": of("naive", naive),
    "reference": of("reference", reference),
    "langgraph": Loop("langgraph", langgraph),
    "openai_agents": Loop("openai_agents", openai_agents),
}


def fares(name: str, loop: str, runs: int) -> dict[str, str] | None:
    """What a loop breaks in a story, by code with its smallest plan; None where it does not bring
    about, without faults, what the survivor does."""
    agent = LOOPS[loop].agent
    with Simulation() as simulation:
        made = ready(story(name), LOOPS[loop], simulation)
        if made.why:
            return None
        budget = Budget(max_runs=runs, max_seconds=60.0, depth=1, deep_runs=0)
        space = Space(faults=made.scenario.faults)
        search = Campaign(made.scenario, agent, simulation, space=space, budget=budget)
        search.search()
        found: dict[str, str] = {}
        for one in sorted(search.result().findings, key=lambda one: len(one.plan)):
            found.setdefault(one.code, str(one.plan))
        return found
