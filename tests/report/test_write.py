"""The writer: whole files or none, equal bytes for equal findings."""

import builtins
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentfuzz.report import write as module
from agentfuzz.report.account import Account
from agentfuzz.report.formats import FORMATS
from agentfuzz.report.write import write

from .hostile import results
from .samples import TOLD

NAMES = ["AF-a78d.html", "AF-a78d.md", "AF-a78d.json", "AF-f204.html", "AF-f204.md",
         "AF-f204.json", "index.html", "index.md", "report.json"]  # fmt: skip


def contents(directory: Path) -> dict[str, bytes]:
    if not directory.exists():
        return {}
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_it_writes_every_file_and_says_which(tmp_path: Path) -> None:
    """Three files per finding and three for the session, in a folder that it makes."""
    target = tmp_path / "reports" / "agentfuzz"
    assert [path.name for path in write(target, TOLD)] == NAMES
    assert sorted(contents(target)) == sorted(NAMES)


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    """In another folder, and over files that are there already."""
    write(tmp_path / "a", replace(TOLD, exit_code=1))
    write(tmp_path / "b", replace(TOLD, exit_code=1))
    write(tmp_path / "b", replace(TOLD, exit_code=1))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_no_host_path_is_in_any_file(tmp_path: Path) -> None:
    """A report may be shown to anybody."""
    write(tmp_path, TOLD)
    for content in contents(tmp_path).values():
        assert str(tmp_path).encode() not in content
        assert str(Path.home()).encode() + b"/" not in content
        assert str(Path(__file__).parents[2]).encode() not in content


@pytest.mark.parametrize("name", ["../../x", "/abs", "con", "", "x" * 500, "a\nb", "\ud800"])
def test_a_hostile_id_stays_inside_the_folder(tmp_path: Path, name: str) -> None:
    """Whatever an id says."""
    target = tmp_path / "deep" / "er"
    for path in write(target, Account(results=results(name))):
        assert path.parent == target
        assert path.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep"]


class Disk:
    """Lets the nth operation fail, after half of a write has gone through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail_at: int) -> None:
        self.left = fail_at
        disk = self

        def failing(call: Callable[..., Any]) -> Callable[..., Any]:
            def operation(*args: Any, **kwargs: Any) -> Any:
                disk.count()
                return call(*args, **kwargs)

            return operation

        def opening(*args: Any, **kwargs: Any) -> Any:
            disk.count()
            return Half(builtins.open(*args, **kwargs), disk)

        monkeypatch.setattr(module, "open", opening, raising=False)
        monkeypatch.setattr(os, "replace", failing(os.replace))
        monkeypatch.setattr(Path, "mkdir", failing(Path.mkdir))

    def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")


class Half:
    """A file whose write may stop half way."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self.file, self.disk = file, disk

    def __enter__(self) -> "Half":
        return self

    def __exit__(self, *exc: object) -> None:
        self.file.close()
        if exc[0] is None:
            self.disk.count()  # a close may fail, too: it flushes

    def write(self, content: bytes) -> None:
        try:
            self.disk.count()
        except OSError:
            self.file.write(content[: len(content) // 2])
            raise
        self.file.write(content)


@pytest.mark.parametrize("old", [False, True])
def test_whichever_operation_fails_no_partial_file_stands(tmp_path: Path, old: bool) -> None:
    """For n = 1, 2, ... the nth open, write, close, replace or mkdir fails, until none does."""
    write(tmp_path / "whole", TOLD)
    whole = contents(tmp_path / "whole")
    failures = 0
    for n in range(1, 500):
        target = tmp_path / f"run{n}"
        if old:
            target.mkdir()
            for name in NAMES:
                (target / name).write_bytes(b"old")
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, n)
            try:
                write(target, TOLD)
            except OSError:
                failures += 1
            else:
                assert contents(target) == whole
                break
        for name, content in contents(target).items():
            assert content == whole[name] or (old and content == b"old"), name
    assert failures == 1 + 4 * len(NAMES)


def test_a_file_where_the_folder_should_be_is_the_callers_to_report(tmp_path: Path) -> None:
    """OSError comes through as it is."""
    (tmp_path / "taken").write_text("x")
    with pytest.raises(OSError):
        write(tmp_path / "taken", TOLD)


def test_a_summary_that_is_a_pipe_is_refused(tmp_path: Path) -> None:
    """Nobody reads it, so that it would be waited for."""
    path = tmp_path / "summary"
    os.mkfifo(path)
    with pytest.raises(OSError, match="it is a pipe"):
        module.append(TOLD, [FORMATS["github"]], {"GITHUB_STEP_SUMMARY": str(path)})
