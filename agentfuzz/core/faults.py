"""Slots and faults: where a world may misbehave, and how.

Law: a fault is a choice on each of a boundary's independent axes, the first value of each axis is
no fault; a slot's text names it whatever a user called his tools. Called by the world (which fault
strikes here?), by the search (which are there?) and by plans, which are made of both.

A name is written as it is where that can be read back, and in quotes otherwise:

    charge_card#1    "my tool: a+b"#2    tool:process#1    store:cursor#3    model#2

A fault may last: `charge_card#2-4` are three crossings in a row, `charge_card#2+` all from the
second one on, `*#5+` whatever is crossed from the fifth crossing on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import NamedTuple

from agentfuzz.core.tables import ROWS

_PLAIN = ("intact", "before", "closed")  # last values that a fault's text leaves out
_BARE = re.compile(r'[^\s#:+/=@"\\]+')
FOR_GOOD = -1  # the end of a fault that has none
VALUE = re.compile(r"[a-z][a-z0-9_]*")  # a value of an axis
_ESCAPED = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))", re.DOTALL)
_TEXTS: dict[tuple[object, ...], str] = {}


def quoted(name: str) -> str:
    """A name as it stands in a plan: in quotes unless it is a plain word."""
    if _BARE.fullmatch(name) and name.isprintable() and name != "*":
        return name
    return f'"{"".join(map(_escaped, name))}"'


def unquoted(text: str) -> str:
    """What stands between the quotes, read back. Raises ValueError for what is no character."""
    return _ESCAPED.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    if not found[1]:
        return found[2]
    number = int(found[1], 16) if len(found[1]) < 9 else -1
    if not 0 <= number <= 0x10FFFF:
        raise ValueError(f"{found[0]!r} is no character")
    return chr(number)


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\u{{{ord(char):x}}}"


class Slot(NamedTuple):
    """The address of one crossing in a run: the nth (from 1) at this boundary under this name."""

    boundary: str
    name: str
    nth: int

    def __str__(self) -> str:
        boundary, name, nth = self
        if boundary == "all" and not name:
            return f"*#{nth}"
        if boundary == "tool":
            return f"{'tool:' if name in ROWS else ''}{quoted(name)}#{nth}"
        return f"{boundary}:{quoted(name)}#{nth}" if name else f"{boundary}#{nth}"


class Fault(NamedTuple):
    """One fault: a value on each axis, and what the search may vary beyond the axes.

    `variant` picks one of several wordings or values (0 is the plainest); `latency` is in
    virtual seconds and only late deliveries have it (None: the default). `until` is the number of
    the last crossing at which it strikes (0: at its slot alone; FOR_GOOD: at all from there on).
    Of one strike of a fault that lasts, `of` is the part of the plan.
    """

    axes: tuple[str, ...]
    variant: int = 0
    latency: float | None = None
    until: int = 0
    of: str = ""

    @property
    def text(self) -> str:
        """The same as `str`, made once for every fault."""
        found = _TEXTS.get(self)
        if found is None:
            found = _TEXTS[self] = str(self)
        return found

    @property
    def kind(self) -> str:
        """Its text without wording and latency: what coverage is counted by."""
        axes = self.axes
        return "/".join(axes[:-1] if len(axes) > 1 and axes[-1] in _PLAIN else axes)

    def __str__(self) -> str:
        text = self.kind
        if self.variant:
            text += f"={self.variant}"
        if self.latency is not None:
            text += f"@{float(self.latency)!r}".removesuffix(".0")
        return text


def part(slot: Slot, fault: Fault) -> str:
    """One fault with its place, as it stands in a plan: `charge_card#2-4:once/timeout`."""
    if not fault.until:
        return f"{slot}:{fault}"
    return f"{slot}{'+' if fault.until == FOR_GOOD else f'-{fault.until}'}:{fault}"


def covers(first: Slot, fault: Fault, slot: Slot) -> bool:
    """Whether a fault that begins at `first` lasts until this slot."""
    return (
        slot.nth >= first.nth
        and slot.name == first.name
        and slot.boundary == first.boundary
        and (slot.nth <= fault.until or fault.until == FOR_GOOD)
    )


@dataclass(frozen=True, slots=True)
class Table:
    """The closed table of one boundary's faults. `off` are combinations not tried by default.
    `led`: the first axis says what happens and the others only when, so that there is no fault
    without it."""

    boundary: str
    axes: tuple[tuple[str, ...], ...]
    off: frozenset[tuple[str, ...]] = frozenset()
    led: bool = False

    def __post_init__(self) -> None:
        for value in (value for axis in self.axes for value in axis):
            if not VALUE.fullmatch(value):
                raise ValueError(
                    f"the boundary {self.boundary!r} has a fault {value!r}, which no plan can "
                    "hold: small letters, digits and underscores, a letter first."
                )

    @property
    def neutral(self) -> tuple[str, ...]:
        """No fault: the first value of each axis."""
        return tuple(axis[0] for axis in self.axes)

    def is_fault(self, axes: tuple[str, ...]) -> bool:
        """Whether these values are a fault at all."""
        return axes[0] != self.axes[0][0] if self.led else axes != self.neutral

    def all(self) -> tuple[Fault, ...]:
        """Every fault, simplest first: fewest axes away from neutral, then axis by axis."""
        return _simplest_first(self)

    def default(self) -> tuple[Fault, ...]:
        """The faults that a campaign tries when nothing else is said."""
        return tuple(fault for fault in self.all() if fault.axes not in self.off)


@cache
def _simplest_first(table: Table) -> tuple[Fault, ...]:
    found = [axes for axes in product(*table.axes) if table.is_fault(axes)]
    return tuple(Fault(axes) for axes in sorted(found, key=lambda axes: rank(table, axes)))


def rank(table: Table, axes: tuple[str, ...]) -> tuple[int, ...]:
    """The order of simplicity: fewest axes away from neutral, then the axes' own order."""
    where = tuple(axis.index(value) for axis, value in zip(table.axes, axes, strict=True))
    return (sum(map(bool, where)), *where)


# The tables of all boundaries, whose records lie in `agentfuzz.boundaries`.
TABLES: Mapping[str, Table] = {
    name: Table(name, axes, frozenset(off), led) for name, (axes, off, led) in ROWS.items()
}
