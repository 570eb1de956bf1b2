"""The files of shards: whole or not read, data and no code, each part exactly once."""

import gzip
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from agentfuzz.archive import shards
from agentfuzz.archive.shards import End, Head, Writer
from agentfuzz.core.errors import ShardError

HEAD = Head("t.py::t", 1, 2, 2, 0, "{}", "abc", "0.2.0")
RUN = [True, 0, "pay#1:twice", {"died": "exit code 7"}]


def made(path: Path, head: Head = HEAD) -> Path:
    """A file of one run."""
    writer = Writer(path, head)
    writer.line(RUN)
    writer.end(End(0, "below"))
    return path


def both(folder: Path, **other: object) -> list[Path]:
    """Two shards of two, the second with something else."""
    first = made(folder / "1" / "t.runs")
    return [first, made(folder / "2" / "t.runs", replace(HEAD, shard=2, **other))]  # type: ignore[arg-type]


def test_what_comes_back(tmp_path: Path) -> None:
    """The head, the end, and each run in its order; nothing else lies in the folder."""
    path = made(tmp_path / "there" / "t.runs")
    assert shards.read(path) == shards.Shard(path, HEAD, End(0, "below"))
    assert list(shards.runs(path)) == [RUN]
    assert os.listdir(path.parent) == ["t.runs"]


def test_nothing_is_there_before_it_is_whole(tmp_path: Path) -> None:
    """A campaign that was left leaves no file."""
    writer = Writer(tmp_path / "t.runs", HEAD)
    writer.line(RUN)
    assert not list(tmp_path.glob("*.runs"))
    writer.close()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("left", [0, 1, 11, 40, -1, -9])
def test_a_file_that_was_cut(tmp_path: Path, left: int) -> None:
    """Wherever that was, it is named, with what to do."""
    path = made(tmp_path / "t.runs")
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ShardError, match=r"t\.runs: .*; run that shard again"):
        shards.read(path)


def test_lines_that_are_lacking(tmp_path: Path) -> None:
    """A file that is whole as gzip, and not as what it was."""
    path = made(tmp_path / "t.runs")
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    for some in (lines[:2], [lines[0], lines[2]], lines[1:], []):
        path.write_bytes(gzip.compress(b"".join(some)))
        with pytest.raises(ShardError, match=r"t\.runs: "):
            shards.read(path)


class Evil:
    """Would run on being read."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("executed",)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_an_evil_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: type) -> None:
    """Is refused, and runs nothing."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "t.runs"
    path.write_bytes(pack(pickle.dumps(Evil())))
    with pytest.raises(ShardError, match=r"t\.runs: "):
        shards.gathered([path])
    assert not Path("executed").exists()


@pytest.mark.parametrize("run", [[1, 0, "x", {}], [True, 0, {}, {}], [True, 0, "x", {}, 1], []])
def test_a_line_that_is_no_run(tmp_path: Path, run: list[object]) -> None:
    """The digest is no signature: whoever can write files can write this one."""
    writer = Writer(tmp_path / "t.runs", HEAD)
    writer.line(run)
    writer.end(End(0, ""))
    with pytest.raises(ShardError, match="is no run"):
        list(shards.runs(tmp_path / "t.runs"))


def test_a_newer_agentfuzz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is said so."""
    monkeypatch.setattr(shards, "VERSION", 2)
    path = made(tmp_path / "t.runs")
    monkeypatch.undo()
    with pytest.raises(ShardError, match="written by a newer agentfuzz"):
        shards.read(path)


def test_all_parts(tmp_path: Path) -> None:
    """In the order of their numbers, each once however often its folder is named."""
    first, second = both(tmp_path)
    found = shards.found([tmp_path, tmp_path / "2", tmp_path / "1"])
    assert found == [first, second]
    assert [one.path for one in shards.gathered(found[::-1])["t.py::t"]] == [first, second]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("of", 3, "another number of shards"),
        ("depth", 3, "--agentfuzz-depth 3, not 2"),
        ("seed", 1, "--agentfuzz-seed 1, not 0"),
        ("space", "[]", "other faults"),
        ("first", "abd", "not the same state of the code"),
        ("agentfuzz", "0.3.0", "another version of agentfuzz"),
    ],
)
def test_parts_that_do_not_fit(tmp_path: Path, name: str, value: object, said: str) -> None:
    """What differs is named, and both files."""
    with pytest.raises(ShardError, match=said) as error:
        shards.gathered(both(tmp_path, **{name: value}))
    assert str(tmp_path / "1") in str(error.value)
    assert str(tmp_path / "2") in str(error.value)


def test_a_part_twice_or_never(tmp_path: Path) -> None:
    """Both are errors that say which."""
    first, second = both(tmp_path)
    with pytest.raises(ShardError, match=r"the shard 2/2 is missing"):
        shards.gathered([first])
    again = made(tmp_path / "again" / "t.runs", replace(HEAD, shard=2))
    with pytest.raises(ShardError, match=r"shard 2/2 of t\.py::t is there twice"):
        shards.gathered([first, second, again])


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A shard is nothing without its file."""
    (tmp_path / "file").touch()
    with pytest.raises(ShardError, match="choose another place with --agentfuzz-report-dir"):
        Writer(tmp_path / "file" / "t.runs", HEAD)


@pytest.mark.parametrize(
    ("name", "value"),
    [("nodeid", ["a"]), ("shard", "1"), ("of", 2.0), ("seed", True), ("space", None)],
)
def test_a_head_of_other_types(tmp_path: Path, name: str, value: object) -> None:
    """Named with its file, whatever the sum says."""
    path = made(tmp_path / "a.runs", replace(HEAD, **{name: value}))
    with pytest.raises(ShardError, match=f"{path.name}: {name} is"):
        shards.read(path)


@pytest.mark.parametrize("last", [float("inf"), "7", None])
def test_an_end_of_other_types(tmp_path: Path, last: object) -> None:
    path = tmp_path / "a.runs"
    writer = shards.Writer(path, HEAD)
    writer.end(End(last, ""))  # type: ignore[arg-type]
    with pytest.raises(ShardError, match=r"a\.runs: last is"):
        shards.read(path)
