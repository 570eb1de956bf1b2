"""The law that a 429 is waited for (AF218).

Law: a 429 with its Retry-After says when to come back. Source: CATALOGUE B37.
"""

import re
from collections.abc import Iterator

from agentfuzz.core.events import Called, ModelInput, ModelTurn, Replied, Resumed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import logical, struck_by
from agentfuzz.invariants.queries.conversations import conversations, origin

_SAID = re.compile(r"retry[- ]after:? (\d+(\.\d+)?)", re.IGNORECASE)
_BY_DEFAULT = 1.0  # virtual seconds that a 429 of the model's API asks for
_SLACK = 1e-6


@law(codes={"AF218": "A Retry-After was not waited for"}, catalogue="B37")
def honours_retry_after() -> Check:
    """What answered with a 429 is not called again before its Retry-After is over.

    After a 429 that says how long to wait, the same call (tool and arguments, whatever its key) is
    not made again, and the model is not asked again in that conversation, before that many virtual
    seconds have passed. Another call of that tool may have been on its way, beside it; and another
    leg of the run (a restart, a decision, a follow-up) does not know of it.

    NOT_EXERCISED when no 429 said how long to wait, or nothing was called after it.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        pairs = [*_tools(history), *_model(history)]
        if not pairs:
            return None
        return [_violation(*pair) for pair in pairs if pair[3] < pair[2] - _SLACK]

    return check


_Pair = tuple[tuple[int, int], str, float, float]  # the events, who, how long to wait, waited


def _tools(history: History) -> Iterator[_Pair]:
    limited = struck_by(history, "rate_limited")
    for reply in history.of(Replied):
        call = history.calls[reply.call]
        said = _SAID.search(str(reply.body)) if call.slot in limited else None
        if said is None:
            continue
        for later in history.of(Called):
            if later.seq < reply.seq or logical(later) != logical(call):
                continue
            if _beside(history, call, later):
                continue
            if not _another_leg(history, reply.seq, later.seq):
                at = (reply.seq, later.seq)
                yield at, call.slot.name, float(said[1]), later.t - reply.t
            break


def _beside(history: History, call: Called, later: Called) -> bool:
    """Whether a model had asked for both in one turn, under two ids."""
    first, second = origin(history, call), origin(history, later)
    if first is None or second is None:
        return False
    return first.turn is second.turn and first.id != second.id


def _model(history: History) -> Iterator[_Pair]:
    limited = struck_by(history, "rate_limited")
    for turn in history.of(ModelTurn):
        if turn.slot not in limited or turn.stop != "error":
            continue
        said = _SAID.search(turn.text or "")
        wait = float(said[1]) if said else _BY_DEFAULT
        later = _asked_next(history, turn)
        if later is not None and not _another_leg(history, turn.seq, later.seq):
            yield (turn.seq, later.seq), "the model", wait, later.t - turn.t


def _asked_next(history: History, turn: ModelTurn) -> ModelInput | None:
    for talk in conversations(history):
        if any(given.slot == turn.slot for given in talk.inputs):
            return next((given for given in talk.inputs if given.seq > turn.seq), None)
    return None


def _another_leg(history: History, start: int, end: int) -> bool:
    return any(start < leg.seq < end for leg in history.of(Resumed))


def _violation(at: tuple[int, int], who: str, wait: float, waited: float) -> Violation:
    return Violation(
        code="AF218",
        subject=who,
        title=titled(f"{who}: Retry-After not waited for"),
        sentence=(
            f"{who} answered 429, retry after {wait:g} s, and was called again after {waited:g} s."
        ),
        says=f"again after {waited:g} s",
        world=f"asked to wait {wait:g} s",
        witness=at,
        hint="read the error's retry_after, and sleep as long before anybody calls it again (for "
        "the whole client, not for one call)",
    )
