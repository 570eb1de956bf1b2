"""The boundary of the model's turns: one kind of misbehaviour, or none.

The kinds lie in `agentfuzz.model.model_faults`, one file each; the groups are the kinds of turns.
"""

from collections.abc import Callable

from agentfuzz.boundaries.boundary import Boundary, Page
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.model.model_faults import KINDS
from agentfuzz.model.model_faults.kind import GROUPS


def _at(group: str) -> Callable[[Fault], list[Fault]]:
    def tried(fault: Fault) -> list[Fault]:
        kind = KINDS[fault.axes[0]]
        return [Fault(fault.axes, n) for n in range(kind.variants)] if group in kind.at else []

    return tried


def _place(slot: Slot) -> str:
    return f"turn {slot.nth} of the model"


def _says(fault: Fault) -> str:
    return KINDS[fault.axes[0]].says


def _stays(fault: Fault) -> bool:
    return fault.axes[0] == "loop"


BOUNDARY = Boundary(
    name="model",
    axes=(("as_planned", *KINDS),),
    groups={group: _at(group) for group in GROUPS},
    place=_place,
    says=_says,
    stays=_stays,
    told=Page(
        "Model turns",
        "`model#nth:kind`",
        {("kind", "the model"): {name: kind.says for name, kind in KINDS.items()}},
    ),
)
