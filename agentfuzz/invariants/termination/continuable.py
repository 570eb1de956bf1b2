"""The law that a conversation can go on after any ending (AF213).

Law: whatever a run ended with, the next leg of its conversation can begin. Source: CATALOGUE law
P7, and the bugs behind it.
"""

from collections.abc import Iterator

from agentfuzz.core.events import Decided, ModelInput, ModelTurn, Resumed, Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.conversations import NOT_SAID, bound


@law(codes={"AF213": "The conversation cannot be continued"}, catalogue="P7")
def continuable() -> Check:
    """Whatever a conversation ended with, it can be resumed.

    When a conversation is resumed after an ending of any kind, the first input of the new leg holds
    no call without a result, and the leg gets as far as a turn of the model. Legs that a fault
    struck (also on the way of the decision that they bring) may fail; one that ran into the budget
    is `bounded`'s to judge.

    NOT_EXERCISED when nothing was resumed.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        legs = history.of(Resumed)
        if all(leg.why == "task" for leg in legs):  # another task is another conversation
            return None
        found: list[Violation] = []
        for leg, following in zip(legs, [*legs[1:], None], strict=True):
            if leg.why == "task":
                continue
            stop = len(history.events) if following is None else following.seq
            found += _leg(history, leg, stop, following is None)
        return found[:1]

    return check


def _leg(history: History, leg: Resumed, stop: int, is_last: bool) -> Iterator[Violation]:
    first = next((g for g in history.of(ModelInput) if leg.seq < g.seq < stop), None)
    if first is not None:
        items = list(bound(first))
        open_calls = [i for kind, i in items if kind == "call" and ("result", i) not in items]
        if open_calls:
            yield _stuck(leg, first.seq, f"the call {open_calls[0]} has no result")
            return
    said = [t for t in history.of(ModelTurn) if leg.seq < t.seq < stop and t.stop not in NOT_SAID]
    struck = any(leg.seq < event.seq < stop for event in history.of(Struck))
    if any(leg.seq < event.seq < stop for event in history.of(Decided)):
        struck = struck or any(event.slot.boundary == "approval" for event in history.of(Struck))
    ended = history.ended
    if said or struck or not is_last or ended is None or ended.how == "returned":
        return
    if ended.how == "cut_off" and ended.error == "budget":
        return
    yield _stuck(leg, ended.seq, f"it {_HOW[ended.how]} ({ended.error}) before any turn of a model")


_HOW = {
    "raised": "raised",
    "died": "died",
    "cancelled": "was cancelled",
    "crashed": "crashed",
    "cut_off": "was cut off",
}


def _stuck(leg: Resumed, seq: int, why: str) -> Violation:
    return Violation(
        code="AF213",
        subject="conversation",
        title="cannot be continued",
        sentence=f"The conversation was resumed ({leg.why}), and {why}.",
        says=f"resumed at {leg.t:g}s",
        world=why,
        witness=(leg.seq, seq),
        hint="on every way out, give each open call a result before you keep the conversation",
    )
