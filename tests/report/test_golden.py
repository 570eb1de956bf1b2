"""Golden files: the exact bytes of each format, as people see them.

To write them anew after a change that is meant, and to read the difference before a commit:

    AGENTFUZZ_GOLDEN=write pytest tests/report/test_golden.py
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agentfuzz.core.findings import Counterexample
from agentfuzz.report.formats import html, markdown, terminal
from agentfuzz.report.formats import json as json_format

from .samples import ALL, RESULTS

GOLDEN = Path(__file__).parent / "golden"
BLOCKS = ("double_charge", "late_delivery", "two_faults")
PAGES = ("double_charge", "two_faults")  # the smallest one, and one with all that a page shows


def _block(cx: Counterexample) -> str:
    return terminal.blocks([cx], at={cx.id: f"reports/agentfuzz/{cx.id}.html"})


FILES: dict[str, Callable[[], str]] = {
    "index.html": lambda: html.index(RESULTS),
    "index.md": lambda: markdown.index(RESULTS),
    "report.json": lambda: json_format.text(json_format.run(RESULTS, 1)),
    "summary.txt": lambda: "\n".join(terminal.summary(RESULTS, report="r/index.html")) + "\n",
}
for _name in BLOCKS:
    FILES[f"{_name}.txt"] = lambda cx=ALL[_name]: _block(cx) + "\n"  # type: ignore[misc]
for _name in PAGES:
    _cx = ALL[_name]
    FILES[f"{_name}.html"] = lambda cx=_cx: html.finding(cx)  # type: ignore[misc]
    FILES[f"{_name}.md"] = lambda cx=_cx: markdown.finding(cx)  # type: ignore[misc]
    FILES[f"{_name}.json"] = lambda cx=_cx: json_format.text(json_format.finding(cx))  # type: ignore[misc]


@pytest.mark.parametrize("name", FILES)
def test_the_bytes_are_the_golden_ones(name: str) -> None:
    """What people see changes only on purpose."""
    path = GOLDEN / name
    made = FILES[name]().encode()
    if os.environ.get("AGENTFUZZ_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(made)
    assert made.decode() == path.read_bytes().decode()


def test_no_golden_file_is_left_over() -> None:
    """What no test compares is nobody's word."""
    assert {path.name for path in GOLDEN.iterdir()} == set(FILES)
