"""One campaign of one framework's default loop in one situation, told as JSON: what a tool of this
project asks of an environment in which it does not live itself.

    python tools/campaign_of.py FRAMEWORK [SITUATION ENTRYPOINT VARIANT DEPTH [PLAN]] [-FAULT ...]
                                [runs=N]

Law: the framework, its version and its options are those of the environment and of the variant;
nothing here knows one. With a plan it is played alone; with a framework alone, its
adapter's facts are told. Run by `frameworks` and `gauntlet`.
"""

import importlib.util
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agentfuzz.adapters.contract import Adapter, agent, found, release
from agentfuzz.adapters.testing import situation
from agentfuzz.engine.simulation import Simulation
from agentfuzz.engine.single import run
from agentfuzz.invariants import errors_surface, known_input
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.space import Space

ROOT = Path(__file__).resolve().parent.parent
MAX_RUNS, MAX_SECONDS = 3_000, 1_500.0


def variant(framework: str, name: str) -> Mapping[str, Any]:
    """The framework's own options by the name of the set. Raises KeyError."""
    if not name:
        return {}
    path = ROOT / "tests" / "frameworks" / framework / "variants.py"
    spec = importlib.util.spec_from_file_location("variants", path)
    assert spec is not None, path
    assert spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    options: Mapping[str, Any] = module.VARIANTS[name]()
    return options


def told(
    framework: str,
    name: str,
    entrypoint: str,
    of: str,
    depth: int,
    plan: str | None,
    without: Sequence[str] = (),
    most: int = MAX_RUNS,
) -> Any:
    """The codes of what is found, each with its plans, the smallest first. `without` are faults
    that are not tried; `most` is how many runs there may be."""
    adapter: Adapter = found(framework)
    chosen = situation(adapter, name)
    loop = agent(adapter, entrypoint, **{**chosen.words, **variant(framework, of)})
    begun, codes = time.perf_counter(), dict[str, list[str]]()
    runs = 1
    if plan is not None:
        for violation in run(chosen.scenario, loop, plan).violations:
            codes[violation.code] = [plan or "no faults"]
    else:
        with Simulation() as simulation:
            budget = Budget(max_runs=most, max_seconds=MAX_SECONDS, depth=depth, deep_runs=0)
            space = Space(faults=chosen.scenario.faults, exclude=without)
            search = Campaign(chosen.scenario, loop, simulation, space=space, budget=budget)
            search.search()
            result = search.result()
        runs = result.runs
        for one in sorted(result.findings, key=lambda one: len(one.plan)):
            codes.setdefault(one.code, []).append(str(one.plan))
    return {
        "release": release(adapter),
        "codes": codes,
        "runs": runs,
        "seconds": round(time.perf_counter() - begun, 1),
    }


def shown(adapter: Adapter) -> dict[str, dict[str, str]]:
    """What each entrypoint's model is shown that nobody declared, and the errors that it is not:
    the sentences of two laws, by entrypoint, without a fault and with one tool that fails."""
    told: dict[str, dict[str, str]] = {"hidden": {}, "misplaced": {}}
    alone = replace(
        situation(adapter, "alone").scenario, invariants=(known_input(), errors_surface())
    )
    for entrypoint in adapter.entrypoints:
        loop = agent(adapter, entrypoint)
        for plan in ("", "ship#1:once/error", "ship#1:once/timeout"):
            for violation in run(alone, loop, plan).violations:
                kind = "hidden" if violation.code == "AF416" else "misplaced"
                told[kind].setdefault(entrypoint, violation.sentence)
    return told


def facts(framework: str) -> Any:
    """What an adapter says of its framework, and what its model is shown beside what it should."""
    adapter: Adapter = found(framework)
    return {
        "shown": shown(adapter),
        "release": release(adapter),
        "entrypoints": list(adapter.entrypoints),
        "limits": {name: [one.counts, one.default] for name, one in adapter.limits.items()},
        "meets": dict(adapter.meets),
        "has": [
            word
            for word, has in (
                ("sessions", adapter.sessions),
                ("typed output", adapter.typed),
                ("approvals", adapter.pauses_for),
                ("handoffs", adapter.hands_over),
            )
            if has
        ],
    }


def main(arguments: list[str]) -> Any:
    if len(arguments) == 1:
        return facts(*arguments)
    without = [word[1:] for word in arguments if word.startswith("-")]
    runs = [int(word[5:]) for word in arguments if word.startswith("runs=")]
    arguments = [word for word in arguments if not word.startswith(("-", "runs="))]
    framework, name, entrypoint, of, depth = arguments[:5]
    plan = arguments[5] if len(arguments) > 5 else None
    return told(framework, name, entrypoint, of, int(depth), plan, without, *runs)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
