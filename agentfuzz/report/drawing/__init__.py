"""The picture of a sequence: rows to shapes, in a lane each for the model, every agent, the tools
and the backend.

shapes    what a picture is made of
lanes     who has a lane, and where it stands
arrows    what goes from lane to lane: arrived, lost, late, double
boxes     what stands in a lane: effects, endings, the verdict
pen       one row after the other

Law: geometry only; every text is raw and escaped by the template that draws the shapes, and no
shape depends on anything but the rows and the verdict's one line. Pure; called by html.
"""

from collections.abc import Sequence

from agentfuzz.core.lanes.layout import chosen
from agentfuzz.core.lanes.row import Row
from agentfuzz.report.drawing.lanes import acting, standing
from agentfuzz.report.drawing.pen import Pen
from agentfuzz.report.drawing.shapes import Drawing

_ROWS = 60


def draw(rows: Sequence[Row], verdict: str = "", limit: int = _ROWS) -> Drawing:
    """The drawing of a sequence; of a very long one the first, the last and the marked rows. The
    `verdict` stands after the last row on which it rests."""
    names = acting(rows)
    pen = Pen(standing(rows, names))
    kept = [row for row in rows if not names or not row.who or row.who in names]
    proof = max((row.step for row in kept if row.witness), default=0)
    for item in chosen(kept, limit):
        if isinstance(item, int):
            pen.gap(f"{item} rows left out, all in the table")
            continue
        pen.row(item)
        if verdict and item.step == proof:
            pen.verdict(verdict)
    if len(kept) < len(rows):
        pen.gap(f"and {len(rows) - len(kept)} rows of other agents, all in the table")
    if verdict and not proof:
        pen.verdict(verdict)
    return pen.finish()
