"""Written ahead: the plan that is being run, in a file that outlives the process.

Law: whatever ends the process (a segfault, os._exit, the OOM killer), the plan it was running can
be read afterwards; a normal end leaves no file. A file belongs to a living process as long as its
lock is held; the kernel gives the lock up when the process dies, and no process id has to be
guessed about. Called by the campaign at the beginning of each run, and by the doors at the next
start.

The file is mapped: a write is a copy in memory (a fifth of a microsecond), and what is in the
page cache survives the process, though not the machine.
"""

import json
import mmap
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from agentfuzz.codec import dump
from agentfuzz.errors import PlanError, SavedFileError
from agentfuzz.faults import FORMAT_VERSION, Fault, FaultPlan, Slot
from agentfuzz.injector import Crossing, Injector
from agentfuzz.search.saved import set_aside, shelter

SCHEMA = "agentfuzz.ahead/1"
PATTERN = "ahead-*.plan"
ROOM = 16_384  # bytes for a plan; a longer one loses its last faults
STACKS = 16_384  # bytes for the stacks of a process that does not react


class Ahead:
    """Where one campaign writes what it runs. Without a folder, nowhere."""

    def __init__(self, folder: Path | None = None, nodeid: str = "") -> None:
        self._map: mmap.mmap | None = None
        self._known: dict[tuple[Slot, Fault], bytes] = {}
        if folder is not None:
            self._open(folder, nodeid)

    def _open(self, folder: Path, nodeid: str) -> None:
        """Create the file, locked from the first moment that it bears its name. OSError."""
        head = {"schema": SCHEMA, "format": FORMAT_VERSION, "nodeid": nodeid}
        text = dump(head).encode("utf-8", "backslashreplace") + b"\n"
        shelter(folder)
        name = f"ahead-{_mark(nodeid)}-{os.getpid()}.plan"
        self._path = folder / name
        self._pid = os.getpid()
        beside = folder / f".tmp-{name}"
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0))
        try:
            _lock(handle)
            # Written out, not only made long: a full disk is an error here, not a signal later.
            os.write(handle, text + b"\n" + bytes(ROOM + STACKS))
            self._map = mmap.mmap(handle, 0)
            if sys.platform == "win32":
                self._path = beside  # an open file keeps its name there
            else:
                os.replace(beside, self._path)
        except BaseException:
            os.close(handle)
            with suppress(OSError):
                beside.unlink()
            raise
        self._handle = handle
        self._start = self._end = len(text)

    def close(self) -> None:
        """The campaign ended normally: nothing is left. A forked child leaves it alone."""
        if self._map is None or os.getpid() != self._pid:
            return
        self._map.close()
        self._map = None
        with suppress(OSError):
            if sys.platform != "win32":
                self._path.unlink()
            os.close(self._handle)
            if sys.platform == "win32":
                self._path.unlink()

    def begin(self, plan: FaultPlan | None) -> None:
        """A run under this plan begins; None: its faults come one by one, through `drawn`."""
        if self._map is None:
            return
        if not plan:
            self._map[self._start] = _END
            self._end = self._start
            return
        known, parts = self._known, []
        for part in plan.faults():
            text = known.get(part)
            if text is None:
                text = known[part] = f"{part[0]}:{part[1]}".encode()
            parts.append(text)
        self._write(self._start, b" + ".join(parts))

    def drawn(self, slot: Slot, fault: Fault) -> None:
        """One more fault strikes in the run that is under way."""
        if self._map is not None:
            joint = " + " if self._end > self._start else ""
            self._write(self._end, f"{joint}{slot}:{fault}".encode())

    def stuck(self, stacks: str) -> None:
        """The run does not react; keep where it hangs."""
        if self._map is not None:
            text = stacks.encode("utf-8", "backslashreplace")[: STACKS - 1]
            at = self._start + ROOM
            self._map[at : at + len(text) + 1] = text + b"\0"

    def _write(self, at: int, text: bytes) -> None:
        end = at + len(text)
        if self._map is not None and end < self._start + ROOM:
            self._map[at : end + 1] = text + b"\n"
            self._end = end


_END = ord("\n")


class Following:
    """An injector whose faults are written ahead as they are drawn."""

    def __init__(self, injector: Injector, ahead: Ahead) -> None:
        self._injector, self._ahead = injector, ahead
        self.crossings: list[Crossing] = injector.crossings
        self.process = injector.process

    def at(self, slot: Slot, seq: int, group: str) -> Fault | None:
        fault = self._injector.at(slot, seq, group)
        if fault is not None:
            self._ahead.drawn(slot, fault)
        return fault


def _mark(nodeid: str) -> str:
    return sha256(nodeid.encode("utf-8", "backslashreplace")).hexdigest()[:10]


def _lock(handle: int) -> None:
    """Hold the file until the process ends. On Windows an open file is held anyway."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


# What is left behind --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Left:
    """What a process that died was running. `stacks` is where it hung, if it did."""

    nodeid: str
    plan: FaultPlan
    stacks: str = ""


def take(folder: Path, nodeid: str | None = None) -> tuple[list[Left], list[str]]:
    """Every file that a dead process left (of one test), read and removed, and a note for each
    that cannot be read: it is moved to `bad/` in the same folder."""
    found: list[Left] = []
    notes: list[str] = []
    for path in sorted(folder.glob(PATTERN if nodeid is None else f"ahead-{_mark(nodeid)}-*.plan")):
        try:
            with _of_the_dead(path) as content:
                if content is not None:
                    found.append(_read(content))
                    path.unlink()
        except SavedFileError as error:
            notes.append(f"AF903 {path.name}: {error}; moved to {folder.name}/bad/{path.name}")
            set_aside(path)
        except OSError as error:
            notes.append(f"AF903 {path.name}: cannot be read ({error.strerror})")
    return found, notes


@contextmanager
def _of_the_dead(path: Path) -> Iterator[bytes | None]:
    """The content of a file that nobody holds, held by us meanwhile; else None."""
    try:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, PermissionError):  # taken by another session; or held, on Windows
        yield None
        return
    try:
        try:
            _lock(handle)
        except BlockingIOError:
            yield None
            return
        gone = os.fstat(handle).st_nlink == 0  # another session took it a moment ago
        yield None if gone else os.read(handle, 1 << 20)
    finally:
        os.close(handle)


def _read(content: bytes) -> Left:
    """Raises SavedFileError saying what is wrong."""
    try:
        head, _, rest = content.partition(b"\n")
        data: Any = json.loads(head)
        form = (data.get("schema"), data.get("format")) if isinstance(data, dict) else None
        if form != (SCHEMA, FORMAT_VERSION) or not isinstance(data.get("nodeid"), str):
            raise SavedFileError(f"not a plan written ahead by this version ({SCHEMA})")
        text, ends, _ = rest[:ROOM].partition(b"\n")
        if not ends:
            raise SavedFileError("its plan is not whole")
        stacks = rest[ROOM:].partition(b"\0")[0].decode("utf-8", "replace")
        return Left(data["nodeid"], FaultPlan.parse(text.decode()), stacks)
    except (PlanError, ValueError, RecursionError) as error:
        raise SavedFileError(str(error)) from error
