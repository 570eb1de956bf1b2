"""The law that faults leave no trace in the world (AF105).

Law: whatever happens on the way, the world ends up as it does without faults, or the answer says
otherwise. Source: CATALOGUE law E4.
"""

from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.ledgers import Unequal, unequal


@law(
    codes={"AF105": "The ledger differs from the fault-free run"},
    catalogue="E4",
    needs_baseline=True,
)
def replay_transparency() -> Check:
    """Under faults the ledger holds what it holds without them, or the answer says otherwise.

    Nothing more than in the fault-free run; and nothing less unless the ending says otherwise
    (another status than success, an exception, or being cut off). Compares effects and scopes: the
    oracle that needs no declaration.

    NOT_EXERCISED when neither run committed anything, and in the fault-free run itself.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        if history is baseline or not (history.ledger or baseline.ledger):
            return None
        differing = list(unequal(history, baseline))
        if not differing:
            return []
        ended = history.ended
        returned = ended is not None and ended.how == "returned"
        silent = returned and history.claim in ("success", None)
        return [_differs(history, one) for one in differing if one.have > one.want or silent]

    return check


def _differs(history: History, one: Unequal) -> Violation:
    intent, tool, have, want = one
    commits = [commit.seq for commit in history.effects.get(intent, ())]
    silent = "" if have > want else " and the answer does not say so"
    return Violation(
        code="AF105",
        subject=intent.effect,
        title=f"{tool} ran {have}x, fault-free {want}x",
        sentence=f"{intent} happened {have} times, {want} times in the run without faults{silent}.",
        says=history.claim or "no structured answer",
        world=f"{intent} {have}x instead of {want}x",
        witness=tuple(commits) or (history.events[-1].seq,),
        hint="make a repeat recognisable (one key per intent), or end with an honest status",
    )
