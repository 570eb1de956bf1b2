"""The picture of a sequence: rows to shapes in three lanes, agent | network | backend; where agents
have names, in a lane for each that matters.

Law: geometry only; every text is raw and escaped by the template that draws the shapes, and no
shape depends on anything but the rows. Pure; called by html.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agentfuzz.core.lanes.layout import chosen, cut
from agentfuzz.core.lanes.row import Row

WIDTH = 412
TIME, AGENT, NETWORK, BACKEND = 40, 60, 180, 302
_HALF = 42  # half the width of a box on the backend's line
_TOP = 62
_ROWS = 60
_LANE = 150  # from one agent's line to the next
_LANES = 5  # agents that have a line; what others do is in the table
_LABEL = 26  # characters that fit above an arrow
_FREE = 46  # characters that fit beside the agent's line


class Text(NamedTuple):
    x: float
    y: float
    text: str
    style: str = "label"


class Line(NamedTuple):
    x1: float
    y1: float
    x2: float
    y2: float
    style: str = "solid"


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    style: str


class Path(NamedTuple):
    d: str
    style: str


@dataclass(slots=True)
class Drawing:
    """Shapes in the order in which they are drawn, in a box of `width` by `height` units."""

    width: int = WIDTH
    height: int = 0
    bands: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


def draw(rows: Sequence[Row], limit: int = _ROWS) -> Drawing:
    """The drawing of a sequence; of a very long one the first, the last and the marked rows."""
    names = acting(rows)
    pen = _Pen(names or [""])
    kept = [row for row in rows if not names or not row.who or row.who in names]
    for item in chosen(kept, limit):
        if isinstance(item, int):
            pen.gap(f"{item} rows left out, all in the table")
        else:
            pen.row(item)
    if len(kept) < len(rows):
        pen.gap(f"and {len(rows) - len(kept)} rows of other agents, all in the table")
    return pen.finish()


def acting(rows: Sequence[Row]) -> list[str]:
    """The agents that matter, in the order in which they came in: those of a fault or of what the
    verdict rests on, with those that handed over to them; else the first ones."""
    every = list(dict.fromkeys(row.who for row in rows if row.who))
    if len(every) < 2:
        return []
    told = {row.who: None for row in rows if row.who and (row.mark or row.witness)}
    passed = {row.passes for row in rows if row.passes and row.who in told}
    told |= {row.who: None for row in rows if row.who and row.passes in passed}
    found = [*told, *(name for name in every if name not in told)][:_LANES]
    return [name for name in every if name in found]


class _Pen:
    def __init__(self, agents: Sequence[str]) -> None:
        more = _LANE * (len(agents) - 1)
        self.agents = {name: AGENT + _LANE * n for n, name in enumerate(agents)}
        self.agent, self.network, self.backend = AGENT, NETWORK + more, BACKEND + more
        self.out = Drawing(width=WIDTH + more)
        self.sent: dict[str, tuple[float, float]] = {}
        self.y = float(_TOP)
        self.t: float | None = None
        self.gaps: list[tuple[float, float]] = []
        self.late: dict[str, float] = {}
        self.effects: dict[int, float] = {}

    def gap(self, words: str) -> None:
        """Time passes, or rows are left out: the lifelines are broken here."""
        self.gaps.append((self.y + 4, self.y + 30))
        self.out.texts.append(Text(self.network, self.y + 21, words, "later"))
        self.y += 34

    def row(self, row: Row) -> None:
        self.agent = self.agents.get(row.who, AGENT)
        if self.t is not None and row.t - self.t >= 1:
            self.gap(f"{row.t - self.t:g} s later")
        height = 46 if row.arrow or row.backend else 36
        y = self.y + (31 if height == 46 else 19)
        fresh = row.t != self.t
        both = row.mark and fresh
        if row.mark:
            self.out.bands.append(Box(0, self.y + 1, self.out.width, height - 2, "band"))
            self.out.texts.append(Text(TIME, y + (10 if both else 4), "fault", "mark"))
        if fresh:
            self.out.texts.append(Text(TIME, y - (4 if both else -4), f"{row.t:.1f}s", "time"))
            self.t = row.t
        if row.arrow or row.backend:
            self._crossing(row, y)
        else:
            self._alone(row, y)
        self.y += height

    def _crossing(self, row: Row, y: float) -> None:
        box = row.kind in ("call", "delivery") and row.arrow not in ("request_lost", "request_late")
        box = box and bool(row.backend)
        end = self.backend - _HALF if box else self.backend
        left = row.agent.strip("()") if row.kind == "delivery" else _own(row)
        self.out.texts.append(Text(self.agent + 12, y - 9, cut(left, _LABEL), "label"))
        if row.arrow == "request":
            self._arrow(self.agent, end, y, "solid")
        elif row.arrow == "request_lost":
            self._lost(self.agent, self.network, y)
            self.out.texts.append(Text(self.network + 18, y + 4, row.backend, "wrong"))
        elif row.arrow == "request_late":
            self.late[row.call] = y
            self.out.texts.append(Text(self.network + 18, y + 4, row.backend, "wrong"))
        elif row.arrow == "late":
            self._late(row, end, y)
        elif row.arrow == "reply":
            self._arrow(self.backend, self.agent, y, "solid")
        elif row.arrow == "reply_changed":
            self._arrow(self.backend, self.agent, y, "wrong")
            word = row.backend.removeprefix("reply ").replace("_", " ")
            self.out.texts.append(Text(self.backend + 12, y + 4, word, "wrong"))
        elif row.arrow == "reply_lost":
            self._lost(self.backend, self.network, y)
            self.out.texts.append(Text(self.network + 18, y - 9, row.backend, "wrong"))
        if box:
            self._box(row, y)

    def _arrow(self, start: float, end: float, y: float, style: str) -> None:
        side = 1 if end > start else -1
        self.out.lines.append(Line(start, y, end - side * 2, y, style))
        tip = f"M{end - side:g} {y:g}l{-side * 9} -4.5v9z"
        self.out.paths.append(Path(tip, f"head {style}"))

    def _lost(self, start: float, end: float, y: float) -> None:
        side = 1 if end > start else -1
        self.out.lines.append(Line(start, y, end - side * 9, y, "broken"))
        self.out.paths.append(Path(f"M{end - 5:g} {y - 5:g}l10 10m0 -10l-10 10", "cross"))

    def _late(self, row: Row, end: float, y: float) -> None:
        start = self.late.pop(row.call, y)
        if start < y:
            bend = f"{self.agent + 70} {start + 10:g} {end - 90} {y:g}"
            curve = f"M{self.agent} {start:g}C{bend} {end - 9} {y:g}"
            self.out.paths.append(Path(curve, "late"))
        else:
            self.out.lines.append(Line(self.agent, y, end - 2, y, "broken"))
        self.out.paths.append(Path(f"M{end - 1:g} {y:g}l-9 -4.5v9z", "head wrong"))

    def _box(self, row: Row, y: float) -> None:
        words, style = row.backend.partition(" ")[0], "plain"
        if row.effect:
            words, style = f"effect {row.effect}", "twin" if row.twin else "effect"
            self.effects[row.effect] = y
        self.out.boxes.append(Box(self.backend - _HALF, y - 15, 2 * _HALF, 30, style))
        self.out.texts.append(Text(self.backend, y + 4.5, words, f"in {style}"))
        if row.twin in self.effects and row.effect:
            first, right = self.effects[row.twin], self.backend + _HALF
            self.out.paths.append(
                Path(f"M{right + 2} {y:g}h10q6 0 6 -6V{first + 6:g}q0 -6 -6 -6h-10", "twin")
            )
            middle = (first + y) / 2
            self.out.texts.append(Text(right + 22, middle - 3, "same", "wrong"))
            self.out.texts.append(Text(right + 22, middle + 11, "intent", "wrong"))

    def _alone(self, row: Row, y: float) -> None:
        words = cut(_own(row), _FREE - (14 if row.note else 0))
        if row.passes:
            self._passes(row, y)
        if row.kind in ("done", "end") or (row.kind == "life" and row.mark):
            bad = ("cut off", "raise", "crashed")
            wrong = words.startswith(bad) or row.note or row.kind == "life"
            style = "wrong" if wrong else "claim"
            width = max(len(words) * 7.3 + 28, 60)
            self.out.boxes.append(
                Box(
                    self.agent - 14, y - 14, min(width, self.out.width - self.agent + 10), 28, style
                )
            )
            self.out.texts.append(Text(self.agent, y + 4, words, f"said {style}"))
        else:
            self.out.paths.append(
                Path(f"M{self.agent - 4} {y:g}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", "dot")
            )
            self.out.texts.append(Text(self.agent + 14, y + 4, words, "label"))

    def _passes(self, row: Row, y: float) -> None:
        """A handoff on its way from the line of one agent to that of another."""
        if row.passes not in self.sent:
            self.sent[row.passes] = (self.agent, y)
        elif self.sent[row.passes][0] != self.agent:
            x, start = self.sent[row.passes]
            side = 1 if self.agent > x else -1
            self.out.lines.append(Line(x, start, self.agent - side * 5, y, "solid"))
            self.out.paths.append(
                Path(f"M{self.agent - side * 4:g} {y:g}l{-side * 9} -4.5v9z", "head solid")
            )

    def finish(self) -> Drawing:
        """Lane headings and lifelines, which need the whole height."""
        out = self.out
        for start in self.late.values():  # a request that never arrived
            out.lines.append(Line(self.agent, start, self.network, start + 12, "broken"))
        bottom = self.y + 10
        out.height = int(bottom + 8)
        heads = [(x, name or "agent") for name, x in self.agents.items()]
        for x, name in (*heads, (self.network, "network"), (self.backend, "backend")):
            out.texts.append(Text(x, 24, cut(name, 18), "lane"))
            y, life = 38.0, "net" if x == self.network else "life"
            for top, end in self.gaps:
                out.lines.insert(0, Line(x, y, x, top, life))
                if life == "life":
                    out.lines.insert(0, Line(x, top, x, end, "pause"))
                y = end
            out.lines.insert(0, Line(x, y, x, bottom, life))
        return out


def _own(row: Row) -> str:
    """What stands in the agent's lane, without its name: that is at the head of the lane."""
    return row.agent.removeprefix(f"{row.who}: ") if row.who else row.agent
