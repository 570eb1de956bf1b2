"""A handoff between two loops: a typed payload, sealed, with the ledger of what was done.

Law: whatever the receiver must not guess is a field; what was changed on the way, is for another
one, is out of date or came before is rejected before anything is done.
"""

import hashlib
import json
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .contract import Outcome, Step


@dataclass(frozen=True)
class Handoff:
    """One state of a task on its way. Its keys are made of `run`; `carry` are facts that must
    arrive as they are, `claims` what was found, each with its source; `effects` the receipts of
    what was done, `ledger` its steps."""

    task: str
    version: int
    owner: str
    run: str
    text: str
    carry: dict[str, Any]
    claims: list[dict[str, Any]]
    effects: list[str]
    ledger: list[Step]
    seal: str = ""

    @property
    def told(self) -> str:
        """What the receiver's model is told."""
        facts = json.dumps({"carry": self.carry, "claims": self.claims, "done": self.effects})
        return f"{self.text} {facts}"

    def sealed(self) -> "Handoff":
        """With a seal over everything else in it."""
        said = json.dumps(asdict(replace(self, seal="")), sort_keys=True)
        return replace(self, seal=hashlib.sha256(said.encode()).hexdigest())


def handoff(steps: Sequence[Step], **rest: Any) -> Handoff:
    """A run so far, to be handed over: what is done goes along with its keys and receipts."""
    done = [step for step in steps if step["outcome"] == Outcome.APPLIED]
    writes = [one for one in done if one["writes"]]
    claims = [{"item": one["tool"], "value": one["said"], "source": one["asked"]} for one in done]
    effects = [one["receipt"] for one in writes]
    return Handoff(**rest, claims=claims, effects=effects, ledger=writes).sealed()


def send(post: Callable[[dict[str, Any]], str], handed: Handoff, attempts: int = 3) -> bool:
    """Post a handoff until its receiver has it. `post` answers `accepted`, a reason against it, or
    "": then it may have arrived, and the same one is posted again."""
    return any(post(asdict(handed)) in ("accepted", "known") for _ in range(attempts))


def receive(store: MutableMapping[str, Any], me: str, payload: Any) -> str:
    """What an agent makes of an arrival: `accepted`, and written down as its own, or why not."""
    if not isinstance(payload, dict) or set(payload) != {field.name for field in fields(Handoff)}:
        return "invalid"
    found = Handoff(**payload)
    if found.sealed() != found:
        return "changed on the way"
    if found.owner != me:
        return f"for {found.owner}"
    mine = store.get(f"{me}/owns/{found.task}", {"version": 0})
    if found.version <= mine["version"]:
        return "known" if found.version == mine["version"] else "out of date"
    store[f"{me}/owns/{found.task}"] = payload
    return "accepted"


def owned(store: MutableMapping[str, Any], me: str) -> list[Handoff]:
    """The handoffs that an agent has accepted, also before its process died."""
    return [Handoff(**store[name]) for name in sorted(store) if name.startswith(f"{me}/owns/")]
