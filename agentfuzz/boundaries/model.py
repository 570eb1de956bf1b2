"""The boundary of the model's turns: one kind of misbehaviour, or none.

The kinds lie in `agentfuzz.model.model_faults`, one file each; the groups are the kinds of turns.
"""

from collections.abc import Callable

from agentfuzz.boundaries.boundary import MODEL, WORDS, Boundary, Page
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.model.model_faults import KINDS
from agentfuzz.model.model_faults.kind import GROUPS, ModelFault


def _at(group: str) -> Callable[[Fault], list[Fault]]:
    def tried(fault: Fault) -> list[Fault]:
        kind = KINDS[fault.axes[0]]
        return [Fault(fault.axes, n) for n in range(kind.variants)] if group in kind.at else []

    return tried


# Kinds that a loop meets in the same way; every other one is a trouble of its own.
_ALIKE = {
    "asks again": ("repeat", "drift", "duplicate_ids", "fan_out", "loop"),
    "half an answer": ("empty", "truncated", "cut"),
    "no answer": ("error", "timeout", "rate_limited"),
    "a call that cannot be": ("malformed_args", "unknown_tool"),
    "closes too early": ("skip", "mixed_done"),
    "another closing": ("no_done", "bad_done", "double_done"),
}
_TROUBLES = {kind: trouble for trouble, kinds in _ALIKE.items() for kind in kinds}


def _causes(fault: Fault) -> tuple[str, ...]:
    return (_TROUBLES.get(fault.axes[0], fault.axes[0]),)


def _order(group: str, fault: Fault) -> int:
    return WORDS if fault.variant or fault.axes[0] == "reword" else MODEL


def _place(slot: Slot) -> str:
    return f"turn {slot.nth} of the model"


def _says(fault: Fault) -> str:
    return KINDS[fault.axes[0]].says


def _told(kind: ModelFault) -> str:
    return kind.says + (f' (tried with `faults=("{kind.name}",)`)' if kind.off else "")


def _stays(fault: Fault) -> bool:
    return fault.axes[0] == "loop"


def _lasts(fault: Fault) -> bool:
    return fault.axes[0] in ("timeout", "error", "rate_limited", "truncated")


BOUNDARY = Boundary(
    name="model",
    axes=(("as_planned", *KINDS),),
    off=frozenset((name,) for name, kind in KINDS.items() if kind.off),
    groups={group: _at(group) for group in GROUPS},
    place=_place,
    says=_says,
    stays=_stays,
    order=_order,
    causes=_causes,
    lasts=_lasts,
    told=Page(
        "Model turns",
        "`model#nth:kind`",
        {("kind", "the model"): {name: _told(kind) for name, kind in KINDS.items()}},
    ),
)
