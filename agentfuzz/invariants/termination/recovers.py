"""The law that one hiccup is not too much (AF219).

Law: what may be repeated safely, and failed once, is no reason to give up. Source: CATALOGUE B38.
"""

from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Called, Committed, Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law

_TRANSIENT = {"timeout", "error", "rate_limited"}
_SAFE = ("key", "scope")  # backends that recognise a repeat


@law(codes={"AF219": "One hiccup was too much"}, catalogue="B38", needs_baseline=True)
def recovers(*, faults: int = 1) -> Check:
    """A run with so few transient faults ends as the run without any does.

    Where at most so many `faults` struck, each of them a timeout, a lost connection or a 429 at
    something that may be repeated (a reading tool, a write whose backend recognises a repeat by key
    or scope, the model's API), the run ends as the fault-free one does: in the same way, with the
    same status, and with all of its effects. What there is too much of others judge.

    NOT_EXERCISED where nothing struck, more than that, or anything else; and where the fault-free
    run did not return.
    """
    if faults < 1:
        raise ScenarioError(f"recovers(faults={faults}): give at least 1.")

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        struck, ended, wanted = history.of(Struck), history.ended, baseline.ended
        if not 1 <= len(struck) <= faults or not all(_harmless(history, one) for one in struck):
            return None
        if ended is None or wanted is None or wanted.how != "returned":
            return None
        missing = [str(one) for one in baseline.effects if one not in history.effects]
        if ended.how == "returned" and history.claim == baseline.claim and not missing:
            return []
        return [_violation(history, baseline, struck, missing)]

    return check


def _harmless(history: History, struck: Struck) -> bool:
    """Whether what a fault struck may be repeated safely."""
    slot, axes = struck.slot, struck.fault.axes
    if slot.boundary == "model":
        return axes[0] in _TRANSIENT
    if slot.boundary != "tool" or axes[-1] not in _TRANSIENT:
        return False
    facts = history.tools.get(slot.name)
    return facts is not None and (facts.effect is None or facts.dedup in _SAFE)


def _violation(
    history: History, baseline: History, struck: list[Struck], missing: list[str]
) -> Violation:
    ended = history.ended
    assert ended is not None, "only what has ended is judged"
    first = struck[0]
    how = history.claim if ended.how == "returned" else ended.how
    lacks = f", without {', '.join(missing)}" if missing else ""
    calls = [call.seq for call in history.of(Called) if call.slot == first.slot]
    done = [commit.seq for commit in history.of(Committed)][:1]
    return Violation(
        code="AF219",
        subject=first.slot.name or "the model",
        title=titled(f"{first.slot.name or 'the model'}: one hiccup was too much"),
        sentence=(
            f"After {len(struck)} transient fault{'s' * (len(struck) > 1)} ({first.slot}: "
            f"{first.fault}) the run ended {how or 'without a claim'}{lacks}; without faults it "
            f"ends {baseline.claim or 'without a claim'}."
        ),
        says=f"{how or 'no claim'}{lacks}",
        world=f"{first.slot} may be repeated safely",
        witness=(*calls[:1], first.seq, *(one for one in done if one > first.seq), ended.seq),
        hint="repeat what may be repeated: a read as it is, a write with the key of its first "
        "attempt, after a pause, and give back on every way out what was taken for it (a lock, a "
        "slot)",
    )
