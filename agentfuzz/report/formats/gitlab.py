"""GitLab: the findings of a session as its code quality report, for the widget of a merge request.

Law: what GitLab compares, the fingerprint, changes neither with a line nor with a value; a path is
relative to the repository and has no `./`. Called by the writer.
"""

from agentfuzz.core.codec import dump
from agentfuzz.core.escaping import visible
from agentfuzz.core.events import Json
from agentfuzz.core.findings import Counterexample
from agentfuzz.report.fingerprints import fingerprints
from agentfuzz.report.formats.format import Format
from agentfuzz.report.session import Session

SEVERE = ("AF1", "AF3")  # effects, and what is claimed of them
MILD = ("AF904", "AF905")  # of the harness, more than of the agent


def report(session: Session) -> str:
    """A list with an object for each finding."""
    found = [cx for result in session.results for cx in result.findings]
    marks = fingerprints(found, session.places)
    told: list[Json] = [_issue(cx, mark, session) for cx, mark in zip(found, marks, strict=True)]
    return dump(told, indent=1) + "\n"


def _issue(cx: Counterexample, mark: str, session: Session) -> dict[str, Json]:
    place = session.places.of(cx)
    return {
        "description": visible(f"{cx.code} {cx.title}: {cx.violation.sentence}"),
        "check_name": visible(cx.code),
        "fingerprint": mark,
        "severity": severity(cx.code),
        "location": {"path": visible(place.path), "lines": {"begin": place.line}},
    }


def severity(code: str) -> str:
    """How bad a code is, in GitLab's words."""
    if code.startswith(MILD):
        return "minor"
    return "critical" if code.startswith(SEVERE) else "major"


FORMAT = Format(name="gitlab", session=report, index="report.gitlab.json", order=7)
