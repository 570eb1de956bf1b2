"""The law that a provider does not refuse what the model is asked (AF419).

Law: what a provider refuses it refuses every time; nobody but the loop that built the request can
mend it. Part of every scenario. Source: CATALOGUE law P1, and the bugs behind it.
"""

from agentfuzz.core.events import ModelTurn, Resumed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.outline import KINDS, Resting
from agentfuzz.invariants.queries.teams import agent_of

_WORDS = 300  # characters of what a provider says


@law(
    codes={"AF419": "The provider refuses what the model was asked"},
    catalogue="P1",
    always=True,
)
def valid_histories() -> Check:
    """A request that the provider refused is mended, and its successor accepted.

    After a refusal (a call without its result, a result without its call, an empty message, a value
    out of range) the model takes a turn again for the same agent, before the run ends or another
    leg begins.

    NOT_EXERCISED when no provider refused anything: the wire refuses, unless it is told not to;
    `world.model` takes whatever it is shown.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        turns = history.of(ModelTurn)
        refused = [turn for turn in turns if turn.stop == "refused"]
        if not refused:
            return None
        last = {agent_of(history, turn): turn for turn in refused}
        return [
            _never_mended(turn)
            for agent, turn in last.items()
            if not any(
                later.stop != "refused" and agent_of(history, later) == agent
                for later in turns
                if turn.seq < later.seq < _end_of_leg(history, turn)
            )
        ]

    return Resting(check, KINDS, but_for=(ModelTurn,))


def _end_of_leg(history: History, turn: ModelTurn) -> int:
    legs = (event.seq for event in history.of(Resumed) if event.seq > turn.seq)
    return next(legs, len(history.events))


def _never_mended(turn: ModelTurn) -> Violation:
    words = turn.text or ""
    said = words if len(words) <= _WORDS else f"{words[: _WORDS - 3]}..."
    return Violation(
        code="AF419",
        subject="conversation",
        title="the provider refuses the history",
        sentence=f"The request of {turn.slot} was refused, as its provider refuses it: {said}",
        says=f"asks at {turn.slot}",
        world="400: no turn was taken",
        witness=(turn.seq,),
        hint="one result for each call, right after it, failures included; nothing empty",
    )
