"""A framework's default loop in a situation: what one plan shows, and what a campaign finds.

Law: runs are counted, not timed; the situation is that of every framework.
"""

from typing import Any

from agentfuzz import run
from agentfuzz.adapters.contract import Adapter, agent
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import ModelTurn
from agentfuzz.core.history import History
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.space import Space

FAILS = ("lost", "twice", "late", "timeout", "error", "rate_limited", "ambiguous")


def codes(adapter: Adapter, name: str, entrypoint: str, plan: str = "", **words: Any) -> set[str]:
    """The laws that are broken under one plan."""
    return {one.code for one in _played(adapter, name, entrypoint, plan, words).violations}


def turns(adapter: Adapter, name: str, entrypoint: str, plan: str, **words: Any) -> int:
    """How often the model was asked under one plan."""
    return len(history(adapter, name, entrypoint, plan, **words).of(ModelTurn))


def history(adapter: Adapter, name: str, entrypoint: str, plan: str = "", **words: Any) -> History:
    """What happened under one plan."""
    return _played(adapter, name, entrypoint, plan, words).history


def _played(adapter: Adapter, name: str, entrypoint: str, plan: str, words: Any) -> Any:
    chosen = situation(adapter, name)
    return run(chosen.scenario, agent(adapter, entrypoint, **{**chosen.words, **words}), plan)


def findings(
    adapter: Adapter,
    name: str,
    entrypoint: str,
    *,
    only: tuple[str, ...] = FAILS,
    depth: int = 2,
    max_runs: int = 150,
    **words: Any,
) -> dict[str, str]:
    """What a campaign finds, each code by its smallest plan: what fails on the way to a tool or to
    the model's API, once and twice, bursts among them, unless something else is said."""
    chosen = situation(adapter, name)
    loop = agent(adapter, entrypoint, **{**chosen.words, **words})
    budget = Budget(depth=depth, deep_runs=0, max_runs=max_runs, max_seconds=3_600)
    with Simulation() as simulation:
        search = Campaign(chosen.scenario, loop, simulation, space=Space(only=only), budget=budget)
        search.search()
        found = search.result().findings
    return {one.code: str(one.plan) for one in sorted(found, key=lambda one: -len(one.plan))}
