"""The law that a run ends by itself (AF201 to AF203).

Law: iterations are counted, not distinct errors; part of every scenario. Source: CATALOGUE law L1.
"""

from agentfuzz.core.events import Called, Ended, ModelTurn
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.outline import ENDING, Resting


@law(
    codes={
        "AF201": "The run never ended by itself, or went over a declared limit",
        "AF202": "The loop spins without a call",
        "AF203": "The loop waits for what cannot come",
    },
    catalogue="L1",
    always=True,
)
def bounded(*, calls: int | None = None, turns: int | None = None) -> Check:
    """The run ends by itself, within `calls` tool calls and `turns` model turns if given.

    A run that was cut off (by the budget, the watchdog, or because nothing could act any more)
    breaks it. Counts iterations, not distinct errors.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        ended = history.ended
        if ended is None:
            return None
        if ended.how == "cut_off":
            return [_cut_off(ended, history)]
        if calls is None and turns is None:
            return []
        found = []
        for word, limit, seqs in (
            ("tool calls", calls, [event.seq for event in history.of(Called)]),
            ("model turns", turns, [event.seq for event in history.of(ModelTurn)]),
        ):
            if limit is not None and len(seqs) > limit:
                found.append(_over(word, len(seqs), limit, seqs[limit]))
        return found

    return Resting(check, ENDING) if calls is None and turns is None else check


_CUT_OFF = {
    "budget": (
        "AF201",
        "never ended by itself",
        "count attempts, and end with partial, blocked or failed when they are used up",
    ),
    "spinning": (
        "AF202",
        "spins without a call",
        "look at the stack: this loop waits for something that only a tool call could change",
    ),
    "hung": (
        "AF203",
        "waits for what cannot come",
        "give every wait a deadline (asyncio.timeout) and handle its expiry",
    ),
}


def _cut_off(ended: Ended, history: History) -> Violation:
    code, title, hint = _CUT_OFF.get(ended.error, _CUT_OFF["budget"])
    calls = len(history.of(Called))
    return Violation(
        code=code,
        subject="run",
        title=title,
        sentence=f"The run was cut off after {calls} tool calls and {ended.t:g} virtual seconds"
        f"{': ' + ended.detail if ended.detail else ''}.",
        says="still busy",
        world=f"cut off ({ended.error})",
        witness=(ended.seq,),
        hint=hint,
    )


def _over(word: str, have: int, limit: int, seq: int) -> Violation:
    return Violation(
        code="AF201",
        subject=word,
        title=f"{have} {word}, limit {limit}",
        sentence=f"The run made {have} {word}; its declared limit is {limit}.",
        says="ended by itself",
        world=f"{have} {word}",
        witness=(seq,),
        hint="count attempts, and end with partial, blocked or failed when they are used up",
    )
