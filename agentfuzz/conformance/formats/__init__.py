"""The table of a loop as text, JSON, Markdown and HTML, one file each, and all of them as files.

Law: every format tells the same table and adds nothing to it; the text of loops and tools is made
inert by each one's own rule. Called by the plugin.
"""

import json as _json
from pathlib import Path

from agentfuzz.conformance import badge
from agentfuzz.conformance.formats import html, json, markdown
from agentfuzz.conformance.table import Table
from agentfuzz.report.write import put

NAME = "conformance"


def write(directory: Path, table: Table) -> list[Path]:
    """Write the table and its badge. Returns the paths. Raises OSError."""
    texts = {
        f"{NAME}.html": html.page(table),
        f"{NAME}.md": markdown.page(table),
        f"{NAME}.json": json.text(table),
        "badge.svg": badge.svg(table),
        "badge.json": _json.dumps(badge.endpoint(table), indent=1) + "\n",
    }
    directory.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        put(directory / file, text.encode("utf-8", "backslashreplace"))
    return [directory / file for file in texts]
