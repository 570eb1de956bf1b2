"""The injector: asked at every crossing of a boundary whether there is a fault here.

Law: search and replay share every line of a run but the injector. It answers from a plan, or
draws, and it notes every crossing at which it was asked, which is how the search learns what
there is to break. Called by the world.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from agentfuzz.core.events import made
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.plan import FaultPlan
from agentfuzz.world.lasting import Lasting, lookup


class Crossing(NamedTuple):
    """A slot that was reached, how many events lay before it, and which group of faults may
    strike there (tools: `write`, `write in time`, `read`, `local write`, `local read`,
    `guessed write`, `guessed read`; the model: `calls`, `closing`, `done`, `giving_up`, `closed`;
    the process: `process write` and so on, `process turn`, `process save`, `process own save`,
    `process end`; `approval`; `schedule`)."""

    slot: Slot
    seq: int
    group: str


class Injector(Protocol):
    """Decides the fault at a crossing, and remembers the crossings of the run. `process` says
    whether it wants to be asked about the agent's process at all."""

    crossings: list[Crossing]
    process: bool

    def at(self, slot: Slot, seq: int, group: str) -> Fault | None:
        """The fault that strikes here, or None."""
        ...


_NONE = FaultPlan()
PROCESS = ("process", "store", "turn", "end")  # the boundaries of the agent's process


class FromPlan:
    """The faults of a plan; the empty plan is the fault-free run. `strikes` says what the plan has
    at a slot."""

    __slots__ = ("crossings", "process", "strikes")

    def __init__(self, plan: FaultPlan | None = None, *, process: bool = False) -> None:
        self.crossings: list[Crossing] = []
        if plan is None:
            plan = _NONE
        self.process = process or plan.touches(PROCESS)
        self.strikes = lookup(plan)

    def at(self, slot: Slot, seq: int, group: str) -> Fault | None:
        self.crossings.append(made(Crossing, (slot, seq, group)))
        strikes = self.strikes
        return strikes(slot)


class Drawn:
    """Faults drawn at the crossing: late, so that none is spent on a call that never comes."""

    __slots__ = ("_draw", "_lasting", "crossings", "process")

    def __init__(self, draw: Callable[[Slot, str], Fault | None], *, process: bool = False) -> None:
        self.crossings: list[Crossing] = []
        self.process = process
        self._draw = draw
        self._lasting = Lasting()

    def at(self, slot: Slot, seq: int, group: str) -> Fault | None:
        self.crossings.append(Crossing(slot, seq, group))
        lasts = self._lasting.at(slot)
        if lasts is not None:
            return lasts
        drawn = self._draw(slot, group)
        if drawn is None or not drawn.until:
            return drawn
        return self._lasting.begin(slot, drawn)
