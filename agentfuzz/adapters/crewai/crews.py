"""What a setup asks for, as a crew of CrewAI.

Law: an option is the task's, the agent's or the crew's, whose word it is. Called by the entrypoints
of the crewai adapter.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from crewai import Agent, BaseLLM, Crew, Task

from agentfuzz.adapters.contract.adapter import Adapter, Setup
from agentfuzz.adapters.crewai.delegation import crew as crew_in
from agentfuzz.adapters.crewai.tools import TypedAnswer
from agentfuzz.core.completion import Completion

_WORDS = {
    "role": "clerk",
    "goal": "Do what the task says.",
    "backstory": "You do what you are told.",
}


def crew_of(adapter: Adapter, setup: Setup, model: Callable[..., BaseLLM]) -> Crew:
    """A crew of one task. Of several agents the first one has it, and each may delegate. What a
    typed task returns is the result of a tool, which the framework reads as its type."""

    def tools(name: str | None) -> list[Any]:
        return adapter.offered(setup, name) + ([TypedAnswer()] if setup.typed else [])

    members: list[tuple[Mapping[str, Any], BaseLLM, list[Any]]] = [
        ({"role": name, "allow_delegation": True}, model(setup.world, agent=name), tools(name))
        for name in setup.agents
    ] or [({}, model(setup.world), tools(None))]
    options = dict(setup.options)
    if setup.typed:
        options["output_pydantic"] = Completion
    return crew(members, setup.world.task, options, partial(crew_in, setup.world))


def crew(
    members: list[tuple[Mapping[str, Any], BaseLLM, list[Any]]],
    task: str,
    options: dict[str, Any],
    kind: Callable[..., Crew] = Crew,
) -> Crew:
    """A crew of these, of which the first one has the task."""
    each: tuple[dict[str, Any], ...] = ({}, {}, {})
    for name, value in options.items():
        kinds = [name in kind.model_fields for kind in (Task, Agent)]
        each[kinds.index(True) if True in kinds else 2][name] = value
    of_task, of_agent, of_crew = each
    agents = [
        Agent(**{**_WORDS, "llm": llm, "tools": tools, "verbose": False, **words, **of_agent})
        for words, llm, tools in members
    ]
    made = {"description": task, "expected_output": "What was done.", "agent": agents[0], **of_task}
    return kind(agents=agents, tasks=[Task(**made)], **{"verbose": False, **of_crew})
