"""Loops that anybody might write, or gets with a framework, as agents of a story.

    python tools/loops.py FRAMEWORK

Law: a loop is tried as `--agentfuzz-loop` tries it (`agentfuzz.conformance`): where it does not do
what the story is about, it is not judged. As a program it tells as JSON what became of the default
loop of a framework that is installed, in every story. Read by `catalogue`, run by `frameworks`.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import agentfuzz
from agentfuzz import Completion, FaultPlan, PlanError, World
from agentfuzz.adapters.contract import found, names, release
from agentfuzz.conformance.loop import loop as named
from agentfuzz.conformance.loop import of
from agentfuzz.conformance.stories import Ready, modules, ready, story
from agentfuzz.core.errors import AgentfuzzError
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


def reference(story: str) -> Callable[[World], Completion]:
    """The loop of `examples/reference_loop`, with what it is told of a story."""
    from reference_words import WORDS, words
    from reference_world import agent

    told = WORDS.get(story, words())
    return agent(told.tools, told.needs, told.hidden, told.nudge)


OWN: dict[str, Callable[[str], Any]] = {"naive": lambda story: naive, "reference": reference}
ROOT = Path(__file__).resolve().parent.parent
PROOFS = ROOT / "scenarios" / "rows.json"
KEPT = ROOT / "reports" / "frameworks" / "catalogue.json"
RUNS = 300  # in a story, of a loop that is written here
FRAMEWORK_RUNS = 60  # of a framework: it costs two minutes of a processor, about
# A program for each run: the plans of the rows, and no others; a fifth of a second for each run.
DEAR = {"claude_agent_sdk": 0, "crewai": 15}


class Column(NamedTuple):
    """What became of a loop: in each story what it breaks, by code with its smallest plan; None
    where it does not do what the story is about. `runs` is how many there were in each at most,
    beside those under the plans of the rows."""

    name: str
    release: str
    runs: int
    stories: Mapping[str, Mapping[str, str] | None]


def columns(stories: Sequence[str], kept: Path = KEPT) -> list[Column]:
    """Every loop that can be named, in these stories: those that are here tried now, and of the
    others what is kept of them."""
    file = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    known = {name: Column(name, **came) for name, came in file.items()}
    known |= {one.name: one for one in tried([*OWN, *names()], stories)}
    return [known[name] for name in (*OWN, *names()) if name in known]


def keep(column: Column, kept: Path = KEPT) -> None:
    """Put a framework's column beside those that are kept."""
    file = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    its = column._asdict()
    file[its.pop("name")] = its
    kept.write_text(json.dumps(file, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def tried(loops: Sequence[str], stories: Sequence[str]) -> list[Column]:
    """Those loops that are here, or whose framework is, each in these stories."""
    fresh = get_context("spawn")  # a framework's threads would be missing in a fork
    with ProcessPoolExecutor(os.cpu_count(), mp_context=fresh) as pool:
        here = dict(zip(loops, pool.map(release_of, loops), strict=True))
        cases = [(one, name) for name in loops for one in stories if here[name] is not None]
        came = dict(zip(cases, pool.map(fares, *zip(*cases, strict=True)), strict=True))
    return [
        Column(name, its, runs_of(name), {one: came[one, name] for one in stories})
        for name, its in here.items()
        if its is not None
    ]


def runs_of(loop: str) -> int:
    """How many runs of a campaign a loop gets in a story."""
    return RUNS if loop in OWN else DEAR.get(loop, FRAMEWORK_RUNS)


def release_of(loop: str) -> str | None:
    """The release of a framework; nothing of a loop that has none, None if it is not installed."""
    if loop in OWN:
        return ""
    try:
        return release(found(loop))
    except AgentfuzzError:
        return None


def fares(name: str, loop: str) -> dict[str, str] | None:
    """What a loop breaks in a story, by code with its smallest plan: in a campaign that is bounded,
    and under the plans that show the rows there. None where it does not bring about, without
    faults, what the survivor does."""
    its = of(loop, OWN[loop](name)) if loop in OWN else named(loop, Path.cwd())
    with Simulation() as simulation:
        made = ready(story(name), its, simulation)
        if made.why:
            return None
        broken: dict[str, str] = {}
        if runs := runs_of(loop):
            budget = Budget(max_runs=runs, max_seconds=60.0, depth=1, deep_runs=0)
            space = Space(faults=made.scenario.faults)
            search = Campaign(made.scenario, made.agent, simulation, space=space, budget=budget)
            search.search()
            for one in sorted(search.result().findings, key=lambda one: len(one.plan)):
                broken.setdefault(one.code, str(one.plan))
        return {**dict(_by_rows(name, made, simulation)), **broken}


def _by_rows(name: str, made: Ready, simulation: Simulation) -> Iterator[tuple[str, str]]:
    """What breaks under the plans that show the rows of a story, where they strike at all."""
    proofs = json.loads(PROOFS.read_text("utf-8")).values()
    plans = {proof["plan"] for proof in proofs if proof["story"] == name}
    for plan in sorted(plans, key=lambda one: (-len(FaultPlan.parse(one)), one)):
        with suppress(PlanError):
            run = agentfuzz.run(made.scenario, made.agent, plan, simulation=simulation)
            for violation in run.violations:
                yield violation.code, plan


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """A framework's column. Raises AgentfuzzError."""
    release(found(arguments[0]))
    (column,) = tried(arguments, list(modules()))
    return column._asdict()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:2])))
