"""The rows of a user's own backend, as `observe=` returns them, and which of them are new.

Law: a row names a business identity by the scope of its tool; rows are counted, so that two equal
ones are two effects, and what was there when the run began is none. Read by the user's backend.
"""

import datetime
import decimal
import enum
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from agentfuzz.core.codec import described, message, scope_value
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Intent, Json
from agentfuzz.world.declaration import at_once, misused
from agentfuzz.world.tools import ToolSpec

_VALUES = (
    *(str, int, float, bytes, type(None), decimal.Decimal, uuid.UUID, enum.Enum),
    *(datetime.date, datetime.time, datetime.timedelta),
)
Scope = tuple[tuple[str, Json], ...]


class Row(NamedTuple):
    """One row: its scope, and the values of it as they came."""

    scope: Scope
    values: tuple[Any, ...]

    def fits(self, spec: ToolSpec, bound: Mapping[str, Any]) -> bool:
        """Whether a call with these arguments means this row; a database has its own types."""
        given = [spec.value(bound, name) for name, _ in self.scope]
        return all(
            one == other or _text(one) == _text(other)
            for one, other in zip(self.values, given, strict=True)
        )


class Rows:
    """What one tool's `observe=` sees."""

    def __init__(self, spec: ToolSpec, observe: Callable[[], Iterable[Any]]) -> None:
        self.spec = spec
        self._observe = observe
        self._holds: Counter[Scope] | None = None

    def count(self, scope: Scope) -> int:
        """How many rows of this scope there were the last time."""
        return self._holds[scope] if self._holds is not None else 0

    def new(self) -> list[Row]:
        """The rows that were not there the last time; the first time there are none. Raises
        ScenarioError where they cannot be read."""
        rows = [self._row(each) for each in self._read()]
        before, self._holds = self._holds, Counter(row.scope for row in rows)
        if before is None:
            return []
        known, found = Counter(before), []
        for row in rows:
            if known[row.scope] > 0:
                known[row.scope] -= 1
            else:
                found.append(row)
        return found

    def _read(self) -> list[Any]:
        try:
            found = at_once(self._observe())
            if isinstance(found, (str, bytes)):
                raise TypeError(f"it returned {described(found)[:80]}, which is one value, no list")
            return list(found)
        except Exception as error:
            raise self._misused(
                f"failed: {type(error).__name__}: {message(error)}", "a list of rows"
            ) from error

    def _row(self, row: Any) -> Row:
        names = self.spec.scope
        if not names:
            return Row((), ())  # each row is one effect of the run
        if isinstance(row, Mapping) or hasattr(row, "keys"):
            try:
                values = tuple(row[name] for name in names)
            except (KeyError, IndexError):
                columns = ", ".join(map(str, row.keys())) or "nothing"
                raise self._misused(f"returned a row of {columns}", self._wanted()) from None
        elif isinstance(row, Sequence) and not isinstance(row, (str, bytes)):
            values = tuple(row)
        else:
            values = (row,)
        if len(values) != len(names) or not all(
            isinstance(v, (*_VALUES, list, dict)) for v in values
        ):
            raise self._misused(f"returned the row {described(row)[:80]}", self._wanted())
        return Row(tuple(zip(names, map(scope_value, values), strict=True)), values)

    def _wanted(self) -> str:
        names = self.spec.scope
        each = ", ".join(f"{name!r}: ..." for name in names)
        other = "the value alone" if len(names) == 1 else f"a tuple ({', '.join(names)})"
        return f"rows that name the scope: {{{each}}}, or {other}"

    def _misused(self, what: str, wanted: str) -> ScenarioError:
        return misused("observe", self.spec.name, self._observe, what, f"It returns {wanted}.")


def intent_of(row: Row, spec: ToolSpec) -> Intent:
    """The intent that a row stands for, where no call means it."""
    assert spec.effect is not None, "who observes declares an effect"
    return Intent(spec.effect, row.scope)


def _text(value: Any) -> str:
    if isinstance(value, enum.Enum):
        value = value.value
    return str(value) if isinstance(value, _VALUES) else str(scope_value(value))
