"""Lines of a fixed width: measured in terminal cells, wrapped, cut, and the two-lane sequence.

Law: no line is wider than asked for, and no line can be taken for a CI command. Pure; called by
whatever is printed, and by Markdown. Every text that comes in is escaped here.
"""

import unicodedata
from collections.abc import Sequence

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
    shown = [row for row in lines if isinstance(row, Row)]

    def widest(texts: list[str]) -> int:
        return max((cells(text) for text in texts), default=0)

    time = widest([f"{row.t:.1f}s" for row in shown] + ["time"])
    lead = 4 + time + 2
    notes = min(widest([plain(row.note, ascii_only) for row in shown]), 24)
    pairs = [row for row in shown if row.arrow or row.backend]
    want_agent = widest([plain(row.agent, ascii_only) for row in pairs] + ["agent"])
    want_backend = widest([plain(row.backend, ascii_only) for row in pairs] + ["backend"])
    room = width - lead - ARROW - 3 - (notes + 2 if notes else 0)
    below = room < 24 and notes > 0
    if below:
        room, notes = width - lead - ARROW - 3, 0
    backend = min(want_backend, max(room - want_agent, room // 2, 10))
    agent = max(min(want_agent, room - backend), 1)

    out = [safe(f"    {'time':>{time}}  {pad('agent', agent)}{' ' * (ARROW + 3)}backend", width)]
    for line in lines:
        if isinstance(line, int):
            out.append(safe(f"    {'':>{time}}  ... {line} rows left out ...", width))
            continue
        text = f"  {'!' if line.mark else ' '} {f'{line.t:.1f}s':>{time}}  "
        left, note = plain(line.agent, ascii_only), plain(line.note, ascii_only)
        if line.arrow or line.backend:
            text += f"{pad(cut(left, agent), agent)} {ARROWS[line.arrow]:<{ARROW}}  "
            text += pad(cut(plain(line.backend, ascii_only), backend), backend)
        else:
            free = width - lead - (notes + 2 if note and notes else 0)
            text += pad(cut(left, free), agent + ARROW + 3 + backend if note else 0)
        out.append(safe(f"{text}  {cut(note, notes)}" if notes and note else text, width))
        if below and note:
            indent = min(lead + agent + ARROW + 3, max(width - cells(note), lead))
            out.append(safe(f"{'':{indent}}{note}", width))
    return out
