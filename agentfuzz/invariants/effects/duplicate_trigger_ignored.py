"""The law that a trigger counts once, however often it is delivered (AF111).

Law: a second delivery of a trigger changes nothing, neither after the end nor in the middle.
Source: CATALOGUE law R2.
"""

from agentfuzz.core.events import Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.ledgers import Unequal, unequal


@law(
    codes={"AF111": "A second delivery of the trigger changed the outcome"},
    catalogue="R2",
    needs_baseline=True,
)
def duplicate_trigger_ignored() -> Check:
    """A trigger that is delivered twice has the effects of one.

    With nothing but second deliveries of the trigger, after the end or in the middle, the ledger
    holds what it holds in the run with one: each intent as often, nothing more and nothing less.

    NOT_EXERCISED when another fault struck, or none, or neither run committed anything.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        struck = history.of(Struck)
        if not struck or not all(_is_second_delivery(event) for event in struck):
            return None
        if not (history.ledger or baseline.ledger):
            return None
        return [_differs(history, one) for one in unequal(history, baseline)]

    return check


def _is_second_delivery(event: Struck) -> bool:
    return event.fault.axes[0] == "duplicate_trigger"


def _differs(history: History, one: Unequal) -> Violation:
    intent, tool, have, want = one
    commits = [commit.seq for commit in history.effects.get(intent, ())]
    second = history.of(Struck)[0].seq
    return Violation(
        code="AF111",
        subject=intent.effect,
        title=f"{tool} ran {have}x, one trigger {want}x",
        sentence=(
            f"The trigger was delivered again, and {intent} happened {have} times; with one "
            f"delivery it happens {want} times."
        ),
        says=f"{intent} {want}x with one delivery",
        world=f"{intent} {have}x with two",
        witness=tuple(sorted({second, *commits})),
        hint=(
            "make the trigger's id a key: claim it in one step before any work, and answer a "
            "second delivery with the first one's result"
        ),
    )
