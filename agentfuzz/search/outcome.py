"""An outcome: what one run came to, as a value.

Law: all that a campaign counts, keeps and learns from is in it, so that the run may have been made
in any process; what is folded from outcomes in the order of the plans is the same wherever they
came from. Made by the runner, folded by the campaign.
"""

from typing import NamedTuple

from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.runtime.leaks import Escape
from agentfuzz.world.injector import Crossing


class Outcome(NamedTuple):
    """A run: its history, the crossings at which it could have been struck, and for each law of
    the scenario, in order, what broke it (None: not exercised). `seconds` are real. Of a run
    that was made in another process, `escapes` is what escaped control there, and `marks` what it
    left of the error paths that are watched."""

    history: History
    crossings: list[Crossing]
    verdicts: tuple[tuple[Violation, ...] | None, ...]
    seconds: float
    escapes: tuple[Escape, ...] = ()
    tapes: bytes = b""
    marks: tuple[str, ...] = ()
