"""Measuring side by side: interleaved repetitions, CPU time, medians, paired ratios.

Law: what is compared runs in turns inside one process, so that a slow minute of the machine hits
both sides; ratios are taken within a turn and their median is reported. Used by every benchmark.
"""

import gc
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import process_time


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of this process for one piece of work."""
    gc.collect()
    begun = process_time()
    work()
    return process_time() - begun


def interleaved(
    cases: Mapping[str, Callable[[], float]], repetitions: int
) -> dict[str, list[float]]:
    """Each case measures itself and returns a figure (seconds a run); turns go forwards and
    backwards, so that no case always comes first."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(repetitions):
        names = list(cases) if turn % 2 == 0 else list(reversed(cases))
        for name in names:
            found[name].append(cases[name]())
    return found


def ratio(found: Mapping[str, Sequence[float]], name: str, base: str) -> float:
    """The median of the ratios within each turn."""
    return median(a / b for a, b in zip(found[name], found[base], strict=True))


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a small table."""
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    print(title)
    for row in cells:
        left, *rest = row
        line = [left.ljust(widths[0]), *(c.rjust(w) for c, w in zip(rest, widths[1:], strict=True))]
        print("  " + "   ".join(line))
