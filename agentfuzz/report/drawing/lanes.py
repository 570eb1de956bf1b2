"""The lanes of a picture: who has one, and where it stands.

Law: the model's lane stands left of the agents that ask it, that of the tools between them and the
backend; a lane that no row enters is left out. Pure; called by `draw`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentfuzz.core.lanes.row import Row

TIME = 40
_FIRST = 60
_MODEL = 94  # from the model's line to the first agent's
_AGENT = 132  # from one agent's line to the next
_TOOLS = 120  # from the last agent's line to that of the tools
_BACKEND = 122  # from there to the backend's
_EDGE = 110  # what is right of the backend's line: half a box, and the way to a twin
_AGENTS = 5  # that have a line; what others do is in the table


@dataclass(frozen=True, slots=True)
class Lanes:
    """Where each line stands; `model` is None where no model took a turn."""

    model: float | None
    agents: Mapping[str, float]
    tools: float
    backend: float
    width: int

    def of(self, who: str) -> float:
        """The line of an agent; of nobody's rows that of the first one."""
        return self.agents.get(who, next(iter(self.agents.values())))

    def heads(self) -> list[tuple[float, str]]:
        """Every line with its name."""
        model = [] if self.model is None else [(self.model, "model")]
        agents = [(x, name or "agent") for name, x in self.agents.items()]
        return [*model, *agents, (self.tools, "tools (network)"), (self.backend, "backend")]


def standing(rows: Sequence[Row], names: Sequence[str]) -> Lanes:
    """Where the lanes stand of these agents; without names there is one agent."""
    asked = any(row.kind == "model" for row in rows)
    first = _FIRST + _MODEL * asked
    agents = {name: first + _AGENT * n for n, name in enumerate(names or [""])}
    tools = max(agents.values()) + _TOOLS
    backend = tools + _BACKEND
    return Lanes(_FIRST if asked else None, agents, tools, backend, backend + _EDGE)


def acting(rows: Sequence[Row]) -> list[str]:
    """The agents that matter, in the order in which they came in: those of a fault or of what the
    verdict rests on, with those that handed over to them; else the first ones."""
    every = list(dict.fromkeys(row.who for row in rows if row.who))
    if len(every) < 2:
        return []
    told = {row.who: None for row in rows if row.who and (row.mark or row.witness)}
    passed = {row.passes for row in rows if row.passes and row.who in told}
    told |= {row.who: None for row in rows if row.who and row.passes in passed}
    found = [*told, *(name for name in every if name not in told)][:_AGENTS]
    return [name for name in every if name in found]
