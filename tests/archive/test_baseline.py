"""The file of a baseline: equal content, equal bytes, and every block for itself."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentfuzz.archive.baseline import Baseline, Entry, Key, key_of, read, text
from agentfuzz.core.plan import FaultPlan
from report.samples import double_charge

WORDS = st.text(max_size=12)
KEYS = st.builds(
    Key,
    st.sampled_from(["AF101", "AF103", "AF301", "AF904"]),
    WORDS,
    WORDS,
    st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=3, unique=True).map(
        lambda found: tuple(sorted(found))
    ),
)
PLANS = st.sampled_from(["", "charge#1:once/timeout", "a#1:once/timeout + b#2:twice"]).map(
    FaultPlan.parse
)
ENTRIES = st.builds(
    Entry,
    KEYS,
    st.lists(WORDS, min_size=1, max_size=3, unique=True).map(lambda found: tuple(sorted(found))),
    WORDS,
    WORDS,
    PLANS,
    st.dictionaries(WORDS.map(lambda word: f"x-{word}"), st.integers() | WORDS, max_size=2),
)
BASELINES = st.builds(
    Baseline,
    st.lists(ENTRIES, max_size=4).map(lambda found: {one.key: one for one in found}),
    st.dictionaries(WORDS.map(lambda word: f"x-{word}"), st.integers() | WORDS, max_size=2),
)


@given(BASELINES)
def test_what_is_written_is_read_and_hides_nothing(baseline: Baseline) -> None:
    """Whatever the texts are: the file is JSON, one text is one line, and nothing is invisible."""
    told = text(baseline)
    assert read(told) == baseline
    assert text(read(told)) == told
    assert all(line.isprintable() for line in told.split("\n"))
    assert list(json.loads(told))[-1] == "schema"


@given(st.lists(ENTRIES, max_size=4))
def test_an_order_is_no_content(entries: list[Entry]) -> None:
    """Equal content, equal bytes."""
    one = Baseline({entry.key: entry for entry in entries})
    other = Baseline(dict(reversed(one.entries.items())))
    assert text(one) == text(other)


def entry(number: int, **more: object) -> Entry:
    key = Key("AF101", "charge", "order", (("tool", f"charge_{number}", "reply"),))
    plan = FaultPlan.parse(f"charge_{number}#1:once/timeout")
    tests = ("tests/test_a.py::test_x", "tests/test_b.py::test_y")
    return replace(Entry(key, tests, "charge ran 2x", f"AF-{number:012x}", plan), **more)  # type: ignore[arg-type]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(
    "numbers", [((0,), (1,), (2,)), ((), (1, 2, 3), (4, 5)), ((9,), (1,), (1,))]
)
def test_git_unites_any_two(tmp_path: Path, numbers: tuple[tuple[int, ...], ...]) -> None:
    """However much alike the entries are, `--union` leaves whole ones, at whatever place."""
    common, ours, theirs = numbers
    for first in range(12):  # other numbers, other hashes, another order
        sides = [
            [entry(100 * first + n) for n in side]
            for side in ((*common,), (*common, *ours), (*common, *theirs))
        ]
        names = ("base", "ours", "theirs")
        for name, side in zip(names, sides, strict=True):
            (tmp_path / name).write_text(text(Baseline({one.key: one for one in side})))
        words = ["git", "merge-file", "-p", "--union", *(names[n] for n in (1, 0, 2))]
        merged = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert set(read(merged.stdout).entries) == {one.key for side in sides for one in side}


def test_a_key_knows_no_name_of_a_test() -> None:
    """Nor of a scenario that is named after it, as that of a test that exists is."""
    cx = double_charge()
    own = replace(cx, nodeid="a.py::test_x[b::c]", scenario="test_x")
    other = replace(cx, nodeid="b/c.py::test_y", scenario="test_y")
    assert key_of(own) == key_of(other)
    assert key_of(own).scenario == ""
    assert key_of(cx).scenario == "charge_order"
