"""Fingerprints: by which a CI knows a finding again in the next commit.

Law: no line and no value is in one; the findings of one session have different ones. Called
by the formats that a CI compares.
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.plan import FaultPlan
from agentfuzz.report.places import Places
from agentfuzz.search.causes import cause_of


def fingerprints(findings: Sequence[Counterexample], places: Places) -> list[str]:
    """One for each: of its code and subject, the troubles of its plan, and the file it is in."""
    out, seen = [], Counter[str]()
    for cx in findings:
        known = FaultPlan([(slot, fault) for slot, fault in cx.plan if slot.boundary in BOUNDARIES])
        troubles = sorted(cause_of(known))
        parts = (cx.code, cx.violation.subject, places.of(cx).path, *map(repr, troubles))
        text = chr(0).join(parts)
        seen[text] += 1
        if seen[text] > 1:
            text += f"{chr(0)}{seen[text]}"
        out.append(sha256(text.encode("utf-8", "backslashreplace")).hexdigest())
    return out
