"""A handoff between two loops: a typed payload, sealed, with the ledger of what was done.

Law: whatever the receiver must not guess is a field; what was changed on the way, is for another
one, is out of date or came before is rejected before anything is done.
"""

import hashlib
import json
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from .loop import ATTEMPTS, Data


def seal(payload: Data) -> str:
    """A digest of everything in a handoff but the seal itself."""
    said = json.dumps({**payload, "carry": {**payload["carry"], "seal": ""}}, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def handoff(steps: Sequence[Data], task: str, version: int, owner: str, **facts: Any) -> Data:
    """A run to be handed over: `facts` must arrive as they are, and so must what was done, with its
    keys; `claims` are what was found, each with its source; `text` is what a model is told."""
    done = [step for step in steps if step["outcome"] == "applied"]
    claims = [{"item": one["tool"], "value": one["said"], "source": one["asked"]} for one in done]
    ledger = [one for one in done if one["receipt"]]
    payload: Data = {"task": task, "version": version, "owner": owner, "claims": claims}
    payload |= {"effects": [one["receipt"] for one in ledger], "questions": []}
    payload["text"] = json.dumps({**payload, "facts": facts})
    payload["carry"] = {**facts, "ledger": ledger}
    payload["carry"]["seal"] = seal(payload)
    return payload


def hand_over(send: Callable[[Data], str], payload: Data) -> bool:
    """Send a handoff until its receiver has it; without an answer, the same one again."""
    return any(send(payload) in ("accepted", "known") for _ in range(ATTEMPTS))


def receive(store: MutableMapping[str, Any], me: str, payload: Any) -> str:
    """What an agent makes of an arrival: `accepted`, and written down as its own, or why not."""
    try:
        if payload["carry"]["seal"] != seal(payload):
            return "changed on the way"
    except (KeyError, TypeError):
        return "invalid"
    if payload["owner"] != me:
        return f"for {payload['owner']}"
    name = f"{me}/owns/{payload['task']}"
    had = store.get(name, {"version": 0})["version"]
    if payload["version"] <= had:
        return "known" if payload["version"] == had else "out of date"
    store[name] = payload
    return "accepted"


def owned(store: MutableMapping[str, Any], me: str) -> list[Data]:
    """The handoffs that an agent has accepted, also before its process died."""
    return [store[name] for name in sorted(store) if name.startswith(f"{me}/owns/")]
