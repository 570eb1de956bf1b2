"""Saved counterexamples: what one campaign found is the first thing that the next one runs.

Law: a saved file is a plan in its text form and the law it broke, so that any version which can
read the plan can replay it; files are written whole or not at all, a broken one is set aside with
a note, never a crash, and one that a newer agentfuzz wrote stays what and where it is. Called by
the doors. They live in `.agentfuzz/`, one file each.
"""

import json
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentfuzz.core import migrations
from agentfuzz.core.codec import digest, dump
from agentfuzz.core.errors import NewerFileError, PlanError, SavedFileError
from agentfuzz.core.findings import Counterexample, finding_id
from agentfuzz.core.plan import FORMAT_VERSION, FaultPlan
from agentfuzz.core.secrets.redaction import redacted

SCHEMA, VERSION = "agentfuzz.saved", 2  # 1: plans and digests of format 1
_ID = re.compile(r"AF-[0-9a-f]{4,64}")
_SHORTEST = 6  # digits of an id that stand for it, if they stand for no other; and ids of 0.1.0
_TEMPORARY = ".tmp-"
_STALE = 3_600 * 10**9  # real nanoseconds after which a temporary file is nobody's any more
_BUG = ("nodeid", "code", "subject", "plan")  # what an id is the mark of


@dataclass(frozen=True, slots=True)
class Saved:
    """One saved counterexample. `digest` is the SHA-256 of the history it gave, in the format of
    histories that `format` names. `plan` has its slots where they were then (see `migrated`)."""

    id: str
    nodeid: str
    code: str
    subject: str
    title: str
    plan: FaultPlan
    digest: str
    format: int = FORMAT_VERSION

    @property
    def bug(self) -> tuple[str, str, str, FaultPlan]:
        """What it is the mark of: two of the same are one."""
        return self.nodeid, self.code, self.subject, self.plan


def save(folder: Path, counterexample: Counterexample, was: str = "") -> Path:
    """Write one counterexample; what its file says beyond it is kept. `was` is the id that it had
    in an older format. Where another bug has the same id, both are kept, this one by a longer id.
    Raises OSError when the folder cannot be written."""
    data = _told(counterexample)
    path = folder / f"{counterexample.id}.json"
    try:
        before, written = _read(folder / f"{was}.json" if was else path)
    except NewerFileError:
        return path
    except (SavedFileError, OSError, ValueError, RecursionError):
        before, written = {}, FORMAT_VERSION
    other = before and written == FORMAT_VERSION and [before.get(name) for name in _BUG]
    if other and not was and other != [data[name] for name in _BUG]:
        cx = counterexample
        data["id"] = finding_id(cx.nodeid, cx.violation, cx.plan, digits=64)
        path, before = folder / f"{data['id']}.json", {}
    store(path, dump({**before, **data}, indent=1) + "\n")
    return path


def text_of(counterexample: Counterexample) -> str:
    """The text of one counterexample on a single line, the same on every machine."""
    return dump(_told(counterexample))


def _told(counterexample: Counterexample) -> dict[str, Any]:
    return {
        "schema": f"{SCHEMA}/{VERSION}",
        "format": FORMAT_VERSION,
        "id": counterexample.id,
        "nodeid": counterexample.nodeid,
        "code": counterexample.code,
        "subject": counterexample.violation.subject,
        "title": redacted(counterexample.title),
        "plan": str(counterexample.plan),
        "digest": digest(counterexample.history),
    }


