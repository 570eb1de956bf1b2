"""JUnit: the findings of a test as properties of its test case, through pytest's own writer.

Law: as few as a reader needs, because a strict one refuses properties of a test case: the ids and
codes, and what they mean only where it is asked for. Called by the doors.
"""

from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.core.secrets.redaction import redacted
from agentfuzz.report.formats.format import Format
from agentfuzz.telling.troubles import troubles_of


def properties(result: CampaignResult, full: bool) -> list[tuple[str, str]]:
    """Name and value of each, finding by finding."""
    told = []
    for cx in result.findings:
        told += [("agentfuzz.finding", cx.id), ("agentfuzz.code", cx.code)]
        told += [("agentfuzz.known", cx.id)] * bool(cx.known)
        if full:
            told += [
                ("agentfuzz.cause", redacted(_cause(cx)) or "no fault"),
                ("agentfuzz.plan", redacted(str(cx.plan)) or "no faults"),
                ("agentfuzz.message", f"{cx.code} {cx.title}: {cx.violation.sentence}"),
            ]
    if full:
        told.append(("agentfuzz.runs", str(result.runs)))
    return told


def _cause(cx: Counterexample) -> str:
    """What made the agent fail, as `tool:book:reply`."""
    return ", ".join(sorted(":".join(filter(None, one)) for one in troubles_of(cx.plan)))


FORMAT = Format(name="junit", properties=properties, order=8)
