"""Receipts: for each finding what was done, how often it was observed, and with which versions.

Law: an effect is counted where it happened, in the ledger, never by what the agent says; nothing is
in it that changes from run to run. Called by the writer.
"""

from collections.abc import Iterable, Mapping

from agentfuzz.core.codec import digest
from agentfuzz.core.events import Called, Committed, Intent, Json, Replied, Struck
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.history import History
from agentfuzz.report import packages
from agentfuzz.report.account import Account
from agentfuzz.report.formats import json
from agentfuzz.report.formats.format import Format
from agentfuzz.telling import story as stories

RECEIPT, RECEIPTS = "agentfuzz.receipt", 1


def finding(cx: Counterexample, account: Account) -> str:
    """The receipt of a finding."""
    story = stories.tell(cx)
    files = [cx.nodeid.partition("::")[0], (cx.location or "").rpartition(":")[0]]
    told: dict[str, Json] = {
        "schema": f"{RECEIPT}/{RECEIPTS}",
        "id": cx.id,
        "code": cx.code,
        **({"known": True} if cx.known else {}),
        "title": cx.title,
        "sentence": cx.violation.sentence,
        "law": cx.law,
        "test": cx.nodeid,
        "scenario": cx.scenario,
        "location": cx.location,
        "plan": story.plan,
        "faults": [{"plan": one.plan, "words": one.words} for one in story.faults],
        "actions": [_action(intent, cx.history) for intent in _intents(cx)],
        "says": cx.violation.says,
        "world": cx.violation.world,
        "observed": story.effects,
        "observed_without_fault": story.plain_effects or story.effects,
        "history": f"sha256:{digest(cx.history)}",
        "versions": packages.versions(account.places.root, filter(None, files)),
        "replay": story.replay,
    }
    return json.text(told)


def _intents(cx: Counterexample) -> Iterable[Intent]:
    """What the verdict is about: the intents of the events on which it rests, else of the run."""
    history, witness = cx.history, cx.violation.witness
    calls = [one.intent for one in stories.witness_calls(history, witness)]
    shown = [event.intent for event in history.ledger if event.seq in witness]
    every = [event.intent for event in history.of(Called)]
    some = [one for one in (*calls, *shown) if one is not None]
    return {str(one): one for one in some or every if one is not None}.values()


def _action(intent: Intent, history: History) -> dict[str, Json]:
    """One action: each call for it, and how often it took effect."""
    effects = [event for event in history.ledger if str(event.intent) == str(intent)]
    made = {event.call for event in effects}
    calls = [
        event
        for event in history.of(Called)
        if str(event.intent) == str(intent) or event.call in made
    ]
    tools = [history.tools[event.tool] for event in effects if event.tool in history.tools]
    return {
        "id": str(intent),
        "effect": intent.effect,
        "scope": dict(intent.scope),
        "attempts": [_attempt(nth, one, history, effects) for nth, one in enumerate(calls)],
        "observed": len(effects),
        "observed_in": "your own backend" if any(one.observed for one in tools) else "the ledger",
    }


def _attempt(
    nth: int, called: Called, history: History, effects: Iterable[Committed]
) -> Mapping[str, Json]:
    replied = next((one for one in history.of(Replied) if one.call == called.call), None)
    struck = next((one for one in history.of(Struck) if one.slot == called.slot), None)
    return {
        "call": called.call,
        "asked": called.asked,
        "slot": str(called.slot),
        "retry": nth,
        "arguments": dict(called.args),
        "idempotency_key": called.key,
        "fault": None if struck is None else str(struck.fault),
        "outcome": None if replied is None else replied.outcome,
        "raised": None if replied is None else replied.raised,
        "effects": [one.effect_id for one in effects if one.call == called.call],
    }


FORMAT = Format(name="receipt", finding=finding, suffix=".receipt.json", order=9)
