"""The bundled stories, made ready for a loop that was not written for them.

Law: a loop knows a story by its task, its tools and its model, which plans what the story's
survivor does without faults; where the loop does not bring about the same effects then, the story
says nothing about it, and it is told why. Called by the trial and by `tools/`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from agentfuzz import scenarios
from agentfuzz.conformance.loop import Loop, answer
from agentfuzz.core.errors import AgentfuzzError, near_miss
from agentfuzz.core.events import Called, Committed, Interrupted
from agentfuzz.core.history import History
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.model.script import parse
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.tools import KEY


@dataclass(frozen=True, slots=True)
class Story:
    """A bundled story: its scenario, and the agent that keeps all of its laws."""

    name: str
    scenario: Scenario
    survivor: Agent


@dataclass(frozen=True, slots=True)
class Ready:
    """A story for a loop, and the loop as it is tried there; or `why` it cannot be."""

    scenario: Scenario
    agent: Agent
    why: str = ""


@cache
def modules() -> Mapping[str, ModuleType]:
    """The modules of the bundled stories by name."""
    files = {file.stem for folder in scenarios.__path__ for file in Path(folder).glob("*.py")}
    return {
        name: import_module(f"{scenarios.__name__}.{name}") for name in sorted(files - {"__init__"})
    }


def story(name: str) -> Story:
    """The story of this name. Raises AgentfuzzError."""
    module = modules().get(name)
    if module is None:
        raise AgentfuzzError(
            f"there is no story {name!r}.{near_miss(name, modules())} Stories are: "
            f"{', '.join(modules())}."
        )
    return Story(name, getattr(module, name), module.SURVIVORS[0])


def ready(one: Story, loop: Loop, simulation: Simulation) -> Ready:
    """A story with a script for this loop, if without faults it does there what the survivor
    does. Where that one asks a person, so does this loop, before it calls the same tools."""
    scenario, agent = one.scenario, loop.agent
    if scenario.cast or scenario.tasks or scenario.given or scenario.cassette is not None:
        return Ready(scenario, agent, "its scenario is about more than one task of one agent")
    tools = scenario.world(FromPlan(), Clock()).gateway.specs.values()
    if not loop.awaits and (later := [tool.name for tool in tools if tool.is_async]):
        return Ready(scenario, agent, f"its tool {later[0]} is async, and this loop is not")
    try:
        meant = simulation.execute(scenario, one.survivor, FromPlan())
        if loop.alone and meant.of(Interrupted):
            waiting = approved(meant)
            if loop.asking is None or not waiting:
                why = "its agent asks a person for an approval; this loop cannot"
                return Ready(scenario, agent, why)
            agent = loop.asking(waiting)
        scenario = replace(scripted(scenario, meant), outcome=answer)
        done = simulation.execute(scenario, agent, FromPlan())
        return Ready(scenario, agent, _differs(meant, done))
    except AgentfuzzError as error:
        return Ready(scenario, agent, f"it cannot be tried: {error}")


def approved(meant: History) -> list[str]:
    """The tools of a story for whose calls its agent asks a person."""
    asked = {event.call for event in meant.of(Interrupted)}
    return list(dict.fromkeys(call.slot.name for call in meant.of(Called) if call.asked in asked))


def scripted(scenario: Scenario, meant: History) -> Scenario:
    """The scenario with a script: its own, or the calls that its survivor makes without faults."""
    if scenario.script is not None:
        return scenario
    calls = [
        (call.slot.name, {name: value for name, value in call.args.items() if name != KEY})
        for call in meant.of(Called)
    ]
    return replace(scenario, scripts=(parse([*calls, "Done."]),), resume=False)


def _differs(meant: History, done: History) -> str:
    """Why a run without faults is not what the story is about, or an empty text."""
    wanted, came = ([one.tool for one in each.of(Committed)] for each in (meant, done))
    if wanted == came and wanted:
        return ""
    ended = done.ended
    assert ended is not None, "a frozen history has an ending"
    how = {"returned": "", "cut_off": f", cut off ({ended.error})"}.get(
        ended.how, f", {ended.how}: {ended.error}: {ended.detail}"[:300]
    )
    return (
        f"without faults its effects are to be {_named(wanted)}, and with this loop are "
        f"{_named(came)}{how}"
    )


def _named(tools: Sequence[str]) -> str:
    """`2 x pay, ship`: the tools that took effect, as often as they did."""
    counts = {tool: tools.count(tool) for tool in tools}
    said = [f"{many} x {tool}" if many > 1 else tool for tool, many in counts.items()]
    return ", ".join(said) or "none"
