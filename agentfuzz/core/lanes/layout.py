"""Lines of a fixed width: measured in terminal cells, wrapped, cut, and the two-lane sequence.

Law: no line is wider than asked for, and no line can be taken for a CI command. Pure; called by
whatever is printed, and by Markdown. Every text that comes in is escaped here.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from agentfuzz.core import escaping
from agentfuzz.core.lanes.row import Row

ARROWS = {
    "": "",
    "request": "------>",
    "request_lost": "---x",
    "request_late": "--- - -",
    "late": "- - -->",
    "reply": "<------",
    "reply_lost": "   x---",
    "reply_changed": "<~~~~~~",
}
ARROW = 7


def cells(text: str) -> int:
    """How many columns a terminal gives to a text."""
    if text.isascii():
        return len(text)
    return sum(_cell(char) for char in text)


def _cell(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, width: int, *, tail: bool = False) -> str:
    """A text of at most `width` cells; what is left out (the end, or with `tail` the start)
    becomes `...`."""
    if cells(text) <= width:
        return text
    room, kept = width - 3, 0
    chars: list[str] = []
    for char in reversed(text) if tail else text:
        kept += _cell(char)
        if kept > room:
            break
        chars.append(char)
    return ("..." + "".join(reversed(chars)) if tail else "".join(chars) + "...")[: max(width, 0)]


def plain(text: str, ascii_only: bool = False, keep: str = "") -> str:
    """Data as it may stand in a line: escaped, in ASCII if asked for."""
    text = escaping.visible(text, keep)
    return text.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else text


def safe(line: str, width: int) -> str:
    """A finished line: no CI command, no wider than `width`, no space at its end."""
    return cut(escaping.guard(line.rstrip()), width)


def wrap(text: str, width: int, limit: int = 8) -> list[str]:
    """A text in lines of at most `width` cells, broken at spaces, at most `limit` of them."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cells(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
        while cells(line) > width and len(lines) <= limit:
            head = _head(line, width)
            lines.append(head)
            line = line[len(head) :]
        if len(lines) > limit:
            break
    if line:
        lines.append(line)
    if len(lines) > limit:
        lines = [*lines[: limit - 1], cut(lines[limit - 1] + " " * width, width)]
    return lines or [""]


def _head(text: str, width: int) -> str:
    taken = 0
    for i, char in enumerate(text):
        taken += _cell(char)
        if taken > width:
            return text[: max(i, 1)]
    return text


def pad(text: str, width: int) -> str:
    """A text filled up with spaces to `width` cells."""
    return text + " " * (width - cells(text))


_MARKED = 12  # rows of faults, of more the first ones and the last


def chosen(rows: Sequence[Row], limit: int) -> list[Row | int]:
    """At most `limit` lines: all rows, or the first, the last and those that matter, with the
    number of rows left out where some were."""
    if len(rows) <= limit:
        return list(rows)
    last = len(rows) - 1
    edges = [i for pair in zip(range(limit), range(last, -1, -1), strict=False) for i in pair]
    marked = [i for i, row in enumerate(rows) if row.mark]
    if len(marked) > _MARKED:  # an outage: how it began, and how it went on
        marked = [*marked[: _MARKED - 4], *marked[-4:]]
    matter = sorted({*marked, *(i for i, row in enumerate(rows) if row.witness)})
    keep: set[int] = set()
    for i in dict.fromkeys([*edges[:12], *matter, *edges]):
        keep.add(i)
        if len(_with_gaps(sorted(keep), len(rows))) > limit:
            keep.discard(i)
    return [rows[i] if i >= 0 else -i for i in _with_gaps(sorted(keep), len(rows))]


def _with_gaps(kept: list[int], total: int) -> list[int]:
    """Kept indices, with minus the number of rows missing between two of them."""
    out: list[int] = []
    expected = 0
    for i in [*kept, total]:
        if i > expected:
            out.append(expected - i)
        if i < total:
            out.append(i)
        expected = i + 1
    return out


def lanes(
    rows: Sequence[Row], *, width: int = 80, limit: int = 40, ascii_only: bool = False
) -> list[str]:
    """The sequence as lines: mark, time, agent lane, arrow, backend lane, note. Where a terminal is
    too narrow for notes, each is a line of its own, below its row."""
    lines = chosen(rows, limit)
    at = _columns([row for row in lines if isinstance(row, Row)], width, ascii_only)
    head = f"    {'time':>{at.time}}  {pad('agent', at.agent)}{' ' * (ARROW + 3)}backend"
    out = [safe(head, width)]
    for line in lines:
        if isinstance(line, int):
            out.append(safe(f"    {'':>{at.time}}  ... {line} rows left out ...", width))
        else:
            out += [safe(text, width) for text in _row(line, at, ascii_only)]
    return out


class _Columns(NamedTuple):
    """How wide each is; `notes` is 0 where they stand below their rows."""

    width: int
    time: int
    agent: int
    backend: int
    notes: int

    @property
    def lead(self) -> int:
        return 4 + self.time + 2

    @property
    def beside(self) -> int:
        """Where the backend's column begins."""
        return self.lead + self.agent + ARROW + 3


def _columns(shown: Sequence[Row], width: int, ascii_only: bool) -> _Columns:
    def widest(texts: list[str]) -> int:
        return max((cells(text) for text in texts), default=0)

    time = widest([f"{row.t:.1f}s" for row in shown] + ["time"])
    notes = min(widest([plain(row.note, ascii_only) for row in shown]), 24)
    pairs = [row for row in shown if row.arrow or row.backend]
    agent = widest([plain(row.agent, ascii_only) for row in pairs] + ["agent"])
    want = widest([plain(row.backend, ascii_only) for row in pairs] + ["backend"])
    all = width - (4 + time + 2) - ARROW - 3
    room = all - (notes + 2 if notes else 0)
    if room < 24:
        room, notes = all, 0
    backend = min(want, max(room - agent, room // 2, 10))
    return _Columns(width, time, max(min(agent, room - backend), 1), backend, notes)


def _row(row: Row, at: _Columns, ascii_only: bool) -> list[str]:
    left, note = plain(row.agent, ascii_only), plain(row.note, ascii_only)
    text = f"  {'!' if row.mark else ' '} {f'{row.t:.1f}s':>{at.time}}  "
    if row.arrow or row.backend:
        text += f"{pad(cut(left, at.agent), at.agent)} {ARROWS[row.arrow]:<{ARROW}}  "
        text += pad(cut(plain(row.backend, ascii_only), at.backend), at.backend)
    else:
        free = at.width - at.lead - (at.notes + 2 if note and at.notes else 0)
        text += pad(cut(left, free), at.beside - at.lead + at.backend if at.notes and note else 0)
    if not note:
        return [text]
    if at.notes:
        return [f"{text}  {cut(note, at.notes)}"]
    if cells(text) < at.beside and at.beside + cells(note) <= at.width:
        return [f"{pad(text, at.beside)}{note}"]
    indent = min(at.beside, max(at.width - cells(note), at.lead))
    return [text, f"{'':{indent}}{note}"]
