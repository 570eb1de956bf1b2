"""The law that a run ends in its time (AF215).

Law: a leg gets to an ending within its time, counted from where it last got anywhere. Source:
CATALOGUE law C7; Tian Pan, "'Done!' Is Not a Return Code" (2026).
"""

from collections.abc import Iterator, Sequence

from agentfuzz.core.codec import dump, plain
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import (
    Committed,
    Crashed,
    Delivered,
    Done,
    Ended,
    Event,
    ModelTurn,
    Refused,
    Replayed,
    Replied,
    Resumed,
    Struck,
)
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import logical

# What the backend does by itself; all else is an act of the agent, or reaches it.
_BACKEND = (Delivered, Committed, Replayed, Refused, Struck)


@law(codes={"AF215": "The run did not end in its time"}, catalogue="C7")
def ends_within(*, seconds: float | None = None, turns: int | None = None) -> Check:
    """Every leg of a run ends within its time.

    From the beginning of a leg, or from its last progress, to its completion or ending pass at most
    so many virtual `seconds`, and at most so many `turns` of a model. Progress is an effect, or a
    reply that says applied and is new: the same answer to the same question is none. A run that
    hangs has no ending at all.

    Departs from the catalogue: what is asked for is any ending. Whether it is a structured one is
    `structured_termination`'s to judge, the budget `bounded`'s, and spinning `returns_control`'s.
    Time that a fault skipped (`clock_jump`), or that another leg took in between, does not count.

    NOT_EXERCISED when no leg has ended, or the run ran into its budget before its time was up.
    """
    given = {"seconds": seconds, "turns": turns}
    limits = {word: limit for word, limit in given.items() if limit is not None}
    if not limits or any(limit <= 0 for limit in limits.values()):
        raise ScenarioError(
            f"ends_within({', '.join(f'{k}={v}' for k, v in limits.items())}) declares no time "
            "that a run could keep; give at least one, as in ends_within(seconds=60), above 0."
        )

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        found: list[Violation] = []
        for leg in history.legs:
            found += _overruns(history, _until_the_end(leg), seconds, turns)
        ended = history.ended
        if ended is not None and ended.how == "cut_off" and ended.error == "hung":
            found.append(_never(ended))
        over = any(isinstance(e, (Done, Ended, Crashed, Resumed)) for e in history.events)
        stopped = ended is not None and ended.how == "cut_off"
        return found if found or (over and not stopped) else None

    return check


def _until_the_end(leg: Sequence[Event]) -> list[Event]:
    """The events of a leg up to its ending. What arrives after the agent has answered moves the
    clock, and is no time that the agent took."""
    kept: list[Event] = []
    for event in leg:
        late = bool(kept) and _by_itself(kept[-1])
        if not isinstance(event, Ended) or not late:
            kept.append(event)
        if isinstance(event, (Ended, Crashed)) or (isinstance(event, Done) and not event.problem):
            break
    while kept and _by_itself(kept[-1]):
        kept.pop()
    return kept


def _by_itself(event: Event) -> bool:
    """Whether nothing of it is the agent's; that nobody will answer is known when it asks."""
    asked = isinstance(event, Struck) and event.slot.boundary == "approval"
    return isinstance(event, _BACKEND) and not asked


def _overruns(
    history: History, leg: list[Event], seconds: float | None, turns: int | None
) -> Iterator[Violation]:
    if not leg:
        return
    mark, since, taken = leg[0], leg[0].t if isinstance(leg[0], Resumed) else 0.0, 0
    known: set[str] = set()
    before, jumps = leg[0], False
    for event in leg:
        jumps = jumps or _jumped(event)  # until the agent has something of it again
        if jumps or isinstance(event, Resumed):
            since += event.t - before.t
        before, jumps = event, jumps and isinstance(event, _BACKEND)
        if seconds is not None and event.t - since > seconds:
            yield _too_long(mark, event, "seconds", seconds, f"{event.t - since:g} s")
            return
        if isinstance(event, ModelTurn):
            taken += 1
            if turns is not None and taken > turns:
                yield _too_long(mark, event, "turns", turns, f"{taken} turns of a model")
                return
        elif _progress(history, event, known):
            mark, since, taken = event, event.t, 0


def _jumped(event: Event) -> bool:
    return isinstance(event, Struck) and event.fault.axes[0] == "clock_jump"


def _progress(history: History, event: Event, known: set[str]) -> bool:
    if isinstance(event, Committed):
        return True
    if not isinstance(event, Replied) or event.outcome not in ("applied", "replayed"):
        return False
    said = dump([*logical(history.calls[event.call]), plain(event.body)])
    new = said not in known
    known.add(said)
    return new


def _too_long(mark: Event, event: Event, word: str, limit: float, took: str) -> Violation:
    unit = "s" if word == "seconds" else word
    return Violation(
        code="AF215",
        subject=word,
        title=f"no ending within {limit:g} {unit}",
        sentence=(
            f"{took} after it had begun or last got anywhere, this leg of the run had not ended; "
            f"its declared time is {limit:g} {unit}."
        ),
        says="still at work",
        world=f"{took} without progress",
        witness=(mark.seq, event.seq),
        hint="measure time and turns since the last progress, and end with blocked or failed",
    )


def _never(ended: Ended) -> Violation:
    return Violation(
        code="AF215",
        subject="run",
        title="waits for ever",
        sentence=(
            "The run waited for what cannot come, and had to be cut "
            f"off{': ' * bool(ended.detail)}{ended.detail}."
        ),
        says="still waiting",
        world="nothing can come any more",
        witness=(ended.seq,),
        hint="give every wait a deadline, and end with blocked or failed when it is over",
    )
