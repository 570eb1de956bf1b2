"""JUnit: the findings of a test as properties of its test case, through pytest's own writer.

Law: as few as a reader needs, because a strict one refuses properties of a test case: the ids and
codes, and what they mean only where it is asked for. Called by the doors.
"""

from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.secrets.redaction import redacted
from agentfuzz.report.formats.format import Format
from agentfuzz.search.causes import cause_of


def properties(result: CampaignResult, full: bool) -> list[tuple[str, str]]:
    """Name and value of each, finding by finding."""
    told = []
    for cx in result.findings:
        told += [("agentfuzz.finding", cx.id), ("agentfuzz.code", cx.code)]
        if full:
            cause = ", ".join(sorted(":".join(one) for one in cause_of(cx.plan)))
            told += [
                ("agentfuzz.cause", cause or "no fault"),
                ("agentfuzz.plan", redacted(str(cx.plan)) or "no faults"),
                ("agentfuzz.message", f"{cx.code} {cx.title}: {cx.violation.sentence}"),
            ]
    if full:
        told.append(("agentfuzz.runs", str(result.runs)))
    return told


FORMAT = Format(name="junit", properties=properties, order=8)
