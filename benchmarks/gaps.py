"""How long one of two processors has nothing to do in a campaign by two processes with a memo.

    python benchmarks/gaps.py

A LangGraph agent and an agent of the OpenAI Agents SDK, searched to depth two. One processor is
idle while no child has anything to run, and while one has and the campaign waits for it. What a
busy machine does to seconds it does to all of them: trust the shares.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import _agents
from _measure import table

from agentfuzz import World
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Real
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.executors import processes
from agentfuzz.search.space import Space

AGENTS = (_agents.langgraph, _agents.openai_agents)
EXCLUDED = ("loop", "fan_out")  # of a hundred turns or calls a run

spent: Counter[tuple[int, bool]] = Counter()  # seconds, by children with work and who waits


class Timed(processes.Processes):
    """Adds up how long so many children had something to run, with the campaign waiting or not."""

    since = 0.0

    def _begin(self) -> None:
        self.since = self.since or Real.monotonic()
        super()._begin()

    @property
    def _at_work(self) -> int:
        return sum(bool(child.busy) for child in self._children)

    def _so_far(self, at_work: int, *, waits: bool = False) -> None:
        now = Real.monotonic()
        spent[at_work, waits] += now - self.since
        self.since = now

    def _send(self, child: Any, chunk: Any) -> None:
        self._so_far(self._at_work)
        super()._send(child, chunk)

    def _receive(self, *, wait: bool = True) -> int:
        at_work = self._at_work
        self._so_far(at_work)
        found = super()._receive(wait=wait)
        self._so_far(at_work, waits=wait)
        return found

    def close(self) -> None:
        self._so_far(self._at_work)
        super().close()


def campaign(agent: Callable[[World], Any], **budget: Any) -> float:
    begun = Real.monotonic()
    with Simulation() as simulation:
        given = Budget(max_seconds=1e9, deep_runs=0, **budget)
        space = Space(exclude=EXCLUDED)
        search = Campaign(_agents.charge_twice, agent, simulation, space=space, budget=given)
        search.search()
        search.result()
    return Real.monotonic() - begun


def main() -> None:
    processes.Processes = Timed  # type: ignore[misc]
    rows = []
    for agent in AGENTS:
        campaign(agent, max_runs=5)  # what is imported and compiled once
        spent.clear()
        whole = campaign(agent, max_runs=1_000_000, workers=2, memo="on")
        none = spent[0, False] + whole - sum(spent.values())  # before and after there are children
        shares = (none, spent[1, True], spent[1, False] + spent[2, True] + spent[2, False])
        rows.append((agent.__name__, *(f"{100 * share / whole:.0f} %" for share in shares)))
    header = ("", "no child works", "one, and it is waited for", "two processes or more")
    table("of the time of a campaign by two processes", header, rows)


if __name__ == "__main__":
    main()
