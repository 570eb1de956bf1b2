"""The boundary of handoffs: deliveries x payload.

A handoff that is lost has no payload that could be spoilt; of two deliveries the second is. What
goes astray needs another agent, and what is stale an earlier state of the task. A framework that
gives control to the next agent has nothing on its way that could come twice, late or overtaken.
"""

from collections.abc import Callable, Iterable

from agentfuzz.boundaries.boundary import CALLS, LOST, TWICE, Boundary, Page
from agentfuzz.core.between import HandoffSent
from agentfuzz.core.events import Event
from agentfuzz.core.faults import Fault
from agentfuzz.world.team.damage import VARIANTS, damaged
from agentfuzz.world.team.handoffs import WAYS

_DELIVERIES = {
    "once": "arrives",
    "lost": "never arrives",
    "twice": "arrives two times",
    "late": "arrives 45 virtual seconds later",
    "misrouted": "arrives at another agent",
    "reordered": "arrives after the next one",
}
_PAYLOADS = {
    "intact": "",
    "stale": "in its earlier version",
    "trimmed": "without what a summary leaves out",
    "buried": "with its facts in the middle of a long text",
    "invalid": "breaking its type",
    "poisoned": "with a wrong value",
}
_BOTH = frozenset(
    (delivery, payload)
    for delivery in _DELIVERIES
    for payload in _PAYLOADS
    if delivery != "once" and payload != "intact" and (delivery, payload) != ("twice", "stale")
)


def _group(*, first: bool, alone: bool, way: str) -> Callable[[Fault], Iterable[Fault]]:
    def tried(fault: Fault) -> tuple[Fault, ...]:
        delivery, payload = fault.axes
        possible = (
            not (first and payload == "stale")
            and not (alone and delivery == "misrouted")
            and not WAYS[way].intersection(fault.axes)
            and not (delivery == "lost" and payload != "intact")
        )
        return (fault,) if possible else ()

    return tried


def _wordings(fault: Fault) -> list[Fault]:
    return [fault._replace(variant=n) for n in range(1, VARIANTS.get(fault.axes[1], 1))]


def _order(group: str, fault: Fault) -> int:
    delivery, _ = fault.axes
    return LOST if delivery == "lost" else TWICE if delivery == "twice" else CALLS


def _causes(fault: Fault) -> tuple[str, ...]:
    return tuple(value for value in fault.axes if value not in ("once", "intact"))


def _lasts(fault: Fault) -> bool:
    return fault.axes == ("lost", "intact")


def _says(fault: Fault) -> str:
    delivery, payload = fault.axes
    which = "the second time " if delivery == "twice" and payload != "intact" else ""
    said = ["" if delivery == "once" else _DELIVERIES[delivery]]
    said.append(
        f"arrives {_PAYLOADS[payload]}" if delivery == "once" else which + _PAYLOADS[payload]
    )
    return ", ".join(part for part in said if part)


def _means(event: Event, fault: Fault) -> bool:
    """Whether there is something in what was sent that can be spoilt so."""
    kind = fault.axes[1]
    if type(event) is not HandoffSent or kind in ("intact", "stale"):
        return True
    return damaged(kind, fault.variant, event.payload, None) is not None


BOUNDARY = Boundary(
    name="handoff",
    axes=(tuple(_DELIVERIES), tuple(_PAYLOADS)),
    off=_BOTH,
    groups={
        f"handoff{way and ' '}{way}{' first' * first}{' alone' * alone}": _group(
            first=first, alone=alone, way=way
        )
        for way in WAYS
        for first in (False, True)
        for alone in (False, True)
    },
    place=lambda slot: f"handoff {slot.nth} to {slot.name}",
    says=_says,
    order=_order,
    wordings=_wordings,
    causes=_causes,
    lasts=_lasts,
    means=_means,
    told=Page(
        "Handoffs",
        "`handoff:agent#nth:delivery/payload`",
        {
            ("delivery", "the handoff"): _DELIVERIES,
            ("payload", "what arrives"): {
                **_PAYLOADS,
                "intact": "what was sent",
                "stale": "what was sent for this task before it; of two arrivals, the second",
                "trimmed": "without its effects, without its claims, or without what it must carry",
                "buried": "what it must carry stands in the middle of a long text alone",
                "invalid": "a field is missing, one is too many, or it is no object at all",
                "poisoned": "one value is another one of the same type",
            },
        },
    ),
)
