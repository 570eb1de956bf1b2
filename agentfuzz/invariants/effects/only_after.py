"""The law that an effect waits for what it needs (AF117, AF118).

Law: the agent has to know that the one has happened before it calls for the other, and not to have
taken it back. Source: CATALOGUE B32 and B33; anomalies A5 and A6 of arXiv 2609.15397.
"""

from agentfuzz.core.events import Committed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.confirmed import confirmations, resting_on
from agentfuzz.invariants.queries.undoing import undone


@law(
    codes={
        "AF117": "An effect before what it needs was confirmed",
        "AF118": "An effect that rests on one that was taken back",
    },
    catalogue="B32 B33",
)
def only_after(effect: str, *, needs: str) -> Check:
    """An effect is called for only once what it needs is known to have happened, and stands.

    `only_after("shipment", needs="charge")`: before each call that brings about a shipment, the
    agent has had a whole reply to a call of the charge, or a whole answer of a reading tool, asked
    about its scope when it had happened. A reply that was cut off, breaks its schema, says
    "accepted" or gives orders confirms nothing, nor does an exception (AF117). And not every such
    charge has been taken back (`undoes`) by then (AF118). The two are about the same thing where
    the names that their scopes share have the same values.

    An agent that was told a lie is not blamed for it. NOT_EXERCISED when the effect never took
    place.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        made = [commit for commit in history.ledger if commit.intent.effect == effect]
        if not made:
            return None
        found = []
        for commit in made:
            called = history.calls[commit.call].seq
            before = resting_on(history, commit, needs)
            gone = undone(history, called)
            if before and all(one.seq in gone for one in before):
                found.append(_withdrawn(commit, before[-1]))
            elif not any(seq < called for seq in confirmations(history, needs, commit.intent)):
                found.append(_premature(commit, called, needs, before))
        return found

    return check


def _premature(commit: Committed, called: int, needs: str, before: list[Committed]) -> Violation:
    known = "had happened, and no reply had said so" if before else "had not happened"
    return Violation(
        code="AF117",
        subject=commit.intent.effect,
        title=titled(f"{commit.tool} ran before {needs}"),
        sentence=(
            f"{commit.intent} took effect, and when it was called for, the {needs} that it needs "
            f"{known}."
        ),
        says=f"{commit.tool} goes on as if {needs} were certain",
        world=f"{needs} {known}",
        witness=(*(one.seq for one in before), called, commit.seq),
        hint=f"go on to {commit.tool} from the receipt of {needs} (or from a look-up), not because "
        "it was asked for",
    )


def _withdrawn(commit: Committed, gone: Committed) -> Violation:
    return Violation(
        code="AF118",
        subject=commit.intent.effect,
        title=titled(f"{commit.tool} rests on an undone effect"),
        sentence=(
            f"{gone.intent} had been taken back when {commit.intent}, which rests on it, was "
            "called for."
        ),
        says=f"{commit.tool} took effect",
        world=f"{gone.intent} does not stand",
        witness=(gone.seq, commit.seq),
        hint=f"end the task, or do {gone.intent.effect} again, once it was taken back",
    )
