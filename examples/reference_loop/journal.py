"""The journal: what a run has written down, and finds again when its process has died.

Law: a step gets its id and its key when the model emits it, from the run, its number, the tool and
the business scope; nothing that a model wrote, and nothing random, is in a key.
"""

import json
from collections.abc import MutableMapping
from copy import deepcopy
from typing import Any

from .contract import Args, Outcome, Step, Tool

EMPTY: dict[str, Any] = {"talk": [], "queue": [], "heard": [], "steps": [], "said": "", "end": None}


class Journal:
    """One record for a run: its conversation, its steps, its budgets, its end."""

    def __init__(self, store: MutableMapping[str, Any], run: str, name: str) -> None:
        self.run, self.name, self._store = run, name, store
        self.state: dict[str, Any] = store.get(name) or deepcopy(EMPTY)

    def save(self) -> None:
        """Write it down, all in one step."""
        self._store[self.name] = self.state

    def hear(self, message: str, text: str, now: float) -> None:
        """A message of the user's, once by its id: new budgets, and old readings are forgotten."""
        if message in self.state["heard"]:
            return
        steps = [step for step in self.state["steps"] if step["writes"]]
        for step in steps:
            step.update(attempts=0, looked=0)
        self.state.update(steps=steps, said="", end=None)
        self.state.update(turns=0, calls=0, silent=0, began=now)
        self.state["heard"].append(message)
        self.state["queue"].append(text)
        self.save()

    def step(self, tool: Tool, arguments: Args, asked: str | None) -> Step:
        """The step of an intent: the one that it has already, or a new one. The same business
        object is the same step, in whatever words and however often it is asked for."""
        names = tool.scope if tool.writes else tool.takes
        scope = json.dumps([arguments[name] for name in names])
        for step in reversed(self.state["steps"]):
            if (step["tool"], step["scope"]) == (tool.name, scope) and not step["undone"]:
                return step  # type: ignore[no-any-return]
        number = 1 + sum(step["writes"] for step in self.state["steps"])
        key = f"{self.run}/{number}/{tool.name}/{scope}" if tool.writes else ""
        found: Step = {"tool": tool.name, "scope": scope, "key": key, "writes": tool.writes}
        found |= {"arguments": dict(arguments), "asked": asked, "said": "", "receipt": ""}
        found |= {"outcome": Outcome.PLANNED, "attempts": 0, "looked": 0, "next": 0.0}
        found |= {"undone": False, "approval": None}
        self.state["steps"].append(found)
        return found

    def writes(self, *outcomes: str) -> list[Step]:
        """The writes that stand at one of these outcomes."""
        steps = [step for step in self.state["steps"] if step["writes"] and not step["undone"]]
        return [step for step in steps if step["outcome"] in outcomes]

    @property
    def done(self) -> list[Step]:
        return self.writes(Outcome.APPLIED)

    @property
    def doubt(self) -> list[Step]:
        return self.writes(Outcome.UNKNOWN, Outcome.IN_FLIGHT)
