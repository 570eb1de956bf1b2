"""The confusion table of a detector: how often it takes words for the end of the work, wrongly.

Law: every number is counted from the closings given, against the ground truth that they carry.
Called by people who decide by words, and by the demonstration that nobody should.

    print(table(confusion(classic_detector, corpus())))
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tabulate import tabulate

from agentfuzz.model.closings import FEATURES, LANGUAGES, Closing
from agentfuzz.report import sinks

PLAIN = "(none)"
_HEADERS = (
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


def confusion(
    detector: Callable[[str], object], closings: Iterable[Closing], *, examples: int = 1
) -> Confusion:
    """Ask a detector about every closing: does this text say that the work is done?

    `examples` is how many wrong answers of each kind and language are kept. What the detector
    raises is not caught.
    """
    counts: dict[tuple[str, str], list[int]] = {}
    wrong: dict[tuple[bool, str], list[Closing]] = {}
    for closing in closings:
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


def table(found: Confusion) -> str:
    """The figures for a terminal: overall, by language, by feature, and examples."""
    blocks = [sinks.terminal(headline(found))]
    for title, rows in _sections(found):
        shown = [[sinks.terminal(cell) for cell in row] for row in rows]
        headers = [title, *_HEADERS]
        blocks.append(
            tabulate(
                shown,
                headers,
                disable_numparse=True,
                colalign=("left", *["right"] * len(_HEADERS)),
            )
        )
    for title, closings in _examples(found):
        lines = [f"  {one.language}  {sinks.terminal(one.text)}" for one in closings]
        blocks.append("\n".join([title, *lines]))
    return "\n\n".join(blocks)


def markdown(found: Confusion) -> str:
    """The same as Markdown, ending in a line break."""
    blocks = [f"## {sinks.markdown(headline(found))}"]
    for title, rows in _sections(found):
        lines = [[title, *_HEADERS], ["---", *["---:"] * len(_HEADERS)]]
        lines += [[sinks.markdown(row[0]), *row[1:]] for row in rows]
        blocks.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    for title, closings in _examples(found):
        listed = [f"- {one.language}: {sinks.code(one.text)}" for one in closings]
        blocks.append("\n".join([f"{title}:", "", *listed]))
    text = "\n\n".join(blocks)
    return "\n".join(sinks.guard(line) for line in text.split("\n")) + "\n"


def headline(found: Confusion) -> str:
    """One sentence: how often the detector is wrong, and in which of the two ways."""
    counts = found.overall
    return (
        f"{found.detector} is wrong about {counts.wrong:,} of {counts.total:,} closings: "
        f"{counts.false_negatives:,} missed completions, {counts.false_positives:,} premature ones"
    )


def _sections(found: Confusion) -> list[tuple[str, list[list[str]]]]:
    languages = [
        (f"{code} {LANGUAGES.get(code, '')}".strip(), counts)
        for code, counts in found.by_language.items()
    ]
    sections: list[tuple[str, Sequence[tuple[str, Counts]]]] = [
        ("language", [*languages, ("all", found.overall)]),
        ("feature", list(found.by_feature.items())),
    ]
    return [(title, [_row(*pair) for pair in rows]) for title, rows in sections if rows]


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


def _examples(found: Confusion) -> list[tuple[str, tuple[Closing, ...]]]:
    pairs = (("Done, and missed", found.missed), ("Not done, and taken for done", found.premature))
    return [(title, closings) for title, closings in pairs if closings]
