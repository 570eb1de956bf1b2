"""The boundary of the model's turns: one kind of misbehaviour, or none, x how a cut reply ends.

The kinds lie in `agentfuzz.model.model_faults`, one file each, the endings in
`agentfuzz.model.endings`; the groups are the kinds of turns: plain, sent over a wire,
streamed.

What only a provider says of a reply (a filter, a pause, an id) is tried where it goes over a wire.

What is tried of the endings: all of them where a reply is streamed, and only the plainest where it
is not, for there a loop cannot tell the others from `cut`, `error` and `timeout`. They are tried
alone, as further wordings are: four runs more for each streamed turn, and no pair. What a second
fault would show after a broken stream, it shows after one that is merely cut. In a plan that
somebody writes every ending may stand, at any turn.
"""

from collections.abc import Callable
from itertools import product

from agentfuzz.boundaries.boundary import MODEL, WORDS, Boundary, Page
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.model.endings import CLOSED, ENDINGS
from agentfuzz.model.model_faults import KINDS
from agentfuzz.model.model_faults.kind import GROUPS, ModelFault, sent, streamed

CUT = "cut"  # the kind that has endings
_AXES = (("as_planned", *KINDS), tuple(ENDINGS))


def _at(group: str, *endings: str, wire: bool = False) -> Callable[[Fault], list[Fault]]:
    def tried(fault: Fault) -> list[Fault]:
        name, ending = fault.axes
        kind = KINDS[name]
        if group not in kind.at or (kind.wire and not wire):
            return []
        if ending != CLOSED:
            return [fault] * (name == CUT and ending in endings)
        ways = 1 if name == CUT and not endings else kind.variants
        return [Fault(fault.axes, n) for n in range(ways)]

    return tried


# Kinds that a loop meets in the same way; every other one is a trouble of its own.
_ALIKE = {
    "asks again": ("repeat", "drift", "duplicate_ids", "fan_out", "loop"),
    "half an answer": ("empty", "truncated", "cut", "withheld"),
    "no answer": ("error", "timeout", "rate_limited"),
    "a call that cannot be": ("malformed_args", "unknown_tool"),
    "closes too early": ("skip", "mixed_done"),
    "another closing": ("no_done", "bad_done", "double_done"),
}
_TROUBLES = {kind: trouble for trouble, kinds in _ALIKE.items() for kind in kinds}


def _causes(fault: Fault) -> tuple[str, ...]:
    kind = fault.axes[0]
    trouble = _TROUBLES.get(kind, kind)
    malformed = kind == "mixed_done" and fault.variant == 2
    return (trouble, _TROUBLES["bad_done"]) if malformed else (trouble,)


def _order(group: str, fault: Fault) -> int:
    return WORDS if fault.variant or fault.axes[0] == "reword" else MODEL


def _place(slot: Slot) -> str:
    return f"turn {slot.nth} of the model"


def _says(fault: Fault) -> str:
    kind, ending = fault.axes
    says = KINDS[kind].says
    said = says[min(fault.variant, len(says) - 1)]
    return said + ("" if ending == CLOSED else f": {ENDINGS[ending]}")


def _off(axes: tuple[str, ...]) -> bool:
    kind, ending = axes
    return (kind != CUT and ending != CLOSED) or (kind in KINDS and KINDS[kind].off)


def _alone(fault: Fault) -> bool:
    kind = KINDS[fault.axes[0]]
    return fault.axes[1] != CLOSED or fault.variant >= kind.variants - kind.alone


def _told(kind: ModelFault) -> str:
    said = ", or ".join(kind.says) + (" (tried where it goes over a wire)" if kind.wire else "")
    return said + (f' (tried with `faults=("{kind.name}",)`)' if kind.off else "")


def _stays(fault: Fault) -> bool:
    return fault.axes[0] == "loop"


def _lasts(fault: Fault) -> bool:
    return fault.axes[0] in ("timeout", "error", "rate_limited", "truncated")


BOUNDARY = Boundary(
    name="model",
    axes=_AXES,
    off=frozenset(filter(_off, product(*_AXES))),
    led=True,
    groups={group: _at(group) for group in GROUPS}
    | {sent(group): _at(group, wire=True) for group in GROUPS}
    | {streamed(group): _at(group, *ENDINGS, wire=True) for group in GROUPS},
    place=_place,
    says=_says,
    stays=_stays,
    order=_order,
    causes=_causes,
    lasts=_lasts,
    alone=_alone,
    told=Page(
        "Model turns",
        "`model#nth:kind`, `model#nth:cut/ending`",
        {
            ("kind", "the model"): {name: _told(kind) for name, kind in KINDS.items()},
            ("ending", "of a reply that is cut (tried where it is streamed)"): {
                name: says + (" (left out in the text)" if name == CLOSED else "")
                for name, says in ENDINGS.items()
            },
        },
    ),
)
