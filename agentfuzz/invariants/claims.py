"""Laws about what the agent says against what the world holds (AF301).

Law: success is a statement about the world, and the ledger refutes it. Called by the run through
`Invariant`. Source: CATALOGUE law C4.
"""

from collections.abc import Callable

from agentfuzz.core.events import Called, Committed, Done
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law
from agentfuzz.invariants.effects import by_intent, claimed_success, expected_something


@law()
def truthful(*, postcondition: Callable[[History], bool] | None = None) -> Check:
    """C4: when the agent claims success, every effect of the fault-free run has happened (without
    one: some effect has), no request was still under way that took effect later, and the
    `postcondition`, a function of the history, holds.

    NOT_EXERCISED when the agent did not claim success.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        claim = claimed_success(history)
        if claim is None:
            return None
        found = [_refuted(claim, what) for what in _missing(history, baseline)]
        found += _still_open(history, claim)
        if postcondition is not None and not postcondition(history):
            name = getattr(postcondition, "__name__", "postcondition")
            found.append(_refuted(claim, f"the postcondition {name} does not hold"))
        return found

    return check


def _missing(history: History, baseline: History | None) -> list[str]:
    have = by_intent(history.ledger)
    need = by_intent(baseline.ledger) if baseline is not None else {}
    if not need and not have and expected_something(history, baseline):
        return ["nothing has happened"]
    return [f"{intent} has not happened" for intent in need if intent not in have]


def _still_open(history: History, claim: Done) -> list[Violation]:
    before = {event.call for event in history.of(Called) if event.seq < claim.seq}
    return [
        _refuted(claim, f"{commit.intent} was still under way and took effect later", commit)
        for commit in history.of(Committed)
        if commit.seq > claim.seq and commit.call in before
    ]


def _refuted(claim: Done, what: str, commit: Committed | None = None) -> Violation:
    return Violation(
        "AF301",
        "claim",
        "claims success, world disagrees",
        f"The agent claims success, but {what}.",
        f"{claim.status} ({claim.reason})",
        what,
        (claim.seq,) if commit is None else (claim.seq, commit.seq),
        "derive the claim from receipts or a look-up, and say blocked or partial otherwise",
    )
