"""A handoff between two loops: a typed payload, sealed, with the ledger of what was done.

Law: whatever the receiver must not guess is a field; what was changed on the way, is for another
one, is out of date or came before is rejected before anything is done.
"""

import hashlib
import json
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .contract import APPLIED, Step


@dataclass(frozen=True)
class Handoff:
    """One state of a task on its way. `id` names it at each delivery; `run` is what its keys are
    made of; `carry` are facts that must arrive as they are, `claims` what was found, each with its
    source; `effects` the receipts of what was done, `ledger` its steps."""

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
    def id(self) -> str:
        return f"{self.task}@{self.version}"

    def sealed(self) -> "Handoff":
        """With a seal over everything else in it."""
        said = json.dumps(asdict(replace(self, seal="")), sort_keys=True)
        return replace(self, seal=hashlib.sha256(said.encode()).hexdigest())


def of_steps(steps: Sequence[Step], **rest: Any) -> Handoff:
    """A handoff of a run so far: what is done goes along with its keys and receipts."""
    done = [step for step in steps if step["writes"] and step["outcome"] == APPLIED]
    found = [step for step in steps if not step["writes"] and step["outcome"] == APPLIED]
    claims = [
        {"item": one["tool"], "value": one["said"], "source": one["asked"]} for one in found
    ]  # fmt: skip
    effects = [one["receipt"] for one in done]
    return Handoff(**rest, claims=claims, effects=effects, ledger=done).sealed()


def send(post: Callable[[dict[str, Any]], str], handoff: Handoff, attempts: int = 3) -> str:
    """Post it until it is `accepted` or `rejected`; without an answer it is posted again under the
    same id, and its sender owns the task no more. "": nobody has answered."""
    for _ in range(attempts):
        answer = post(asdict(handoff))
        if answer == "accepted":
            return answer
    return answer


def receive(store: MutableMapping[str, Any], me: str, payload: Any) -> tuple[Handoff | None, str]:
    """What an agent makes of an arrival: the handoff, which it owns now; or None and why not."""
    names = {field.name for field in fields(Handoff)}
    if not isinstance(payload, dict) or set(payload) != names:
        return None, "invalid"
    found = Handoff(**payload)
    if found.sealed() != found:
        return None, "changed on the way"
    if found.owner != me:
        return None, f"for {found.owner}"
    latest = store.get(f"{me}/{found.task}/version", 0)
    if found.version <= latest:
        return None, "known" if found.version == latest else "out of date"
    store[f"{me}/{found.task}/version"] = found.version
    return found, ""
