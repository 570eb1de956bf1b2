"""JSON: a finding and a session for machines, under a schema name and version.

Law: strict JSON, equal bytes for equal findings; no durations, no timestamps, no host paths. The
object of a finding holds its whole history, which `codec.history_from_json` reads from it as it
stands. What any version wrote, `read` gives back as this one would write it. Called by `write`, by
the doors, and by whoever reads reports.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agentfuzz.core import codec, migrations
from agentfuzz.core.errors import PlanError, SavedFileError
from agentfuzz.core.events import Json
from agentfuzz.core.faults import FOR_GOOD, TABLES
from agentfuzz.core.findings import CampaignResult, Control, Counterexample, Smaller
from agentfuzz.core.history import History
from agentfuzz.core.paths import together
from agentfuzz.core.plan import FORMAT_VERSION, FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.model.endings import CLOSED
from agentfuzz.report.formats.format import Format
from agentfuzz.telling import story as stories
from agentfuzz.telling.causes import causes

FINDING, FINDINGS = "agentfuzz.finding", 2  # 1: plans and histories of format 1
_INTERRUPTED = 2  # pytest's exit code
RUN, RUNS = "agentfuzz.run", 1


def finding(cx: Counterexample) -> dict[str, Json]:
    """One finding: what broke, the plan, how it was shrunk and controlled, and both histories."""
    story = stories.tell(cx)
    return {
        "schema": f"{FINDING}/{FINDINGS}",
        "format": FORMAT_VERSION,
        "id": cx.id,
        "code": cx.code,
        **({"known": True} if cx.known else {}),
        "title": cx.title,
        "sentence": cx.violation.sentence,
        "subject": cx.violation.subject,
        "nodeid": cx.nodeid,
        "scenario": cx.scenario,
        "task": cx.task,
        "law": cx.law,
        "location": cx.location,
        "plan": {
            "text": story.plan,
            "faults": _faults(cx),
            **({"given": dict(cx.plan.inputs)} if cx.plan.given else {}),
        },
        "phase": cx.phase,
        "shrink": {
            "faults_before": cx.faults_before,
            "runs": cx.shrink_runs,
            **({"smaller": asdict(cx.smaller)} if cx.smaller else {}),
            **({"alike": list(cx.alike)} if cx.alike else {}),
            **({"enough": cx.enough} if cx.enough else {}),
            **({"agents_before": cx.agents} if cx.agents else {}),
        },
        "controls": [
            {"removed": c.removed, "plan": c.plan, "broken": c.broken, "effects": c.effects}
            for c in cx.controls
        ],
        "effects": _effects(cx.history),
        "same": story.same,
        "differs": story.differs,
        "says": cx.violation.says,
        "world": cx.violation.world,
        "hint": cx.violation.hint,
        "witness": list(cx.violation.witness),
        "tools": {
            name: codec.facts_to_json(facts) for name, facts in sorted(cx.history.tools.items())
        },
        "events": _events(cx.history),
        "baseline": _events(cx.baseline),
        "replay": story.replay,
        "keep": story.keep,
        **({"stack": list(story.stack)} if story.stack else {}),
        **({"traceback": list(story.traceback)} if story.traceback else {}),
        **({"source": list(cx.source)} if cx.source else {}),
        **({"called_from": dict(cx.called)} if cx.called else {}),
    }


def run(results: Sequence[CampaignResult], exit_code: int | None = None) -> dict[str, Json]:
    """A session: `complete` when every campaign ran all it was asked to and nobody interrupted it,
    `unfinished` the tests in which somebody did; each campaign with what it covered; and what the
    findings have for causes."""
    stopped = [result.stopped for result in results]
    unfinished = [result.nodeid for result in results if result.stopped == "interrupt"]
    seeds = sorted({result.seed for result in results})
    baseline: list[Json] = [cx.id for result in results for cx in result.findings if cx.known]
    out: dict[str, Json] = {
        "schema": f"{RUN}/{RUNS}",
        "complete": all(how == "exhausted" for how in stopped) and exit_code != _INTERRUPTED,
        "stopped": sorted(set(stopped)),
        **({"unfinished": unfinished} if unfinished else {}),
        "seed": seeds[0] if len(seeds) == 1 else None,
        "campaigns": [_campaign(result) for result in results],
        "findings": [cx.id for result in results for cx in result.findings],
        **({"known": baseline} if baseline else {}),
        "causes": [
            {
                "id": one.id,
                "codes": list(one.codes),
                **({"known": True} if one.known else {}),
                "findings": [cx.id for cx in one.findings],
                "tests": list(one.tests),
            }
            for one in causes([cx for result in results for cx in result.findings])
        ],
    }
    if known := together(result.paths for result in results):
        out["unreached"] = [asdict(one) for one in known.unreached]
    if exit_code is not None:
        out["exit_code"] = exit_code
    return out


def text(data: Mapping[str, Json]) -> str:
    """The JSON text of a finding or a session, ending in a line break.

    Text that is no Unicode (a lone surrogate) stands as its JSON escape; a number that is none
    (NaN, Infinity) as text.
    """
    dumped = codec.dump(_strict(data), indent=1)
    return dumped.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def read(text: str) -> dict[str, Json]:
    """The finding or session in a JSON text of any version, as this version would write it; fields
    that it does not know are left in. Raises SavedFileError, NewerFileError."""
    try:
        data = json.loads(text)
        if str(isinstance(data, dict) and data.get("schema")).startswith(f"{RUN}/"):
            migrations.schema(data, RUN, RUNS)
            return dict(data)
        migrations.schema(data, FINDING, FINDINGS)
        written = migrations.version(data.get("format"), FORMAT_VERSION, "history format")
        return dict(migrations.finding(data, written))
    except SavedFileError as error:
        raise type(error)(f"no report that can be read: {error}") from error
    except (ValueError, RecursionError, PlanError) as error:
        raise SavedFileError(f"no report that can be read: {error}") from error
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise SavedFileError(f"a broken report: {error!r}") from error


def counterexample(data: Mapping[str, Any]) -> Counterexample:
    """The counterexample behind the object of a finding. Raises SavedFileError."""
    try:
        history = codec.history_from_json(data)
        plan = FaultPlan.parse(data["plan"]["text"])
        same = len(plan) == 0
        return Counterexample(
            **{name: data[name] for name in _TEXTS},
            location=data["location"],
            violation=Violation(
                **{name: data[name] for name in _VIOLATION}, witness=tuple(data["witness"])
            ),
            plan=plan,
            history=history,
            baseline=history
            if same
            else codec.history_from_json({**data, "events": data["baseline"]}),
            faults_before=data["shrink"]["faults_before"],
            shrink_runs=data["shrink"]["runs"],
            controls=tuple(
                Control(one["removed"], one["plan"], one["broken"], one["effects"])
                for one in data["controls"]
            ),
            stack="\n".join(data.get("stack", ())),
            traceback="\n".join(data.get("traceback", ())),
            alike=tuple(data["shrink"].get("alike", ())),
            enough=str(FaultPlan.parse(data["shrink"].get("enough") or "") or ""),
            source=tuple(data.get("source", ())),
            called=dict(data.get("called_from", {})),
            agents=data["shrink"].get("agents_before", 0),
            known=data["nodeid"] if data.get("known") is True else "",
            smaller=Smaller(**smaller) if (smaller := data["shrink"].get("smaller")) else None,
        )
    except (KeyError, TypeError, PlanError) as error:
        raise SavedFileError(f"a broken report: {error!r}") from error


_TEXTS = ("id", "nodeid", "scenario", "task", "law", "phase")
_VIOLATION = ("code", "subject", "title", "sentence", "says", "world", "hint")


def _campaign(result: CampaignResult) -> dict[str, Json]:
    return {
        "nodeid": result.nodeid,
        "scenario": result.scenario,
        "runs": result.runs,
        "struck": result.struck,
        "stopped": result.stopped,
        "seed": result.seed,
        "covered": result.covered(),
        "levels": [
            {
                "name": v.name,
                "done": v.done,
                "total": v.total,
                "skipped": v.skipped,
                **({"limits": v.limits} if v.limits else {}),
            }
            for v in result.levels
        ],
        "laws": {
            name: {"held": n.held, "violated": n.violated, "not_exercised": n.not_exercised}
            for name, n in result.laws.items()
        },
        "kinds": dict(result.kinds),
        "tools": dict(result.tools),
        "matrix": result.matrix.told,
        "untested": list(result.untested),
        "unjudged": list(result.unjudged),
        "escapes": list(result.escapes),
        "notes": list(result.notes),
        "clean": result.clean,
        "findings": [cx.id for cx in result.findings],
        **({"told": dict(result.told)} if result.told else {}),
        **({"paths": asdict(result.paths)} if result.paths else {}),
    }


def _faults(cx: Counterexample) -> list[Json]:
    out: list[Json] = []
    for slot, fault in cx.plan:
        table = TABLES.get(slot.boundary)
        known = table is not None and len(table.axes) == len(fault.axes)
        one: dict[str, Json] = {
            "boundary": slot.boundary,
            "name": slot.name,
            "nth": slot.nth,
            "fault": str(fault),
            "axes": [
                value for value in fault.axes if value != CLOSED
            ],  # of an axis that came later
        }
        if fault.until:  # from nth on: until this one, or for good
            one["until"] = "for_good" if fault.until == FOR_GOOD else fault.until
        if known and slot.boundary == "tool":
            one["delivery"], one["reply"] = fault.axes
        out.append(one | {"variant": fault.variant, "latency": fault.latency})
    return out


def _effects(history: History) -> list[Json]:
    """The ledger; `same_as` names the first effect of the same intent."""
    first: dict[str, str] = {}
    out: list[Json] = []
    for commit in history.ledger:
        one: dict[str, Json] = {
            "id": commit.effect_id,
            "effect": commit.intent.effect,
            "tool": commit.tool,
            "call": commit.call,
            "t": commit.t,
        }
        twin = first.setdefault(str(commit.intent), commit.effect_id)
        out.append(one if twin == commit.effect_id else one | {"same_as": twin})
    return out


def _events(history: History) -> list[Json]:
    return [codec.event_to_json(event) for event in history.events]


def _strict(value: Any) -> Json:
    """The same tree with what JSON cannot hold as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"<{value}>"
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return value


FORMAT = Format(
    name="json",
    finding=lambda cx, _: text(finding(cx)),
    suffix=".json",
    session=lambda told: text(run(told.results, told.exit_code)),
    index="report.json",
    default=True,
    order=3,
)
