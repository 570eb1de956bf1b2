"""The choice of faults: what `only=`, `exclude=` and `faults=` mean.

Law: a word names a fault by its text or by a value of an axis, and a word that names none is an
error. Called by scenarios, by `@fuzz` and by the search's space.
"""

from collections.abc import Iterable
from functools import cache

from agentfuzz.core.errors import PlanError, near_miss
from agentfuzz.core.faults import TABLES, Fault, Table


def select(
    table: Table,
    *,
    faults: Iterable[str] = (),
    only: Iterable[str] = (),
    exclude: Iterable[str] = (),
) -> tuple[Fault, ...]:
    """The faults of a table that a campaign may use.

    `only` keeps the faults whose text or axis value is named, `exclude` drops them, `faults`
    adds ones that are off by default (as `lost/intact`). Raises PlanError for a word that
    names no fault of any table.
    """
    faults, only, exclude = _words(faults), _words(only), _words(exclude)
    known = _known_words()
    for word in (*faults, *only, *exclude):
        if word not in known:
            raise PlanError(
                f"{word!r} names no fault.{near_miss(word, known)} only=, exclude= and faults= "
                "name faults of any tool (as 'timeout', 'twice', 'once/wrong'), and no tools: what "
                "can happen to one tool is said where it is declared (world.tool(transport=...))."
            )

    def named(fault: Fault, words: tuple[str, ...]) -> bool:
        return any(word == str(fault) or word in fault.axes for word in words)

    def added(fault: Fault) -> bool:
        return str(fault) in faults or (table.led and fault.axes[0] in faults)

    chosen = [f for f in table.all() if f.axes not in table.off or added(f)]
    mine = _words_of(table)
    if any(word in mine for word in only):
        chosen = [f for f in chosen if named(f, only)]
    elif only:
        chosen = []
    return tuple(f for f in chosen if not named(f, exclude))


def _words(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.removesuffix("/intact") for word in words)


@cache
def _words_of(table: Table) -> frozenset[str]:
    """What may be said of a table: its faults' texts, and the values of its axes (of a single
    axis, not the one that is no fault)."""
    decisive = table.led or len(table.axes) == 1
    values = {v for axis in table.axes for v in axis[decisive and axis is table.axes[0] :]}
    return frozenset(values | {str(fault) for fault in table.all()})


@cache
def _known_words() -> frozenset[str]:
    return frozenset().union(*map(_words_of, TABLES.values()))
