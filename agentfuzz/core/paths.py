"""Error paths of an agent: those that its runs entered, and those that none did.

Law: of a session a path is unreached that no campaign entered and at least one came near to, for
its function was at work. Frozen data: made by the search, carried with a result, told by reports.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from agentfuzz.core.faults import TABLES

_VALUES = (value for table in TABLES.values() for axis in table.axes[::-1] for value in axis)
_ORDER = {value: number for number, value in enumerate(dict.fromkeys(_VALUES))}


@dataclass(frozen=True, slots=True)
class Nearest:
    """What struck at one `place` (`charge_card`, `model`) in calls that were made from the code
    around a path; `never`: what could have struck at that place, and did not there."""

    place: str
    struck: tuple[str, ...]
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreached:
    """A path that was never entered: the `file` relative to the project, the line, and the `source`
    that stands there. `entered`: the code that leads to it (the body of its `try`) was."""

    file: str
    line: int
    what: str
    source: str
    entered: bool = False
    nearest: tuple[Nearest, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.file}:{self.line} {self.what}"


@dataclass(frozen=True, slots=True)
class Paths:
    """The error paths of one campaign: the keys of those that were reached, those that were not,
    and of what nothing is known: the files whose code is not what their source says, and the tests
    whose agent comes out otherwise while it is watched (`blind`)."""

    reached: tuple[str, ...] = ()
    unreached: tuple[Unreached, ...] = ()
    aside: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()


def in_order(words: Iterable[str]) -> tuple[str, ...]:
    """What faults do, each once: replies before deliveries, simplest first, as tables have them."""
    return tuple(sorted(set(words), key=lambda word: (_ORDER.get(word, len(_ORDER)), word)))


def together(all_paths: Iterable[Paths | None]) -> Paths | None:
    """Those of several campaigns as one; None where nobody has looked."""
    looked = [paths for paths in all_paths if paths is not None]
    if not looked:
        return None
    reached = {key for paths in looked for key in paths.reached}
    left: dict[str, Unreached] = {}
    for one in (one for paths in looked for one in paths.unreached if one.key not in reached):
        left[one.key] = _both(left[one.key], one) if one.key in left else one
    return Paths(
        tuple(sorted(reached)),
        tuple(sorted(left.values(), key=lambda one: (one.file, one.line, one.what))),
        tuple(sorted({file for paths in looked for file in paths.aside})),
        tuple(sorted({test for paths in looked for test in paths.blind})),
    )


def _both(one: Unreached, other: Unreached) -> Unreached:
    """What two campaigns know of one path."""
    struck: dict[str, set[str]] = {}
    never: dict[str, set[str]] = {}
    for near in (*one.nearest, *other.nearest):
        struck.setdefault(near.place, set()).update(near.struck)
        never.setdefault(near.place, set()).update(near.never)
    nearest = tuple(
        Nearest(place, in_order(words), in_order(never[place] - words))
        for place, words in sorted(struck.items())
    )
    return replace(one, entered=one.entered or other.entered, nearest=nearest)
