"""A loop on trial: its scenario, its agent, and what agentfuzz has to say of it.

Law: an honest loop is never accused, and of a broken one the bug that was planted is found. The
loops stand in the modules beside this one; the tests run all of them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from agentfuzz import Scenario, ToolError
from agentfuzz.engine.simulation import Agent

# What a careful loop takes for "no answer", and what for "refused".
LOST = (TimeoutError, ConnectionError)
FAILURES = (*LOST, ToolError)


class Loop(NamedTuple):
    """`codes`: any of them finds the planted bug; empty for an honest loop. `space` are the words
    of `@fuzz`: `faults`, `only` and `exclude`."""

    name: str
    scenario: Scenario
    agent: Agent
    codes: tuple[str, ...]
    space: dict[str, Any]


HONEST: dict[str, Loop] = {}
BROKEN: dict[str, Loop] = {}


def honest(scenario: Scenario, **space: Any) -> Callable[[Agent], Agent]:
    """This loop breaks nothing."""

    def add(agent: Agent) -> Agent:
        name = agent.__name__
        assert name not in HONEST, f"two honest loops are called {name}"
        HONEST[name] = Loop(name, scenario, agent, (), space)
        return agent

    return add


def broken(scenario: Scenario, *codes: str, **space: Any) -> Callable[[Agent], Agent]:
    """This loop has one bug, which one of these codes tells."""

    def add(agent: Agent) -> Agent:
        name = agent.__name__
        assert name not in BROKEN, f"two broken loops are called {name}"
        BROKEN[name] = Loop(name, scenario, agent, codes, space)
        return agent

    return add
