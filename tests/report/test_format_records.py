"""Report formats as records: the writer finds them, and knows none by name."""

import ast
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from agentfuzz.core import escaping
from agentfuzz.report import formats
from agentfuzz.report import write as module
from agentfuzz.report.formats import FORMATS
from agentfuzz.report.formats import json as json_format
from agentfuzz.report.formats.format import Format
from agentfuzz.report.write import write

from .hostile import PAYLOADS, poisoned
from .samples import ALL, RESULTS, TOLD

ROOT = Path(__file__).resolve().parents[2]


def generator() -> ModuleType:
    """`tools/generate.py`, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "tools/generate.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_registry_is_what_lies_in_the_folder() -> None:
    """`make generate` has nothing to write, and each file's record is there by its name."""
    assert formats.__file__ is not None
    path = Path(formats.__file__)
    made = generator().formatted(generator().formats(), path)
    assert path.read_text(encoding="utf-8") == made
    assert list(FORMATS)[:3] == ["html", "markdown", "json"]
    for name, each in FORMATS.items():
        assert each.name == name
        assert sys.modules[f"agentfuzz.report.formats.{name}"].FORMAT is each


def test_no_two_files_of_a_session_share_a_name() -> None:
    """By their suffixes and indexes; and an index is called what no finding ever is."""
    suffixes = [each.suffix for each in FORMATS.values() if each.finding]
    indexes = [each.index for each in FORMATS.values() if each.session]
    assert len({*suffixes, *indexes}) == len(suffixes) + len(indexes)
    for each in FORMATS.values():
        assert any((each.finding, each.session, each.lines, each.appended, each.properties))
    for index in indexes:
        stem, dot, end = index.partition(".")
        assert escaping.stem(stem) != stem or f"{dot}{end}" not in suffixes


def test_the_writer_knows_no_format_by_name() -> None:
    """Not in its code (its docstrings say what people find)."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    said = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    said |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    said |= {each.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
             for each in node.names}  # fmt: skip
    assert not said & (set(FORMATS) | {"terminal"})


def test_a_new_format_is_written_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with a file for each finding, one with one for the session."""
    ids = Format(name="ids", finding=lambda cx, _: cx.id, suffix=".id", default=True)
    counts = Format(
        name="counts",
        session=lambda told: f"{told.exit_code} {len(told.results)}",
        index="counts.txt",
        default=True,
    )
    monkeypatch.setattr(module, "FORMATS", {**FORMATS, "ids": ids, "counts": counts})
    before = {path.name for path in write(tmp_path / "all", replace(TOLD, exit_code=1))}
    assert before - {path.name for path in _written(tmp_path, monkeypatch)} == {
        "AF-a78d.id",
        "AF-f204.id",
        "counts.txt",
    }
    assert (tmp_path / "all/AF-a78d.id").read_text() == "AF-a78d"
    assert (tmp_path / "all/counts.txt").read_text() == "1 2"


def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setattr(module, "FORMATS", FORMATS)
    return write(tmp_path / "own", replace(TOLD, exit_code=1))


def test_a_record_is_frozen() -> None:
    with pytest.raises(AttributeError):
        FORMATS["json"].suffix = ".yaml"  # type: ignore[misc]


# Reading back -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_a_finding_reads_back(name: str) -> None:
    """The same counterexample, and no other once it is written again (objects in JSON have their
    names in order, so that a line which lists arguments may list them in another)."""
    cx = ALL[name]
    text = json_format.text(json_format.finding(cx))
    again = json_format.counterexample(json_format.read(text))
    assert (again.history.events, again.baseline.events) == (cx.history.events, cx.baseline.events)
    assert replace(again, history=cx.history, baseline=cx.baseline) == cx
    same = {**json_format.finding(again), "same": json_format.finding(cx)["same"]}
    assert json_format.text(same) == text
    assert sorted(json_format.finding(again)["same"].split()) == sorted(same["same"].split())


@pytest.mark.parametrize("payload", PAYLOADS[:4])
def test_a_hostile_finding_reads_back_as_text(payload: str) -> None:
    """A boundary that nobody knows cannot be a plan; all else comes back as it was."""
    cx = poisoned(payload)
    known = replace(cx, plan=ALL["two_faults"].plan)
    data = json_format.read(json_format.text(json_format.finding(known)))
    assert json_format.counterexample(data).violation == cx.violation
    assert data["task"] == payload


def test_a_session_reads_back() -> None:
    text = json_format.text(json_format.run(RESULTS, 1))
    assert json_format.text(json_format.read(text)) == text
    assert json.loads(text)["schema"] == "agentfuzz.run/1"
