"""What took effect more than once (AF101, AF102).

Law: the ledger decides, by intent; whether the agent called again or the network delivered one
call twice makes the code. Asked by `at_most_once` and `exactly_once`.
"""

from agentfuzz.core.events import Committed, Intent
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.queries.model_alone import asked_again
from agentfuzz.invariants.queries.undoing import at_once

_OWN = (
    "let your backend recognise the repeat: a unique index on what names the intent, or on the "
    "idempotency key"
)


def duplicates(history: History, effect: str | None) -> list[Violation]:
    """The intents of an effect (None: of any) that took effect more than once: not counted is what
    had been taken back for good before it was done again."""
    if not history.repeats:
        return []
    found = [
        (intent, at_once(history, commits))
        for intent, commits in history.effects.items()
        if len(commits) > 1 and effect in (None, intent.effect)
    ]
    return [_duplicate(history, intent, commits) for intent, commits in found if len(commits) > 1]


def _duplicate(history: History, intent: Intent, commits: list[Committed]) -> Violation:
    tool, times = commits[-1].tool, len(commits)
    calls = list(dict.fromkeys(commit.call for commit in commits))
    again = len(calls) > 1
    if again:
        told = asked_again(history, commits)
        why = told[0] if told else f": the agent called {tool} again."
        sentence = f"{intent} took effect {times} times{why}"
        hint = told[1] if told else _key_hint(history, calls, tool)
    else:
        sentence = (
            f"{intent} took effect {times} times: one request was delivered {times} times "
            f"and the backend of {tool} did not recognise it."
        )
        hint = (
            f"give {tool} an idempotency key, or let its backend deduplicate by scope "
            "(dedup='key' or dedup='scope'), or say where it runs (transport=)"
        )
        if tool in history.tools and history.tools[tool].observed:
            hint = _OWN
    asked = sum(called.intent == intent for called in history.calls.values())
    asked = max(asked, len(calls))  # of rows that were observed no call says the intent
    return Violation(
        code="AF101" if again else "AF102",
        subject=intent.effect,
        title=f"{tool} ran {times}x, expected 1",
        sentence=sentence,
        says=f"{history.claim or 'no completion'} after {asked} call{'s' * (asked > 1)}",
        world=f"{intent} happened {times} times",
        witness=tuple(commit.seq for commit in commits),
        hint=hint,
    )


def _key_hint(history: History, calls: list[str], tool: str) -> str:
    facts = history.tools.get(tool)
    keys = [history.calls[call].key for call in calls]
    if facts and facts.dedup == "none":
        return f"look up before calling again, or give {tool} an idempotency key"
    if any(key is None for key in keys):
        return "send one idempotency key per intent, minted before the first attempt"
    if len(set(keys)) > 1:
        return "mint the key once per intent, before the first attempt, and keep it for retries"
    if facts and facts.observed:
        return _OWN
    return "the key outlived its dedup window; look up before calling again"
