"""What a picture is made of: texts, lines, boxes and paths, those of one row together.

Law: plain data in the units of the picture; a `style` is a class of the stylesheet. Called by
whatever draws, and by the template.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


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
class Layer:
    """Shapes that are drawn together: lines below paths, boxes and texts."""

    lines: list[Line] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Strip(Layer):
    """What is drawn of one row, its `step`: of which kind it is, where it stands (`area`), and what
    it says to somebody who does not see it."""

    step: int
    kind: str
    words: str
    area: Box


@dataclass(slots=True)
class Drawing:
    """Shapes in the order in which they are drawn, in a box of `width` by `height` units: the
    bands of faults, the lanes, a strip for each row, and on top of them the verdict."""

    width: int
    height: int = 0
    bands: list[Box] = field(default_factory=list)
    ground: Layer = field(default_factory=Layer)
    strips: list[Strip] = field(default_factory=list)
    top: Layer = field(default_factory=Layer)
