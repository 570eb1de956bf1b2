"""What stands in a lane: an arrival at the backend, an effect with the way to its twin, the dot of
a step, an ending, the verdict.

Law: a thick box is an effect, a red one the second of its intent. Pure; called by the pen.
"""

from agentfuzz.core.lanes.layout import wrap
from agentfuzz.report.drawing.shapes import Box, Layer, Path, Text

HALF = 42  # half the width of a box on the backend's line
_CELL = 7.3  # the width of a character


def arrival(layer: Layer, x: float, y: float, words: str, style: str) -> None:
    """A box on the backend's line: `plain`, `effect` or `twin`."""
    layer.boxes.append(Box(x - HALF, y - 13, 2 * HALF, 26, style))
    layer.texts.append(Text(x, y + 4.5, words, f"in {style}"))


def twins(layer: Layer, x: float, first: float, second: float) -> None:
    """The way from an effect back to the first of the same intent."""
    right, middle = x + HALF, (first + second) / 2
    way = f"M{right + 2} {second:g}h10q6 0 6 -6V{first + 6:g}q0 -6 -6 -6h-10"
    layer.paths.append(Path(way, "twins"))
    layer.texts.append(Text(right + 22, middle - 3, "same", "wrong"))
    layer.texts.append(Text(right + 22, middle + 11, "intent", "wrong"))


def dot(layer: Layer, x: float, y: float, words: str, style: str = "dot") -> None:
    """A step of the agent's own, with its words beside it."""
    layer.paths.append(Path(f"M{x - 4:g} {y:g}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", style))
    if words:
        layer.texts.append(Text(x + 14, y + 4, words, "label"))


def ending(layer: Layer, x: float, y: float, words: str, style: str, room: float) -> None:
    """How it ended: `claim`, or `wrong`."""
    width = min(max(len(words) * _CELL + 28, 60), room - x + 10)
    layer.boxes.append(Box(x - 14, y - 13, width, 26, style))
    layer.texts.append(Text(x, y + 4, words, f"said {style}"))


def verdict(layer: Layer, y: float, words: str, width: float) -> float:
    """What is wrong here, over the whole width. Returns its height."""
    lines = wrap(words, int((width - 40) / 7.2), 2)
    height = 10 + 15 * len(lines)
    layer.boxes.append(Box(8, y, width - 16, height, "verdict"))
    for n, line in enumerate(lines):
        layer.texts.append(Text(20, y + 17 + 15 * n, line, "verdict"))
    return height
