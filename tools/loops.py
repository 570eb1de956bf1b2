"""Loops that anybody might write, or gets with a framework, as agents of a story.

Law: a loop is tried as `--agentfuzz-loop` tries it (`agentfuzz.conformance`): where it does not do
what the story is about, it is not judged. Read by `catalogue`.
"""

import json
from pathlib import Path
from typing import Any

from agentfuzz import Completion, World
from agentfuzz.conformance.loop import loop as named
from agentfuzz.conformance.loop import of
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


OWN = {"naive": of("naive", naive), "reference": of("reference", reference)}
LOOPS = (*OWN, "langgraph", "openai_agents")  # and what frameworks do by default


def fares(name: str, loop: str, runs: int) -> dict[str, str] | None:
    """What a loop breaks in a story, by code with its smallest plan; None where it does not bring
    about, without faults, what the survivor does."""
    tried = OWN.get(loop) or named(loop, Path.cwd())
    with Simulation() as simulation:
        made = ready(story(name), tried, simulation)
        if made.why:
            return None
        budget = Budget(max_runs=runs, max_seconds=60.0, depth=1, deep_runs=0)
        space = Space(faults=made.scenario.faults)
        search = Campaign(made.scenario, tried.agent, simulation, space=space, budget=budget)
        search.search()
        found: dict[str, str] = {}
        for one in sorted(search.result().findings, key=lambda one: len(one.plan)):
            found.setdefault(one.code, str(one.plan))
        return found
