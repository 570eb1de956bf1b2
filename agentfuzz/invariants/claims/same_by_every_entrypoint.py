"""The law about the entrypoints of a loop: sync, async, streamed, one API or another (AF305).

Law: whichever entrypoint a task goes in by, the same effects come of it, and the same ending.
Differential: two runs are each other's oracle, and nothing has to be declared. The law takes, as
its baseline, the run under the same plan by another entrypoint; `differences` only compares.
Source: CATALOGUE law P10.
"""

from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.ledgers import unequal


@law(codes={"AF305": "Two entrypoints, two outcomes"}, catalogue="P10", needs_baseline=True)
def same_by_every_entrypoint() -> Check:
    """Every entrypoint of a loop has the same effects and the same ending.

    The effects (intents and counts) and the ending (how, and the claim) are those of the run given
    as baseline: the same plan, by another entrypoint.

    NOT_EXERCISED when the baseline is the run itself, or was struck by other faults.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        if history is baseline or _struck(history) != _struck(baseline):
            return None
        return differences(history, baseline)

    return check


def _struck(history: History) -> set[tuple[Slot, Fault]]:
    return {(event.slot, event.fault) for event in history.of(Struck)}


def differences(
    history: History,
    other: History,
    *,
    entrypoint: str = "this entrypoint",
    than: str = "the other one",
) -> list[Violation]:
    """How two runs of one plan by two entrypoints differ in their effects and endings. A fault that
    struck behind one of them only, because the other never got there, is no excuse."""
    found: list[Violation] = []
    for intent, tool, have, want in unequal(history, other):
        witness = [commit.seq for commit in history.effects.get(intent, ())]
        found.append(
            _differ(
                intent.effect,
                f"{tool} ran {have}x, by the other {want}x",
                f"{intent} {have}x by {entrypoint}",
                f"{intent} {want}x by {than}",
                tuple(witness) or (len(history.events) - 1,),
            )
        )
    mine, yours = _ending(history), _ending(other)
    if mine is not None and yours is not None and mine[0] != yours[0]:
        found.append(
            _differ(
                "ending",
                "another ending by another entrypoint",
                f"{mine[0]}{_why(history)} by {entrypoint}",
                f"{yours[0]}{_why(other)} by {than}",
                (mine[1],),
            )
        )
    return found


def _ending(history: History) -> tuple[str, int] | None:
    ended = history.ended
    if ended is None:
        return None
    claim = history.claim
    return f"{ended.how}{f', {claim}' if claim else ', no claim'}", ended.seq


def _why(history: History) -> str:
    """What an ending that is none of its own says: its exception, or why it was cut off."""
    ended = history.ended
    if ended is None or not ended.error:
        return ""
    return f" ({ended.error}{': ' if ended.detail else ''}{ended.detail})"


def _differ(subject: str, title: str, mine: str, yours: str, witness: tuple[int, ...]) -> Violation:
    return Violation(
        code="AF305",
        subject=subject,
        title=title,
        sentence=f"The same task under the same faults came out differently: {mine}, {yours}.",
        says=mine,
        world=yours,
        witness=witness,
        hint=(
            "put one loop behind all of them, and let each change only how the answer is handed out"
        ),
    )
