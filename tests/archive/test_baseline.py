"""The file of a baseline: equal content, equal bytes, and every block for itself."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentfuzz.archive.baseline import Baseline, Entry, Key, entry_of, key_of, read, text
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


GOLDEN = """{
 "AF101 c0ffee": {
  "title": "charge ran 2x",
  "tests": ["tests/test_a.py::test_x", "tests/test_b.py::test_y"],
  "id": "AF-000000000001", "plan": "charge_1#1:once/timeout",
  "code": "AF101", "subject": "charge", "scenario": "order", "troubles": [["tool", "charge_1", "reply"]]},
 "schema": "agentfuzz.baseline/1"
}
"""  # noqa: E501


def test_format_1_lives_on() -> None:
    """It is read for good, and written until there is another; the name of an entry is its hash."""
    one = entry(1)
    assert read(GOLDEN) == Baseline({one.key: one})
    assert text(read(GOLDEN)) == GOLDEN.replace("AF101 c0ffee", one.key.name)
    assert one.key.name == "AF101 5ddea3588adc"


def entry(number: int, *tests: str) -> Entry:
    key = Key("AF101", "charge", "order", (("tool", f"charge_{number}", "reply"),))
    plan = FaultPlan.parse(f"charge_{number}#1:once/timeout")
    shown = tuple(sorted(("tests/test_a.py::test_x", "tests/test_b.py::test_y", *tests)))
    return Entry(key, shown, "charge ran 2x", f"AF-{number:012x}", plan)


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
        merged = united(tmp_path, *sides)
        assert merged.entries == {one.key: one for side in sides for one in side}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_unites_the_tests_of_an_entry(tmp_path: Path) -> None:
    """Each branch knows it in another test."""
    merged = united(tmp_path, [entry(1)], [entry(1, "a.py::test_1")], [entry(1, "b.py::test_2")])
    one = entry(1, "a.py::test_1", "b.py::test_2")
    assert merged.entries == {one.key: one}


def united(folder: Path, *sides: list[Entry]) -> Baseline:
    """What git makes of the base and two branches with `merge=union`."""
    names = ("base", "ours", "theirs")
    for name, side in zip(names, sides, strict=True):
        (folder / name).write_text(text(Baseline({one.key: one for one in side})))
    words = ["git", "merge-file", "-p", "--union", *(names[n] for n in (1, 0, 2))]
    merged = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    return read(merged.stdout)


def test_a_key_knows_no_name_of_a_test() -> None:
    """Nor of a scenario that is named after it, as that of a test that exists is."""
    cx = double_charge()
    own = replace(cx, nodeid="a.py::test_x[b::c]", scenario="test_x")
    other = replace(cx, nodeid="b/c.py::test_y", scenario="test_y")
    assert key_of(own) == key_of(other)
    assert key_of(own).scenario == ""
    assert key_of(cx).scenario == "charge_order"


def test_a_secret_among_the_inputs_is_not_written() -> None:
    """The file is made to be committed."""
    key = "AKIA" + "QWERTYUIOPASDFGH"
    plan = FaultPlan.parse(f'charge_card#1:once/timeout + given:who="{key}"')
    one = entry_of(replace(double_charge(), plan=plan))
    assert key not in text(Baseline({one.key: one}))
    assert str(one.plan) == "charge_card#1:once/timeout"
