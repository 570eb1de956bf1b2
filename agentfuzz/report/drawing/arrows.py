"""What goes from lane to lane: an arrow that arrives, one that is lost, late, or the second of one.

Law: a lost arrow ends in a cross, a late or a second one begins where its call was made. A style
is `solid`, `wrong` (a fault's) or `late`. Pure; called by the pen.
"""

from agentfuzz.report.drawing.shapes import Layer, Line, Path

Point = tuple[float, float]
_TIP = 9


def straight(layer: Layer, start: float, end: float, y: float, style: str = "solid") -> None:
    """Sent and arrived at once."""
    side = 1 if end > start else -1
    layer.lines.append(Line(start, y, end - side * 2, y, style))
    tip(layer, end - side, y, side, style)


def lost(layer: Layer, start: Point, end: Point) -> None:
    """It never got there: a cross, as far as it came."""
    side = 1 if end[0] > start[0] else -1
    layer.lines.append(Line(*start, end[0] - side * _TIP, end[1], "broken"))
    layer.paths.append(Path(f"M{end[0] - 5:g} {end[1] - 5:g}l10 10m0 -10l-10 10", "cross"))


def second(layer: Layer, start: Point, end: Point) -> None:
    """The second arrow of one call: from where the first began, to the right."""
    (x, y), (at, low) = start, end
    bend = f"{x + (at - x) * 0.35:g} {y + 8:g} {at - (at - x) * 0.45:g} {low:g}"
    layer.paths.append(Path(f"M{x:g} {y:g}C{bend} {at - _TIP:g} {low:g}", "way wrong"))
    tip(layer, at - 1, low, 1, "wrong")


def late(layer: Layer, start: Point, end: Point, style: str) -> None:
    """Sent there and arrived here, to the right and below: it waits beside where it arrives."""
    (x, y), (at, low) = start, end
    turn = at - 17
    way = f"M{x:g} {y:g}H{turn - 8:g}q8 0 8 8V{low - 8:g}q0 8 8 8H{at - _TIP:g}"
    layer.paths.append(Path(way, f"way {style}"))
    tip(layer, at - 1, low, 1, style)


def across(layer: Layer, start: Point, end: Point, style: str) -> None:
    """From one agent to another, straight."""
    side = 1 if end[0] > start[0] else -1
    layer.lines.append(Line(*start, end[0] - side * 5, end[1], style))
    tip(layer, end[0] - side * 4, end[1], side, style)


def tip(layer: Layer, x: float, y: float, side: int, style: str) -> None:
    """The head of an arrow that points to the right (1) or to the left (-1)."""
    layer.paths.append(Path(f"M{x:g} {y:g}l{-side * _TIP} -4.5v9z", f"head {style}"))
