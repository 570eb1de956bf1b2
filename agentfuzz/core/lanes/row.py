"""A row of a sequence: what stands in its two lanes, and the arrow between them.

Law: plain data. Built by the sequence, read by whatever prints or draws it.
"""

from dataclasses import dataclass, field
from typing import Literal

Arrow = Literal[
    "", "request", "request_lost", "request_late", "late", "reply", "reply_lost", "reply_changed"
]
Kind = Literal["call", "delivery", "reply", "model", "done", "end", "fault", "life", "save"]


@dataclass(slots=True)
class Row:
    """One line of the sequence, its `step`-th from 1 on. `t` is in virtual seconds; `seqs` are the
    events it shows.

    `effect` numbers the effects of the run from 1 (0: none), `twin` is the number of the first one
    of the same intent, if this is not the first. `witness`: the verdict rests on one of its events.
    `who` is the agent whose row it is, where agents have names; `passes` is the handoff that is
    sent (`to` whom) or received here. Treat it as frozen."""

    t: float
    kind: Kind
    agent: str = ""
    arrow: Arrow = ""
    backend: str = ""
    note: str = ""
    mark: bool = False
    call: str = ""
    effect: int = 0
    twin: int = 0
    witness: bool = False
    who: str = ""
    passes: str = ""
    to: str = ""
    step: int = 0
    seqs: list[int] = field(default_factory=list)
