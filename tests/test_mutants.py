"""`make mutants` changes what matters, says what survives, and leaves the project alone."""

from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray")

import mutants

ROOT = Path(__file__).resolve().parent.parent
SOURCE = '''"""A module."""

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Pair:
    one: int | None
    other: "int | None" = None


@cache
def more(a: int, b: int | None = None) -> int | None:
    if b is None:
        return a
    return a + b
'''


def operators(source: str) -> set[str]:
    return {full.partition("/")[2] for ones in mutants.places(source).values() for full, _ in ones}


def test_what_changes_no_behaviour_is_no_mutant() -> None:
    """Type hints, a cache and a promise of a dataclass stay; what a test can see is changed."""
    found = operators(SOURCE)
    assert not [one for one in found if "BitOr_" in one]
    assert "ReplaceTrueWithFalse" not in found
    lines = {line for line, _, family in mutants.places(SOURCE) if family == "RemoveDecorator"}
    assert lines == {7}
    assert {"ReplaceBinaryOperator_Add_Sub", "AddNot"} <= found


def test_the_same_seed_is_the_same_sample(tmp_path: Path) -> None:
    """A third of each package, and no mutant twice."""
    for package in mutants.PACKAGES:
        folder = tmp_path / "agentfuzz" / package / "deep"
        folder.mkdir(parents=True)
        (folder / "more.py").write_text(SOURCE)
    first, again = mutants.sample(tmp_path, 5, 3), mutants.sample(tmp_path, 5, 3)
    assert first == again
    packages = [one.file.split("/")[1] for one in first]
    assert packages == ["invariants", "invariants", "search", "search", "world"]
    assert len({(one.file, one.operator, one.occurrence) for one in first}) == 5


def test_a_change_elsewhere_leaves_the_sample_alone(tmp_path: Path) -> None:
    """The same changes of the same lines, wherever they stand now."""
    for package in mutants.PACKAGES:
        folder = tmp_path / "agentfuzz" / package
        folder.mkdir(parents=True)
        (folder / "more.py").write_text(SOURCE)
    before = {(one.line, one.operator) for one in mutants.sample(tmp_path, 9, 1)}
    for package in mutants.PACKAGES:
        (tmp_path / "agentfuzz" / package / "more.py").write_text(f"# Moved.\n\n{SOURCE}")
    after = {(one.line - 2, one.operator) for one in mutants.sample(tmp_path, 9, 1)}
    assert before == after


HONEST = (ROOT / "tests/invariants").glob("test_honest_*.py")


@pytest.mark.parametrize(
    ("file", "tests"),
    [
        (
            "agentfuzz/invariants/effects/exactly_once.py",
            (
                "tests/invariants/effects/test_exactly_once.py",
                *sorted(str(path.relative_to(ROOT)) for path in HONEST),
            ),
        ),
        ("agentfuzz/invariants/queries/wanted.py", ("tests/invariants",)),
        ("agentfuzz/search/found/shrink.py", ("tests/search/test_shrink.py",)),
        ("agentfuzz/world/rows.py", ("tests/world",)),
    ],
)
def test_its_own_tests_come_first(file: str, tests: tuple[str, ...]) -> None:
    """Tests mirror the code; where they do not, the whole folder is asked."""
    assert mutants.stages(ROOT, file)[0] == tests


def test_a_mutant_is_killed_or_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a test notices is killed, what none notices survives, what is red anyway is left out,
    and the file is as before."""
    monkeypatch.setattr(mutants, "PYTEST", (*mutants.PYTEST, "-n", "0", "-p", "no:agentfuzz"))
    monkeypatch.setattr(mutants, "PACKAGES", {"world": ("tests/world",)})
    file, tests = tmp_path / "agentfuzz/world/more.py", tmp_path / "tests/world"
    file.parent.mkdir(parents=True)
    file.write_text(SOURCE)
    (tmp_path / "agentfuzz/__init__.py").touch()
    tests.mkdir(parents=True)
    (tests / "test_more.py").write_text(
        "from agentfuzz.world.more import more\n\n\n"
        "def test_more():\n    assert more(2, 2) == 4\n\n\n"
        "def test_red():\n    assert False\n"
    )
    judge = mutants.Judge(tmp_path, 100)
    alive = {}
    for operator in ("ReplaceBinaryOperator_Add_Mul", "ReplaceBinaryOperator_Add_Sub"):
        name = "agentfuzz/world/more.py"
        mutant = mutants.made(name, SOURCE, f"core/{operator}", 0, 17)
        assert mutant is not None
        alive[operator.rpartition("_")[2]] = judge.survives(mutant)
        assert file.read_text() == SOURCE
    assert alive == {"Mul": True, "Sub": False}
    told = capsys.readouterr().out
    assert told == (
        "left out, for it fails without any mutant: tests/world/test_more.py::test_red\n"
    )
    assert "-    return a + b" in mutant.told()
