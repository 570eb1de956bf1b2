"""A handoff between two loops: a typed payload, sealed, with the ledger of what was done.

Law: whatever the receiver must not guess is a field; what was changed on the way, is for another
one, is out of date or came before is rejected before anything is done.
"""

import hashlib
import json
from collections.abc import MutableMapping, Sequence
from typing import Any

from .contract import Outcome, Step

Handoff = dict[str, Any]  # task, version, owner, carry, claims, effects, questions, text


def seal(payload: Handoff) -> str:
    """A digest of everything in a handoff but the seal itself."""
    carry = {name: value for name, value in payload["carry"].items() if name != "seal"}
    said = json.dumps({**payload, "carry": carry}, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def handoff(
    steps: Sequence[Step], task: str, version: int, owner: str, text: str, **facts: Any
) -> Handoff:
    """A run so far, to be handed over: `facts` must arrive as they are, and so must the steps that
    are done, with their keys; `claims` are what was found, each with its source."""
    done = [step for step in steps if step["outcome"] == Outcome.APPLIED]
    writes = [one for one in done if one["writes"]]
    payload: Handoff = {"task": task, "version": version, "owner": owner, "text": text}
    payload["claims"] = [
        {"item": one["tool"], "value": one["said"], "source": one["asked"]} for one in done
    ]
    payload |= {"effects": [one["receipt"] for one in writes], "questions": []}
    payload["carry"] = {**facts, "ledger": writes}
    payload["carry"]["seal"] = seal(payload)
    return payload


def receive(store: MutableMapping[str, Any], me: str, payload: Any) -> str:
    """What an agent makes of an arrival: `accepted`, and written down as its own, or why not."""
    try:
        whole = payload["carry"]["seal"] == seal(payload)
    except (KeyError, TypeError, AttributeError):
        return "invalid"
    if not whole:
        return "changed on the way"
    if payload["owner"] != me:
        return f"for {payload['owner']}"
    mine = store.get(f"{me}/owns/{payload['task']}", {"version": 0})
    if payload["version"] <= mine["version"]:
        return "known" if payload["version"] == mine["version"] else "out of date"
    store[f"{me}/owns/{payload['task']}"] = payload
    return "accepted"


def owned(store: MutableMapping[str, Any], me: str) -> list[Handoff]:
    """The handoffs that an agent has accepted, also before its process died."""
    return [store[name] for name in sorted(store) if name.startswith(f"{me}/owns/")]


def told(payload: Handoff) -> str:
    """What the receiver's model is told."""
    carry = {name: one for name, one in payload["carry"].items() if name not in ("ledger", "seal")}
    facts = {"carry": carry, "claims": payload["claims"], "done": payload["effects"]}
    return f"{payload['text']} {json.dumps(facts)}"
