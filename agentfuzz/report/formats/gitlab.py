"""GitLab: the causes of a session as its code quality report, for the widget of a merge request.

Law: what GitLab compares, the fingerprint, changes neither with a line nor with a value; a path is
relative to the repository and has no `./`. Called by the writer.
"""

from agentfuzz.core.codec import dump
from agentfuzz.core.escaping import visible
from agentfuzz.core.events import Json
from agentfuzz.report.account import Account
from agentfuzz.report.fingerprints import fingerprints
from agentfuzz.report.formats.format import Format
from agentfuzz.telling.causes import Cause

SEVERE = ("AF1", "AF3")  # effects, and what is claimed of them
_WORDS = 2_000  # characters
MILD = ("AF904", "AF905")  # of the harness, more than of the agent


def report(account: Account) -> str:
    """A list with an object for each cause."""
    causes = account.apart
    marks = fingerprints(causes, account.places)
    told: list[Json] = [_issue(one, mark, account) for one, mark in zip(causes, marks, strict=True)]
    return dump(told, indent=1) + "\n"


def _issue(cause: Cause, mark: str, account: Account) -> dict[str, Json]:
    cx = cause.lead
    place = account.places.of(cx)
    breaks = f" ({cause.breaks})" if cause.breaks else ""
    return {
        "description": visible(f"{cx.code} {cx.title}: {cx.violation.sentence}{breaks}"[:_WORDS]),
        "check_name": visible(cx.code),
        "fingerprint": mark,
        "severity": "info" if cause.known else severity(cx.code),
        "location": {"path": visible(place.path), "lines": {"begin": place.line}},
    }


def severity(code: str) -> str:
    """How bad a code is, in GitLab's words."""
    if code.startswith(MILD):
        return "minor"
    return "critical" if code.startswith(SEVERE) else "major"


FORMAT = Format(name="gitlab", session=report, index="report.gitlab.json", order=7)