def store(path: Path, text: str) -> None:
    """Write a file into the folder of what is kept between sessions, which git leaves alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ignore = path.parent / ".gitignore"
    if not ignore.exists():
        _write(ignore, "*\n")
    _write(path, text)


def _read(path: Path) -> tuple[dict[str, Any], int]:
    """The data of a file, and the format of its plan. Raises SavedFileError, NewerFileError."""
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for, a device never ends
        raise SavedFileError("is no regular file")
    return _data(path.read_text(encoding="utf-8"))


def _data(text: str) -> tuple[dict[str, Any], int]:
    data: Any = json.loads(text)
    migrations.schema(data, SCHEMA, VERSION)
    return data, migrations.version(data.get("format"), FORMAT_VERSION, "plan format")


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a temporary file in the same folder, then a rename."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_TEMPORARY, suffix=path.suffix)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path) -> Saved:
    """Read one file. Raises SavedFileError naming it and what is wrong with it."""
    with _named(path.name):
        return _saved(*_read(path))


def read(value: bytes, name: str) -> Saved:
    """Read the text of one that lies elsewhere, under some name. Raises SavedFileError."""
    with _named(name):
        return _saved(*_data(value.decode("utf-8")))


def _saved(data: dict[str, Any], written: int) -> Saved:
    texts = [data[name] for name in ("id", "nodeid", "code", "subject", "title", "digest")]
    if not all(isinstance(text, str) for text in (*texts, data["plan"])):
        raise SavedFileError("every field must be a string")
    if not _ID.fullmatch(data["id"]):  # it names files to write and to delete
        raise SavedFileError(f"{data['id'][:40]!r} is no id of a counterexample")
    id, nodeid, code, subject, title, digest = texts
    plan = migrations.plan(data["plan"], written)
    return Saved(id, nodeid, code, subject, title, plan, digest, written)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Whatever is wrong is a SavedFileError that names what was read."""
    try:
        yield
    except (SavedFileError, PlanError) as error:
        kind = type(error) if isinstance(error, SavedFileError) else SavedFileError
        raise kind(f"{name}: {error}") from error
    except OSError as error:
        raise SavedFileError(f"{name}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SavedFileError(f"{name}: cannot be read ({error})") from error
    except KeyError as error:
        raise SavedFileError(f"{name}: the field {error} is missing") from error


def find(saved: Iterable[Saved], wanted: str) -> list[Saved]:
    """Those that an id names (its first six digits or more will do), or `all`. Several stand for
    one that is not named well enough."""
    found = list(saved)
    if wanted == "all":
        return found
    same = [one for one in found if one.id == wanted]
    short = len(wanted) >= len("AF-") + _SHORTEST
    return same or [one for one in found if short and one.id.startswith(wanted)]


def _written(path: Path) -> int:
    """When a file was written: real nanoseconds since 1970."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # another process was faster


def load_all(folder: Path) -> tuple[list[Saved], list[str]]:
    """Every readable file of a folder, those that were written last first, and a note for each
    that is not. What an interrupted writer has left is swept away.

    A broken file is moved to `bad/` in the same folder, so that it is said once; one of a newer
    agentfuzz is left for it.
    """
    found: list[Saved] = []
    notes: list[str] = []
    for left in folder.glob(f"{_TEMPORARY}*"):
        if _written(left) < time.time_ns() - _STALE:
            with suppress(OSError):
                left.unlink()
    for path in sorted(folder.glob("AF-*.json"), key=lambda path: (-_written(path), path.name)):
        try:
            found.append(load(path))
        except NewerFileError as error:
            notes.append(f"AF903 {error}; left where it is")
        except SavedFileError as error:
            if not path.exists():
                continue  # another process was faster
            notes.append(f"AF903 {error}; moved to {folder.name}/bad/{path.name}")
            set_aside(path)
    return found, notes


def set_aside(path: Path) -> None:
    """Move a file that cannot be read to `bad/` beside it."""
    bad = path.parent / "bad"
    try:
        bad.mkdir(exist_ok=True)
        os.replace(path, bad / path.name)
    except OSError:
        pass  # a folder that cannot be written keeps its file; the note says which


def forget(folder: Path, fixed: Iterable[Saved]) -> None:
    """Delete the files of counterexamples that no longer fail."""
    for one in fixed:
        (folder / f"{one.id}.json").unlink(missing_ok=True)
