"""The journal: what a run has written down, and finds again when its process has died.

Law: a key is made of the run, the step's number, the tool and the business scope; nothing that a
model wrote besides, and nothing random, is in it.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Data = dict[str, Any]  # plain, for it is written down


class Tool(NamedTuple):
    """What may be relied on of a tool: without that no loop can be right."""

    takes: tuple[str, ...]  # its parameters, without the key
    scope: tuple[str, ...] = ()  # those that name the business object
    writes: bool = False
    dedup: str = "none"  # how its backend knows a repeat: none, key or scope
    receipt: Callable[[Data, Any], str] = lambda arguments, reply: ""  # the proof in a reply
    look_up: str = ""  # the tool that reads the truth, and what it says: "" for no, None: unclear
    found: Callable[[Data, Any], str | None] = lambda arguments, reply: None
    after: str = ""  # the tool on whose effect this one rests
    undo: str = ""  # the tool that takes it back
    approval: bool = False  # by a person


@dataclass
class Journal:
    """One record for a run, written in one step: its conversation, steps, budgets and end. Keys are
    made of `run_id`. `ledger` are steps that were done before the task was handed over."""

    host: Any  # see `adapter`
    tools: Mapping[str, Tool]
    run_id: str
    name: str
    needs: Sequence[tuple[Any, ...]] = ()  # tools and scopes without which success is none
    ledger: Sequence[Data] = ()

    def read(self) -> None:
        """Go on from what was written last."""
        empty = {"talk": [], "queue": [], "open": [], "heard": [], "steps": self.ledger}
        self.state: Data = self.host.store.get(self.name) or empty

    def save(self) -> None:
        """Write it down."""
        self.host.store[self.name] = self.state

    def hear(self, message: str, text: str) -> None:
        """A message of the user's, once by its id: new budgets, and old readings are forgotten."""
        if message not in self.state["heard"]:
            self.state["heard"].append(message)
            self.state["queue"].append(text)
            steps = [one | {"attempts": 0, "seen": []} for one in self.writes()]
            self.state |= {"steps": steps, "said": "", "end": None, "began": time.time()}
            self.state |= {"turns": 0, "calls": 0, "silent": 0}
            self.save()

    def step(self, name: str, arguments: Data, asked: str | None) -> Data:
        """The step of a call: the same business object is the same step, in whatever words."""
        tool, steps = self.tools[name], self.state["steps"]
        scope = json.dumps([arguments[one] for one in (tool.scope if tool.writes else tool.takes)])
        for one in steps:
            if (one["tool"], one["scope"]) == (name, scope) and one["outcome"] != "undone":
                return one  # type: ignore[no-any-return]
        key = f"{self.run_id}/{len(self.writes())}/{name}/{scope}"
        step: Data = {"tool": name, "scope": scope, "key": key, "arguments": arguments}
        step |= {"asked": asked, "approval": "", "said": "", "receipt": ""}
        step |= {"outcome": "planned", "attempts": 0, "next": 0.0, "seen": []}
        steps.append(step)
        return step

    def writes(self, *outcomes: str) -> list[Data]:
        """The steps that write, or those of them that stand at one of these outcomes."""
        writes = [one for one in self.state["steps"] if self.tools[one["tool"]].writes]
        return [one for one in writes if not outcomes or one["outcome"] in outcomes]
