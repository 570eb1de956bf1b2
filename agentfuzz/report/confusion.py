"""The confusion table of a detector: how often it takes words for the end of the work, wrongly.

Law: every number is counted from the closings given, against the ground truth that they carry.
Called by people who decide by words (`agentfuzz.confusion`), and by the pages of findings in which
words decided: those show the classic detector over the whole corpus.

    print(agentfuzz.confusion(my_detector))
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from agentfuzz.core import escaping
from agentfuzz.core.findings import Counterexample
from agentfuzz.model.closings import FEATURES, LANGUAGES, Closing, classic_detector, corpus

PLAIN = "(none)"
TITLE = "How often the words mislead"
HEADERS = (
    "closings",
    "done, seen",
    "done, missed",
    "not done, seen",
    "not done, taken for done",
    "wrong",
)


@dataclass(frozen=True, slots=True)
class Counts:
    """How often a detector was right and wrong. Positive means: it says that the work is done."""

    true_positives: int = 0
    false_positives: int = 0
    true_negatives: int = 0
    false_negatives: int = 0

    @property
    def total(self) -> int:
        """All closings counted."""
        return self.true_positives + self.true_negatives + self.wrong

    @property
    def wrong(self) -> int:
        """Premature and missed completions together."""
        return self.false_positives + self.false_negatives


@dataclass(frozen=True, slots=True)
class Confusion:
    """The figures of one detector, overall, by language (code) and by feature; `(none)` counts
    the closings without any. A closing counts under each of its features.

    `premature` and `missed` are examples: the first few wrong ones of each language.
    """

    detector: str
    overall: Counts
    by_language: Mapping[str, Counts] = field(default_factory=dict)
    by_feature: Mapping[str, Counts] = field(default_factory=dict)
    premature: tuple[Closing, ...] = ()
    missed: tuple[Closing, ...] = ()

    def __str__(self) -> str:
        return table(self)


def confusion(
    detector: Callable[[str], object],
    closings: Iterable[Closing] | None = None,
    *,
    examples: int = 1,
) -> Confusion:
    """Ask a detector about every closing (the whole corpus, unless others are given): does this
    text say that the work is done? Printed, the answer is a table.

    `examples` is how many wrong answers of each kind and language are kept. What the detector
    raises is not caught.
    """
    counts: dict[tuple[str, str], list[int]] = {}
    wrong: dict[tuple[bool, str], list[Closing]] = {}
    for closing in corpus() if closings is None else closings:
        said = bool(detector(closing.text))
        column = (0 if closing.done else 1) if said else (3 if closing.done else 2)
        features = closing.features or (PLAIN,)
        for kind, names in (("", ("",)), ("language", (closing.language,)), ("feature", features)):
            for name in names:
                counts.setdefault((kind, name), [0, 0, 0, 0])[column] += 1
        if said != closing.done:
            kept = wrong.setdefault((said, closing.language), [])
            if len(kept) < examples:
                kept.append(closing)

    def part(kind: str, known: Iterable[str]) -> dict[str, Counts]:
        found = {name for each, name in counts if each == kind}
        order = [name for name in known if name in found]
        order += sorted(found.difference(order))
        return {name: Counts(*counts[kind, name]) for name in order}

    languages = part("language", LANGUAGES)
    return Confusion(
        getattr(detector, "__name__", type(detector).__name__),
        Counts(*counts.get(("", ""), ())),
        languages,
        part("feature", (PLAIN, *FEATURES)),
        tuple(one for code in languages for one in wrong.get((True, code), ())),
        tuple(one for code in languages for one in wrong.get((False, code), ())),
    )


def of(cx: Counterexample) -> Confusion | None:
    """The classic detector over the whole corpus, for a finding in which words decided: one of
    the law about words, or one whose plan rewords a closing. None for every other finding."""
    reworded = any(slot.boundary == "model" and f.axes[0] == "reword" for slot, f in cx.plan)
    return classic() if reworded or cx.code == "AF304" else None


@cache
def classic() -> Confusion:
    """The figures of the classic detector: counted when the first page needs them, and kept."""
    return confusion(classic_detector)


def table(found: Confusion) -> str:
    """The figures for a terminal: overall, by language, by feature, and examples."""
    from tabulate import tabulate

    blocks = [escaping.terminal(headline(found))]
    for title, rows in sections(found):
        shown = [[escaping.terminal(cell) for cell in row] for row in rows]
        headers = [title, *HEADERS]
        blocks.append(
            tabulate(
                shown,
                headers,
                disable_numparse=True,
                colalign=("left", *["right"] * len(HEADERS)),
            )
        )
    for title, closings in misread(found):
        lines = [f"  {escaping.terminal(f'{one.language}  {one.text}')}" for one in closings]
        blocks.append("\n".join([title, *lines]))
    return "\n\n".join(blocks)


def markdown(found: Confusion) -> str:
    """The same as Markdown, ending in a line break."""
    text = "\n\n".join([f"## {escaping.markdown(headline(found))}", *blocks(found)])
    return "\n".join(escaping.guard(line) for line in text.split("\n")) + "\n"


def blocks(found: Confusion) -> list[str]:
    """The tables and lists of a Markdown page, without a headline."""
    parts = []
    for title, rows in sections(found):
        lines = [[title, *HEADERS], ["---", *["---:"] * len(HEADERS)]]
        lines += [[escaping.markdown(row[0]), *row[1:]] for row in rows]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    for title, closings in misread(found):
        listed = [
            f"- {escaping.markdown(one.language)}: {escaping.code(one.text)}" for one in closings
        ]
        parts.append("\n".join([f"{title}:", "", *listed]))
    return parts


def headline(found: Confusion) -> str:
    """One sentence: how often the detector is wrong, and in which of the two ways."""
    counts = found.overall
    return (
        f"{found.detector} is wrong about {counts.wrong:,} of {counts.total:,} closings: "
        f"{counts.false_negatives:,} missed completions, {counts.false_positives:,} premature ones"
    )


def lead(found: Confusion) -> str:
    """What the page of a finding says above the figures of the classic detector."""
    counts = found.overall
    done = counts.true_positives + counts.false_negatives
    return (
        "Whoever looks for the end of the work in words is wrong both ways. The classic detector "
        "(done, complete, completed, finished) was asked about "
        f"{counts.total:,} closings in {len(found.by_language)} languages, the truth of each "
        f"known: it misses {counts.false_negatives:,} of {done:,} completions, and takes "
        f"{counts.false_positives:,} of {counts.total - done:,} other endings for one. "
        "Count your own with agentfuzz.confusion(detector)."
    )


def sections(found: Confusion) -> list[tuple[str, list[list[str]]]]:
    """The rows of the figures, by language and by feature, as texts below HEADERS."""
    languages = [
        (f"{code} {LANGUAGES.get(code, '')}".strip(), counts)
        for code, counts in found.by_language.items()
    ]
    parts: list[tuple[str, Sequence[tuple[str, Counts]]]] = [
        ("language", [*languages, ("all", found.overall)]),
        ("feature", list(found.by_feature.items())),
    ]
    return [(title, [_row(*pair) for pair in rows]) for title, rows in parts if rows]


def _row(name: str, counts: Counts) -> list[str]:
    numbers = (
        counts.total,
        counts.true_positives,
        counts.false_negatives,
        counts.true_negatives,
        counts.false_positives,
    )
    share = f"{100 * counts.wrong / counts.total:.0f} %" if counts.total else ""
    return [name, *(f"{number:,}" for number in numbers), share]


def misread(found: Confusion) -> list[tuple[str, tuple[Closing, ...]]]:
    """What was misread, both ways: a title and examples."""
    pairs = (("Done, and missed", found.missed), ("Not done, and taken for done", found.premature))
    return [(title, closings) for title, closings in pairs if closings]
