"""The boundaries of the agent's process: at a tool call, a save, a turn of the model, the end.

What may happen is the same at all four, and lies in `agentfuzz.world.process_faults`, one file a
kind; each has addresses of its own, so that a store key may be called like a tool. All are off by
default: a scenario says which of them its loop has to live with.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import product
from types import MappingProxyType

from agentfuzz.boundaries.boundary import CRASHED, PROCESS, Boundary, Page
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.process_faults import KINDS
from agentfuzz.world.process_faults.kind import MOMENTS

MOMENT_WORDS = {
    "before": "before it",
    "after": "after it, before its reply is read",
    "in_flight": "while its request is in flight, which arrives later",
}
_AXES = (("none", *KINDS), MOMENTS)


def _at(group: str) -> Callable[[Fault], Iterable[Fault]]:
    def tried(fault: Fault) -> tuple[Fault, ...]:
        kind, moment = fault.axes
        return (fault,) if moment in KINDS[kind].at.get(group, ()) else ()

    return tried


def _nothing_later(group: str) -> Callable[[Fault], Iterable[Fault]]:
    """The same where no request is under way that could arrive when its sender is gone."""
    tried = _at(group)
    return lambda fault: () if fault.axes[1] == "in_flight" else tried(fault)


def _order(group: str, fault: Fault) -> int:
    lost = group == "process write" and fault.axes == ("crash", "after")
    return CRASHED if lost else PROCESS


def _says(fault: Fault) -> str:
    kind = KINDS[fault.axes[0]]
    if {moment for tried in kind.at.values() for moment in tried} == {MOMENTS[0]}:
        return kind.says  # there is no other moment
    return f"{kind.says}, {MOMENT_WORDS[fault.axes[1]]}"


def _stays(fault: Fault) -> bool:
    return fault.axes[0] == "stale"  # until the process dies


def _boundary(
    name: str,
    groups: tuple[str, ...],
    place: Callable[[Slot], str],
    *,
    at_calls: bool = False,
    more: Mapping[str, Callable[[Fault], Iterable[Fault]]] = MappingProxyType({}),
) -> Boundary:
    return Boundary(
        name=name,
        axes=_AXES,
        off=frozenset(product(*_AXES)),
        led=True,
        groups={group: _at(group) for group in groups} | dict(more),
        place=place,
        says=_says,
        at_calls=at_calls,
        stays=_stays,
        of_process=True,
        order=_order,
    )


def _named(slot: Slot) -> str:
    return f"{slot.name} {slot.nth}"


def _tried(name: str) -> str:
    asked = "`resume=`" if name == "crash" else f'`faults=("{name}",)`'
    return f"{KINDS[name].says} (tried with {asked})"


_TOLD = Page(
    "The agent's process",
    "`process:tool#nth:kind/moment`, `store:key#nth:...`, `turn#nth:...`, `end#nth:...`",
    {
        ("kind", "what happens"): {name: _tried(name) for name in KINDS},
        ("moment", ""): {
            "before": "before the call, the save, the turn (left out in the text)",
            "after": "after it, and before its reply is read",
            "in_flight": "while its request is in flight, which arrives later",
        },
    },
)
_CALLS = _boundary(
    "process",
    ("process write", "process read"),
    _named,
    at_calls=True,
    more={
        "process write in time": _nothing_later("process write"),
        "process guessed write": _nothing_later("process write"),
        "process guessed read": _nothing_later("process read"),
        "process local write": _nothing_later("process write"),
        "process local read": _nothing_later("process read"),
    },
)
BOUNDARIES = (
    replace(_CALLS, told=_TOLD),
    _boundary(
        "store",
        ("process save", "process own save"),
        lambda slot: f"save {slot.nth} of {slot.name}",
    ),
    _boundary("turn", ("process turn",), lambda slot: f"turn {slot.nth} of the model"),
    _boundary("end", ("process end",), lambda slot: "end of the run"),
)
