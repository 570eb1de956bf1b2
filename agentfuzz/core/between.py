"""The events between agents of one run: who acts, who works for whom, what is handed over.

Law: as in `events`: facts with their place and their virtual time. What an agent does is its own
from the `Acts` before it; a run whose agents bear no names has none of these. Written by
`agentfuzz.world.team`, kept by a `History`; `agentfuzz.invariants.queries.teams` asks it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from agentfuzz.core.faults import Slot

Json = Any


class Acts(NamedTuple):
    """From here on it is this agent that acts; what was under way stays with who began it. An
    empty name is nobody's: what runs beside every named agent."""

    seq: int
    t: float
    agent: str


class Spawned(NamedTuple):
    """An agent began another one, to work for it. `slot` is at the boundary `child`."""

    seq: int
    t: float
    agent: str
    parent: str
    slot: Slot


class Finished(NamedTuple):
    """A spawned agent is at its end. `how` is `returned`, `raised` or `cancelled`; `value` is what
    it returned, or the name of what it raised."""

    seq: int
    t: float
    agent: str
    how: str
    value: Json


class Joined(NamedTuple):
    """Who spawned an agent learnt how it ended: `how` as it got to know it."""

    seq: int
    t: float
    agent: str
    parent: str
    how: str


class Waits(NamedTuple):
    """An agent waits for another one (`on`; empty: for whoever comes). `what` is `handoff`, `child`
    or `answer` (to a handoff)."""

    seq: int
    t: float
    agent: str
    on: str
    what: str


class Waited(NamedTuple):
    """The wait of an agent is over. `how` is `came`, `deadline` or `cancelled`."""

    seq: int
    t: float
    agent: str
    on: str
    what: str
    how: str


class HandoffSent(NamedTuple):
    """An agent handed a task over. `payload` is what it said, `carry` are the facts in it that must
    reach the receiver as they are. `slot` is at the boundary `handoff`."""

    seq: int
    t: float
    handoff: str
    slot: Slot
    sender: str
    to: str
    task: str
    version: int
    payload: Json
    carry: Mapping[str, Json]


class HandoffReceived(NamedTuple):
    """An agent was given a handoff. `nth` counts the arrivals of this handoff; `payload` is what
    arrived; `problem` says why it is not of the declared type, or is empty."""

    seq: int
    t: float
    handoff: str
    nth: int
    agent: str
    version: int
    payload: Json
    problem: str


class HandoffAccepted(NamedTuple):
    """The receiver took the task over: it is its owner now. `carry` is what it holds of the facts
    that had to reach it."""

    seq: int
    t: float
    handoff: str
    nth: int
    agent: str
    carry: Mapping[str, Json]


class HandoffRejected(NamedTuple):
    """The receiver said no, and why."""

    seq: int
    t: float
    handoff: str
    nth: int
    agent: str
    reason: str


class SharedRead(NamedTuple):
    """An agent read a value that agents share. A version of 0 says that there was none."""

    seq: int
    t: float
    agent: str
    key: str
    version: int
    value: Json


class SharedWritten(NamedTuple):
    """An agent wrote a shared value: as `version`, made from what it had read as `based_on` (0:
    it had read none). `checked` says that it asked for that version to be the last."""

    seq: int
    t: float
    agent: str
    key: str
    based_on: int
    version: int
    value: Json
    checked: bool = False


class Claimed(NamedTuple):
    """An agent stated a fact as found. `sources` are the ids of what it rests on."""

    seq: int
    t: float
    agent: str
    item: str
    value: Json
    sources: tuple[str, ...]


Between = (
    Acts
    | Spawned
    | Finished
    | Joined
    | Waits
    | Waited
    | HandoffSent
    | HandoffReceived
    | HandoffAccepted
    | HandoffRejected
    | SharedRead
    | SharedWritten
    | Claimed
)
