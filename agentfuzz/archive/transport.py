"""Campaign results as JSON, for a worker process to send and a controller to read.

Law: what comes back equals what was sent, to the last event. Called by the doors.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any

from agentfuzz.core.codec import history_from_json, history_to_json
from agentfuzz.core.events import Json
from agentfuzz.core.faults import Slot
from agentfuzz.core.findings import (
    CampaignResult,
    Control,
    Counterexample,
    LawCount,
    Level,
    Smaller,
)
from agentfuzz.core.matrix import Cell, Matrix, Row
from agentfuzz.core.paths import Nearest, Paths, Unreached
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation

_CELL = attrgetter(*(field.name for field in fields(Cell)))
_OWN = ("violation", "plan", "history", "baseline", "controls", "smaller")


def to_json(result: CampaignResult) -> dict[str, Json]:
    """A result as a JSON object."""
    out = {field.name: getattr(result, field.name) for field in fields(result)}
    out["levels"] = [
        [level.name, level.done, level.total, level.skipped, level.limits]
        for level in result.levels
    ]
    out["laws"] = {
        name: [count.held, count.violated, count.not_exercised]
        for name, count in result.laws.items()
    }
    out["findings"] = [_finding_to_json(finding) for finding in result.findings]
    out["matrix"] = _matrix_to_json(result.matrix)
    out["paths"] = None if result.paths is None else asdict(result.paths)
    return out


def from_json(data: Mapping[str, Any]) -> CampaignResult:
    """The result that `to_json` wrote."""
    given = dict(data)
    given["levels"] = tuple(Level(*level) for level in given["levels"])
    given["laws"] = {name: LawCount(*count) for name, count in given["laws"].items()}
    given["findings"] = tuple(_finding_from_json(finding) for finding in given["findings"])
    given["notes"], given["untested"] = tuple(given["notes"]), tuple(given["untested"])
    given["escapes"], given["unjudged"] = tuple(given["escapes"]), tuple(given["unjudged"])
    given["made"] = tuple(given["made"])
    given["told"] = dict(given["told"])
    given["matrix"] = _matrix_from_json(given["matrix"])
    given["paths"] = _paths(given.get("paths"))
    return CampaignResult(**given)


def _matrix_to_json(matrix: Matrix) -> dict[str, Json]:
    return {
        "kinds": {group: list(kinds) for group, kinds in matrix.kinds.items()},
        "rows": [
            [
                *row.slot,
                row.group,
                {kind: [*_CELL(cell)] for kind, cell in row.cells.items()},
                row.opened,
            ]
            for row in matrix.rows
        ],
    }


def _matrix_from_json(data: Mapping[str, Any]) -> Matrix:
    return Matrix(
        {group: tuple(kinds) for group, kinds in data["kinds"].items()},
        tuple(
            Row(Slot(*slot), group, {kind: Cell(*cell) for kind, cell in cells.items()}, opened)
            for *slot, group, cells, opened in data["rows"]
        ),
    )


def _paths(data: Mapping[str, Any] | None) -> Paths | None:
    if data is None:
        return None
    unreached = (
        Unreached(**{**one, "nearest": tuple(_nearest(**near) for near in one["nearest"])})
        for one in data["unreached"]
    )
    return Paths(
        tuple(data["reached"]), tuple(unreached), tuple(data["aside"]), tuple(data.get("blind", ()))
    )


def _nearest(place: str, struck: list[str], never: list[str]) -> Nearest:
    return Nearest(place, tuple(struck), tuple(never))


def _finding_to_json(finding: Counterexample) -> dict[str, Json]:
    out = {f.name: getattr(finding, f.name) for f in fields(finding) if f.name not in _OWN}
    return {
        **out,
        "violation": asdict(finding.violation),
        "plan": str(finding.plan),
        "history": history_to_json(finding.history),
        "baseline": history_to_json(finding.baseline),
        "controls": [[c.removed, c.plan, c.broken, c.effects] for c in finding.controls],
        "smaller": None if finding.smaller is None else asdict(finding.smaller),
    }


def _finding_from_json(data: Mapping[str, Any]) -> Counterexample:
    given = dict(data)
    violation = given["violation"]
    given["violation"] = Violation(**{**violation, "witness": tuple(violation["witness"])})
    given["plan"] = FaultPlan.parse(given["plan"])
    given["history"] = history_from_json(given["history"])
    given["baseline"] = history_from_json(given["baseline"])
    given["controls"] = tuple(Control(*control) for control in given["controls"])
    for name in ("alike", "source"):
        given[name] = tuple(given.get(name, ()))
    given["smaller"] = Smaller(**given["smaller"]) if given.get("smaller") else None
    return Counterexample(**given)
