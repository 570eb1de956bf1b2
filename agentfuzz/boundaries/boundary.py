"""A boundary: everything that is to be known about one kind of crossing, in one record.

Law: what may happen there (the axes of its faults), at which groups of its crossings it is tried,
how early it is tried, which faults a loop cannot tell apart, how a fault is said in a report, and
what of it outlives its moment. The search and the reports ask this record and know no boundary by
name. One file a boundary beside this one; `make generate`
finds them and writes their tables into `core.tables`. How its faults strike lies with what crosses
there: `world.calls`, `world.process_faults`, `model`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from agentfuzz.core.events import Event
from agentfuzz.core.faults import FOR_GOOD, Fault, Slot, Table

# How early a fault is tried among those of one size: what costs money first, words last.
LOST, TWICE, CRASHED, CALLS, PROCESS, MODEL, WORDS = range(7)


def _never(fault: Fault) -> bool:
    return False


def _process(group: str, fault: Fault) -> int:
    return PROCESS


def _none(fault: Fault) -> Iterable[Fault]:
    return ()


def _kind(fault: Fault) -> tuple[str, ...]:
    return (fault.axes[0],)


def once(fault: Fault) -> tuple[Fault, ...]:
    """A group in which every fault of the table is tried as it is."""
    return (fault,)


@dataclass(frozen=True, slots=True)
class Page:
    """What the documents tell of a boundary: a title, how its faults are written, and of each axis
    (heading, column) its values in words."""

    title: str
    text: str
    axes: Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Boundary:
    """One boundary. `groups` say which faults a campaign tries at which crossings: from a fault of
    the table to its variants there, none if it means nothing. `place` and `says` are its phrases;
    an unknown fault is said as its text. `at_calls`: its slots are those of tool calls. `stays`:
    a fault that goes on after what it spoiled. `lasts`: one that may strike again and again, as a
    burst or an outage. `of_process`: it is asked about only if something
    may happen to the agent's process. `told` is its part of docs/faults.md.

    `order` is how early a fault is tried at a group of crossings. `wordings` are the same fault in
    its further wordings, tried alone; `alone`: so is a fault of its own. `causes` are the troubles
    that a fault is made of, as far as a loop can tell them apart: two plans with the same troubles
    show the same bug. `anywhere`: so do those at other slots, whatever their names. `means` says of
    the event that was written at a crossing whether a fault can do anything to it, where that is
    not the same for its whole group.
    """

    name: str
    axes: tuple[tuple[str, ...], ...]
    groups: Mapping[str, Callable[[Fault], Iterable[Fault]]]
    place: Callable[[Slot], str]
    says: Callable[[Fault], str]
    off: frozenset[tuple[str, ...]] = frozenset()
    led: bool = False
    at_calls: bool = False
    of_process: bool = False
    stays: Callable[[Fault], bool] = _never
    lasts: Callable[[Fault], bool] = _never
    order: Callable[[str, Fault], int] = _process
    wordings: Callable[[Fault], Iterable[Fault]] = _none
    alone: Callable[[Fault], bool] = _never
    causes: Callable[[Fault], tuple[str, ...]] = _kind
    anywhere: bool = False
    means: Callable[[Event, Fault], bool] | None = None
    told: Page | None = None

    @property
    def table(self) -> Table:
        """Its faults, in order of simplicity."""
        return Table(self.name, self.axes, self.off, self.led)

    def phrase(self, slot: Slot, fault: Fault) -> str:
        """One fault in words: `call 1 of charge_card: delivered once, reply lost in a timeout`."""
        try:
            said = self.says(fault)
        except (KeyError, IndexError, ValueError):
            said = str(fault)  # of a later version: never hidden
        variant = f" (variant {fault.variant})" if fault.variant else ""
        return f"{_places(self.place(slot), slot, fault)}: {said}{variant}"


def _places(place: str, slot: Slot, fault: Fault) -> str:
    """`calls 2 to 4 of charge_card`, of a fault that lasts."""
    if fault.until == FOR_GOOD:
        return f"{place} and every one after it"
    word, nth, rest = place.partition(f" {slot.nth}")
    return f"{word}s{nth} to {fault.until}{rest}" if fault.until else place
