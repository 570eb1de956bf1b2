"""The fault space: which faults may strike at a crossing, simplest first.

Law: a fault is offered only where it could make a difference, so that "all plans" means all
plans that say something. A tool that only reads leaves no trace of how often or how late its
request arrived; a model's closing can be reworded, its calls cannot. Called by the search.
"""

from collections.abc import Iterable

from agentfuzz.core.faults import (
    APPROVAL,
    DELIVERIES,
    MODEL,
    MOMENTS,
    PROCESS,
    PROCESS_KINDS,
    SCHEDULE,
    TABLES,
    TOOL,
    Fault,
    FaultPlan,
    rank,
    select,
)
from agentfuzz.core.history import History, Struck
from agentfuzz.model.model_faults import VARIANTS

_API = ("rate_limited", "error", "timeout", "cut", "truncated", "empty")
_AGAIN = ("repeat", "drift", "contradict", "loop")
# Which model faults mean anything at which kind of turn.
_MODEL_GROUPS = {
    "calls": (
        *("skip", "repeat", "drift", "duplicate_ids", "malformed_args", "unknown_tool"),
        *("mixed_done", "loop", "fan_out", *_API),
    ),
    "closing": ("reword", *_AGAIN, *_API),
    "done": ("no_done", "bad_done", "double_done", "mixed_done", *_AGAIN, *_API),
    "giving_up": _API,
    "closed": ("repeat", "loop"),
}
# Which process faults mean anything at which kind of crossing, and at which of its moments: what
# comes after a read or a turn comes before the next crossing as well.
_EARLY = ("before",)
_PROCESS_GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "process write": {
        **dict.fromkeys(("crash", "cancel"), MOMENTS),
        **dict.fromkeys(("interrupt", "duplicate_trigger", "clock_jump"), MOMENTS[:2]),
    },
    "process read": dict.fromkeys(PROCESS_KINDS[1:], _EARLY),
    "process turn": dict.fromkeys(("crash", "cancel", "interrupt"), _EARLY),
    "process save": {"crash": MOMENTS[:2]},
    "process end": dict.fromkeys(("crash", "duplicate_trigger"), _EARLY),
}


class Space:
    """The faults of a campaign by group of crossings. See `agentfuzz.core.faults.select` for the
    meaning of `faults`, `only` and `exclude`."""

    def __init__(
        self,
        *,
        faults: Iterable[str] = (),
        only: Iterable[str] = (),
        exclude: Iterable[str] = (),
    ) -> None:
        words = {"faults": tuple(faults), "only": tuple(only), "exclude": tuple(exclude)}
        tool, model = select(TOOL, **words), select(MODEL, **words)
        self._groups: dict[str, tuple[Fault, ...]] = {
            "write": tool,
            "read": tuple(fault for fault in tool if fault.axes[0] == DELIVERIES[0]),
        }
        for group, kinds in _MODEL_GROUPS.items():
            found: list[Fault] = []
            for fault in model:
                if fault.axes[0] in kinds:
                    variants = range(VARIANTS.get(fault.axes[0], 1))
                    found.extend(Fault(fault.axes, variant) for variant in variants)
            self._groups[group] = tuple(found)
        process = select(PROCESS, **words)
        for group, moments in _PROCESS_GROUPS.items():
            self._groups[group] = tuple(
                fault for fault in process if fault.axes[1] in moments.get(fault.axes[0], ())
            )
        self._groups["approval"] = select(APPROVAL, **words)
        self._groups["schedule"] = select(SCHEDULE, **words)
        self.process = bool(process)

    def at(self, group: str) -> tuple[Fault, ...]:
        """The faults of one group of crossings."""
        return self._groups[group]


def size(plan: FaultPlan) -> tuple[object, ...]:
    """The order of plans: fewest faults, then the simplest kinds, then the earliest slots."""
    ranks = sorted(
        (rank(TABLES[slot.boundary], fault.axes), fault.latency or 0.0, fault.variant)
        for slot, fault in plan
    )
    return (len(plan), ranks, [(slot.nth, slot) for slot, _ in plan])


def plan_of(history: History) -> FaultPlan:
    """The faults that struck in a run, as a plan."""
    return FaultPlan.parse(
        " + ".join(f"{event.slot}:{event.fault}" for event in history.of(Struck))
    )


def kind_of(fault: str) -> str:
    """A fault's text without wording and latency: what coverage is counted by."""
    found = _KINDS.get(fault)
    if found is None:
        found = _KINDS[fault] = fault.partition("@")[0].partition("=")[0]
    return found


_KINDS: dict[str, str] = {}
