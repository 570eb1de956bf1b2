"""Fingerprints: by which a CI knows a cause again in the next commit.

Law: no line and no value is in one; the causes of one session have different ones. Called by the
formats that a CI compares.
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from agentfuzz.report.places import Places
from agentfuzz.telling.causes import Cause
from agentfuzz.telling.troubles import troubles_of


def fingerprints(causes: Sequence[Cause], places: Places) -> list[str]:
    """One for each: of its lead's code and subject, the troubles of the plan, and the file."""
    out, seen = [], Counter[str]()
    for cx in (one.lead for one in causes):
        troubles = sorted(troubles_of(cx.plan))
        parts = (cx.code, cx.violation.subject, places.of(cx).path, *map(repr, troubles))
        text = chr(0).join(parts)
        seen[text] += 1
        if seen[text] > 1:
            text += f"{chr(0)}{seen[text]}"
        out.append(sha256(text.encode("utf-8", "backslashreplace")).hexdigest())
    return out
