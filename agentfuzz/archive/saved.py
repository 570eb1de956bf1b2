"""Saved counterexamples: what one campaign found is the first thing that the next one runs.

Law: a saved file is a plan in its text form and the law it broke, so any version that can read
the plan can replay it; files are written whole or not at all, and a broken file is set aside
with a note, never a crash. Called by the doors. They live in `.agentfuzz/`, one file each.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentfuzz.core.codec import digest, dump
from agentfuzz.core.errors import PlanError, SavedFileError
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.plan import FORMAT_VERSION, FaultPlan

SCHEMA = "agentfuzz.saved/1"
_ID = re.compile(r"AF-[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True)
class Saved:
    """One saved counterexample. `digest` is the SHA-256 of the history it gave."""

    id: str
    nodeid: str
    code: str
    subject: str
    title: str
    plan: FaultPlan
    digest: str


def save(folder: Path, counterexample: Counterexample) -> Path:
    """Write one counterexample. Raises OSError when the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        _write(ignore, "*\n")
    data = {
        "schema": SCHEMA,
        "format": FORMAT_VERSION,
        "id": counterexample.id,
        "nodeid": counterexample.nodeid,
        "code": counterexample.code,
        "subject": counterexample.violation.subject,
        "title": counterexample.title,
        "plan": str(counterexample.plan),
        "digest": digest(counterexample.history),
    }
    path = folder / f"{counterexample.id}.json"
    _write(path, dump(data, indent=1) + "\n")
    return path


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a temporary file in the same folder, then a rename."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-", suffix=path.suffix)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path) -> Saved:
    """Read one file. Raises SavedFileError naming it and what is wrong with it."""
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        form = (data.get("schema"), data.get("format")) if isinstance(data, dict) else None
        if form != (SCHEMA, FORMAT_VERSION):
            raise SavedFileError(
                f"{path.name}: not a saved counterexample of this version ({SCHEMA}, plan format "
                f"{FORMAT_VERSION}); it may come from a newer agentfuzz"
            )
        texts = [data[name] for name in ("id", "nodeid", "code", "subject", "title", "digest")]
        if not all(isinstance(text, str) for text in (*texts, data["plan"])):
            raise SavedFileError(f"{path.name}: every field must be a string")
        if not _ID.fullmatch(data["id"]):  # it names files to write and to delete
            raise SavedFileError(f"{path.name}: {data['id'][:40]!r} is no id of a counterexample")
        plan = FaultPlan.parse(data["plan"])
        id, nodeid, code, subject, title, digest = texts
        return Saved(id, nodeid, code, subject, title, plan, digest)
    except SavedFileError:
        raise
    except PlanError as error:
        raise SavedFileError(f"{path.name}: {error}") from error
    except OSError as error:
        raise SavedFileError(f"{path.name}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SavedFileError(f"{path.name}: cannot be read ({error})") from error
    except KeyError as error:
        raise SavedFileError(f"{path.name}: the field {error} is missing") from error


def load_all(folder: Path) -> tuple[list[Saved], list[str]]:
    """Every readable file of a folder by id, and a note for each that was set aside.

    A broken file is moved to `bad/` in the same folder, so that it is said once.
    """
    found: list[Saved] = []
    notes: list[str] = []
    for path in sorted(folder.glob("AF-*.json")):
        try:
            found.append(load(path))
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
