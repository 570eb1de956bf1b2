"""The badge of a loop: in how many of the stories that apply to it it broke no law.

Law: a badge says no more than the table does; grey is no evidence. As a picture of its own, and as
the JSON that the endpoint of shields.io reads. Called by the writer.
"""

from agentfuzz.conformance.table import Table
from agentfuzz.core.verdict import VIOLATED

LABEL = "agentfuzz"
COLOURS = {"brightgreen": "#2f8132", "orange": "#b3541e", "red": "#b42318", "lightgrey": "#6b6f76"}
_WIDE = 6.6  # units of one character; the text is fitted to them
_PAD = 6.0


def endpoint(table: Table) -> dict[str, str | int]:
    """What https://shields.io/badges/endpoint-badge reads."""
    return {
        "schemaVersion": 1,
        "label": LABEL,
        "message": message(table),
        "color": colour(table),
    }


def message(table: Table) -> str:
    """`12/30 stories`"""
    if not table.tried:
        return "nothing tested"
    cut = " (part)" if table.interrupted or any(row.cut_short for row in table.tried) else ""
    return f"{len(table.kept)}/{len(table.tried)} stories{cut}"


def colour(table: Table) -> str:
    """Green only where no law was broken; red where half of the stories break."""
    kept, tried = len(table.kept), len(table.tried)
    if not tried or (kept == tried and table.interrupted):
        return "lightgrey"
    if not table.count(VIOLATED):
        return "brightgreen"
    return "orange" if 2 * kept >= tried else "red"


def svg(table: Table) -> str:
    """The badge as a picture that needs nothing else."""
    said = message(table)
    left, right = (round(len(text) * _WIDE + 2 * _PAD) for text in (LABEL, said))
    width, fill = left + right, COLOURS[colour(table)]
    words = "".join(
        f'<text x="{at:g}" y="14" textLength="{len(text) * _WIDE:.0f}">{text}</text>'
        for text, at in ((LABEL, left / 2), (said, left + right / 2))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" '
        f'aria-label="{LABEL}: {said}"><title>{LABEL}: {said}</title>'
        f'<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444a52"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{fill}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" '
        f'font-size="11">{words}</g></svg>\n'
    )
