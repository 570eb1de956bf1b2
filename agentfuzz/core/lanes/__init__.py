"""A history in two lanes, agent and backend: what is printed of it, wherever it is told.

words       values, counts and lives as short texts
sequence    a history as rows
layout      rows as lines of a fixed width

Law: no boundary is known by name, and nothing but events is needed, so that a history can print
itself. Called by `History`, by the stories in `telling`, and by every format of a report.
"""

import sys
from typing import TextIO

from agentfuzz.core.lanes import layout, sequence


def printed(history: sequence.Events, *, ascii_only: bool = False, width: int = 80) -> str:
    """The whole sequence of a history, as a terminal shows it."""
    rows = sequence.rows(history)
    if not rows:
        return "no events"
    lines = layout.lanes(rows, width=max(width, 40), limit=len(rows), ascii_only=ascii_only)
    return "\n".join(lines)


def shows_ascii_only(stream: TextIO | None = None) -> bool:
    """Whether a stream (stdout, if none is given) may not show more than ASCII."""
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None)
    return "utf" not in (encoding or "").lower()
