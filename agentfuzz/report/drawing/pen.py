"""The pen: draws one row after the other, from the top to the bottom.

Law: each row has a strip of its own, with all that is drawn of it; what is under way between two
rows is drawn where it arrives. Called by `draw`.
"""

from agentfuzz.core.lanes.layout import cut
from agentfuzz.core.lanes.row import Row
from agentfuzz.report.drawing import arrows, boxes
from agentfuzz.report.drawing.arrows import Point
from agentfuzz.report.drawing.lanes import TIME, Lanes
from agentfuzz.report.drawing.shapes import Box, Drawing, Layer, Line, Strip, Text

_TOP = 46
_HIGH, _MIDDLE, _LOW = 38, 33, 26
_LABEL = 24  # characters that fit above an arrow
_FREE = 46  # characters that fit beside a line
_BAD = ("cut off", "raise", "crashed")


class Pen:
    """Where the next row begins, what is under way, and the drawing so far."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes, self.agent = lanes, lanes.of("")
        self.out = Drawing(width=lanes.width)
        self.strip = Strip(step=0, kind="", words="", area=Box(0, 0, 0, 0, "area"))
        self.y = float(_TOP)
        self.t: float | None = None
        self.gaps: list[tuple[float, float]] = []
        self.calls: dict[str, Point] = {}  # where each call began
        self.arrived: dict[str, int] = {}  # how often it did
        self.waiting: dict[str, tuple[Strip, str]] = {}  # calls that have arrived nowhere yet
        self.sent: dict[str, tuple[Point, Row, Strip]] = {}  # handoffs
        self.received: dict[str, int] = {}
        self.effects: dict[int, float] = {}

    def gap(self, words: str) -> None:
        """Time passes, or rows are left out: the lifelines are broken here."""
        self.gaps.append((self.y + 3, self.y + 21))
        self.out.ground.texts.append(Text(self.lanes.tools, self.y + 16, words, "later"))
        self.y += 24

    def verdict(self, words: str) -> None:
        """What is wrong, below the row that proves it."""
        self.y += boxes.verdict(self.out.top, self.y + 4, words, self.out.width) + 10

    def row(self, row: Row) -> None:
        """The next row, and the time before it."""
        self.agent = self.lanes.of(row.who)
        if self.t is not None and row.t - self.t >= 1:
            self.gap(f"{row.t - self.t:g} s later")
        crosses = bool(row.arrow or row.backend)
        hands = bool(row.passes) and row.passes not in self.sent
        height = _HIGH if crosses else _MIDDLE if hands or row.kind == "model" else _LOW
        y = self.y + (height - 13 if height > _LOW else height / 2)
        self._begin(row, y, height)
        if crosses:
            self._crossing(row, y)
        elif row.kind == "model" and self.lanes.model is not None:
            self._turn(row, y, self.lanes.model)
        elif hands:
            self._sends(row, y)
        else:
            self._alone(row, y)
        self.y += height

    def _begin(self, row: Row, y: float, height: float) -> None:
        area = Box(0, self.y + 1, self.out.width, height - 2, "area")
        said = " ".join(filter(None, (row.agent, row.backend, row.note)))
        words = f"Step {row.step}: {said}{', fault' * row.mark}"
        self.strip = Strip(step=row.step, kind=row.kind, words=words, area=area)
        self.out.strips.append(self.strip)
        fresh = row.t != self.t
        both = row.mark and fresh
        if row.mark:
            self.out.bands.append(area._replace(style="band"))
            self.strip.texts.append(Text(TIME, y + (8 if both else 4), "fault", "mark"))
        if fresh:
            self.strip.texts.append(Text(TIME, y - (6 if both else -4), f"{row.t:.1f}s", "time"))
            self.t = row.t

    def _crossing(self, row: Row, y: float) -> None:
        strip, here, tools, backend = self.strip, self.agent, self.lanes.tools, self.lanes.backend
        box = row.kind in ("call", "delivery") and bool(row.backend)
        box = box and row.arrow not in ("request_lost", "request_late")
        end = backend - boxes.HALF if box else backend
        sent = row.kind in ("call", "delivery") and row.arrow in ("request", "late")
        again = sent and self.arrived.get(row.call, 0) > 0
        if again:
            strip.texts.append(Text(here + 12, y + 4, "again", "wrong"))
        else:
            room = _LABEL if row.arrow != "request_late" else _LABEL - 8
            label = row.agent.strip("()") if row.kind == "delivery" else _own(row)
            self._label(here + 12, y - 8, cut(label, room))
        if sent:
            self._request(row, y, end if box else None)
        elif row.arrow == "request_lost":
            self.calls[row.call] = (here, y)
            arrows.lost(strip, (here, y), (tools, y))
            strip.texts.append(Text(tools + 16, y + 4, row.backend, "wrong"))
        elif row.arrow == "request_late":
            self.calls[row.call], self.waiting[row.call] = (here, y), (strip, "late")
            strip.texts.append(Text(tools + 8, y - 8, row.backend, "wrong"))
        elif row.arrow == "reply_lost":
            arrows.lost(strip, (backend, y), (tools, y))
            strip.texts.append(Text(tools + 16, y - 8, row.backend, "wrong"))
        elif row.arrow in ("reply", "reply_changed"):
            self._reply(row, y)
        if box:
            self._box(row, y)

    def _request(self, row: Row, y: float, end: float | None) -> None:
        """A call on its way: arrived here at once, or later, or a second time."""
        if end is None:
            self.calls[row.call] = (self.agent, y)
            self.waiting[row.call] = self.strip, "solid"
            return
        start = self.calls.setdefault(row.call, (self.agent, y))
        times = self.arrived[row.call] = self.arrived.get(row.call, 0) + 1
        self.waiting.pop(row.call, None)
        if start[1] == y:
            arrows.straight(self.strip, self.agent, end, y)
        elif times > 1 and row.arrow != "late":
            arrows.second(self.strip, start, (end, y))
        else:
            style = "late" if row.arrow == "late" else "solid"
            arrows.late(self.strip, start, (end, y), style)

    def _label(self, x: float, y: float, words: str) -> None:
        if words:
            self.strip.texts.append(Text(x, y, words))

    def _reply(self, row: Row, y: float) -> None:
        """What came back: from the backend, or from the tool where nothing had got there."""
        changed = row.arrow == "reply_changed"
        start = self.lanes.backend if row.call in self.arrived else self.lanes.tools
        arrows.straight(self.strip, start, self.agent, y, "wrong" if changed else "solid")
        if changed:
            word = row.backend.removeprefix("reply ").replace("_", " ")
            self.strip.texts.append(Text(self.lanes.backend + 12, y + 4, word, "wrong"))

    def _box(self, row: Row, y: float) -> None:
        words, style = row.backend.partition(" ")[0], "plain"
        if row.effect:
            words, style = f"effect {row.effect}", "twin" if row.twin else "effect"
            self.effects[row.effect] = y
        boxes.arrival(self.strip, self.lanes.backend, y, words, style)
        if row.twin in self.effects and row.effect:
            boxes.twins(self.strip, self.lanes.backend, self.effects[row.twin], y)

    def _turn(self, row: Row, y: float, model: float) -> None:
        """What the model said, on its way to the agent."""
        words = _own(row).removeprefix("model")
        self.strip.texts.append(Text(model + 10, y - 8, cut(words, _FREE), "label"))
        arrows.straight(self.strip, model, self.agent, y, "wrong" if row.mark else "asked")

    def _alone(self, row: Row, y: float) -> None:
        words = cut(_own(row), _FREE - (14 if row.note else 0))
        if row.passes:
            words += self._arrives(row, y)
        if row.kind in ("done", "end") or (row.kind in ("life", "save") and row.mark):
            lives = row.kind in ("life", "save")
            style = "wrong" if words.startswith(_BAD) or row.note or lives else "claim"
            boxes.ending(self.strip, self.agent, y, words, style, self.out.width)
        else:
            boxes.dot(
                self.strip, self.agent, y, words, "dot saved" if row.kind == "save" else "dot"
            )

    def _sends(self, row: Row, y: float) -> None:
        """A handoff leaves."""
        self.sent[row.passes] = ((self.agent, y), row, self.strip)
        style = "wrong" if row.mark else "label"
        self.strip.texts.append(Text(self.agent + 10, y - 8, cut(_own(row), _FREE), style))
        boxes.dot(self.strip, self.agent, y, "")

    def _arrives(self, row: Row, y: float) -> str:
        """A handoff arrives: on its way from one agent's line to another's, and what is odd."""
        start, sent, _ = self.sent[row.passes]
        times = self.received[row.passes] = self.received.get(row.passes, 0) + 1
        if start[0] == self.agent:
            return ""
        spoiled = sent.mark and (times > 1 or sent.note != "twice")
        style = "late" if sent.note.startswith("late") else "wrong" if spoiled else "solid"
        arrows.across(self.strip, start, (self.agent, y), style)
        return f", meant for {sent.to}" if sent.to not in ("", row.who) else ""

    def finish(self) -> Drawing:
        """What never arrived, the heads of the lanes, and their lines, which need the height."""
        out = self.out
        for call, (strip, style) in self.waiting.items():
            x, y = self.calls[call]
            if style == "late":  # under way when the run ended
                strip.lines.append(Line(x, y, self.lanes.tools, y + 10, "broken"))
            else:
                arrows.straight(strip, x, self.lanes.tools, y)
        for handoff, (start, row, strip) in self.sent.items():
            if row.mark and handoff not in self.received:
                self._lost_handoff(strip, start, row.to)
        bottom = self.y + 8
        out.height = int(bottom + 6)
        for x, name in self.lanes.heads():
            out.ground.texts.append(Text(x, 18, cut(name, 18), "lane"))
            _lifeline(out.ground, x, bottom, self.gaps, "net" if x == self.lanes.tools else "life")
        return out

    def _lost_handoff(self, strip: Strip, start: Point, to: str) -> None:
        """Sent, and seen by nobody."""
        aim = self.lanes.agents.get(to, start[0] + 100)
        arrows.lost(strip, start, (start[0] + (aim - start[0]) * 0.6, start[1] + 22))


def _lifeline(
    ground: Layer, x: float, bottom: float, gaps: list[tuple[float, float]], style: str
) -> None:
    y = 28.0
    for top, end in gaps:
        ground.lines.append(Line(x, y, x, top, style))
        if style == "life":
            ground.lines.append(Line(x, top, x, end, "pause"))
        y = end
    ground.lines.append(Line(x, y, x, bottom, style))


def _own(row: Row) -> str:
    """What stands in the agent's lane, without its name: that is at the head of the lane."""
    return row.agent.removeprefix(f"{row.who}: ") if row.who else row.agent
