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
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from agentfuzz.archive.saved import set_aside
from agentfuzz.core import migrations
from agentfuzz.core.codec import dump
from agentfuzz.core.errors import NewerFileError, PlanError, SavedFileError
from agentfuzz.core.faults import Fault, Slot, part
from agentfuzz.core.plan import FORMAT_VERSION, FaultPlan
from agentfuzz.world.injector import Crossing, Injector

SCHEMA, VERSION = "agentfuzz.ahead", 2  # 1: a plan of format 1
PATTERN = "ahead-*.plan"
ROOM = 16_384  # bytes for a plan; a longer one loses its last faults
STACKS = 16_384  # bytes for the stacks of a process that does not react


class CrashLog:
    """Where one campaign writes what it runs. Without a folder, nowhere."""

    def __init__(self, folder: Path | None = None, nodeid: str = "", scenario: str = "") -> None:
        self._map: mmap.mmap | None = None
        self._known: dict[tuple[Slot, Fault], bytes] = {}
        if folder is not None:
            self._open(folder, nodeid, scenario)

    def _open(self, folder: Path, nodeid: str, scenario: str) -> None:
        """Raises OSError when the file cannot be made or held."""
        names = {"nodeid": nodeid, "scenario": scenario}
        head = {"schema": f"{SCHEMA}/{VERSION}", "format": FORMAT_VERSION, **names}
        text = dump(head).encode("utf-8", "backslashreplace") + b"\n"
        self._pid = os.getpid()
        self._path = folder / f"ahead-{_mark(nodeid)}-{self._pid}.plan"
        self._handle = _made(self._path)
        try:
            _lock(self._handle)
            # Written out, not only made long: a full disk is an error here, not a signal later.
            os.write(self._handle, text + b"\n" + bytes(ROOM + STACKS))
            self._map = mmap.mmap(self._handle, 0)
        except BaseException:
            os.close(self._handle)
            self._path.unlink(missing_ok=True)
            raise
        self._start = self._end = len(text)

    def close(self) -> None:
        """The campaign ended normally: nothing is left. A forked child leaves it alone."""
        if self._map is None or os.getpid() != self._pid:
            return
        self._map[:1] = _OVER
        self._map.close()
        self._map = None
        with suppress(OSError):
            os.close(self._handle)
            self._path.unlink()
            self._path.parent.rmdir()  # if there is nothing else in it

    def begin(self, plan: FaultPlan | None) -> None:
        """A run under this plan begins; None: its faults come one by one, through `drawn`."""
        if self._map is None:
            return
        if plan is not None and plan.given and len(whole := str(plan)) < ROOM - 1:
            self._write(self._start, whole.encode())
            return
        if not plan:
            self._map[self._start] = _END
            self._end = self._start
            return
        known, parts = self._known, []
        for one in plan:
            text = known.get(one)
            if text is None:
                text = known[one] = part(*one).encode()
            parts.append(text)
        self._write(self._start, b" + ".join(parts))

    def drawn(self, slot: Slot, fault: Fault) -> None:
        """One more fault strikes in the run that is under way."""
        if self._map is not None:
            joint = " + " if self._end > self._start else ""
            self._write(self._end, f"{joint}{fault.of or part(slot, fault)}".encode())

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
_OVER = b"\0"  # in the first place: there is nothing to report
_FLAGS = os.O_RDWR
for _name in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK"):  # as far as this system knows them
    _FLAGS |= getattr(os, _name, 0)


class Following:
    """An injector whose faults are written ahead as they are drawn."""

    def __init__(self, injector: Injector, ahead: CrashLog) -> None:
        self._injector, self._ahead = injector, ahead
        self.crossings: list[Crossing] = injector.crossings
        self.process = injector.process
        self._lasting: set[str] = set()  # written already

    def at(self, slot: Slot, seq: int, group: str) -> Fault | None:
        fault = self._injector.at(slot, seq, group)
        if fault is not None and not (fault.of and fault.of in self._lasting):
            self._ahead.drawn(slot, fault)
            self._lasting.add(fault.of)
        return fault


def _mark(nodeid: str) -> str:
    return sha256(nodeid.encode("utf-8", "backslashreplace")).hexdigest()[:10]


def _made(path: Path) -> int:
    """A new file, and its folder, which another worker may be removing: it is empty."""
    for last in (False, False, True):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, _FLAGS | os.O_CREAT | os.O_TRUNC, 0o644)
        except FileNotFoundError:
            if last:
                raise
    raise AssertionError


def _lock(handle: int) -> None:
    """Hold the file until the process ends. Raises OSError when another one holds it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, 1 << 30, os.SEEK_SET)  # beyond what is read and written
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


# What is left behind --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Left:
    """What a process that died was running. `stacks` is where it hung, if it did."""

    nodeid: str
    plan: FaultPlan
    scenario: str
    stacks: str = ""


def take(folder: Path, nodeid: str | None = None) -> tuple[list[Left], list[str]]:
    """Every file that a dead process left (of one test), read and removed, and a note for each
    that cannot be read: it is moved to `bad/` in the same folder, or left for the newer agentfuzz
    that wrote it."""
    found: list[Left] = []
    notes: list[str] = []
    for path in sorted(folder.glob(_pattern(nodeid))):
        try:
            left = _of_the_dead(path)
            if left is not None:
                found.append(left)
        except NewerFileError as error:
            notes.append(f"AF903 {path.name}: {error}; left where it is")
        except SavedFileError as error:
            notes.append(f"AF903 {path.name}: {error}; moved to {folder.name}/bad/{path.name}")
            set_aside(path)
    return found, notes


def running(folder: Path, pid: int) -> Left | None:
    """What a process that may be alive is running; None where nothing says so."""
    for path in folder.glob(f"ahead-*-{pid}.plan"):
        with suppress(OSError, SavedFileError):
            if path.is_file():
                return _read(path.read_bytes())
    return None


def held(folder: Path, nodeid: str) -> bool:
    """Whether a process, alive or dying, holds a file of this test."""
    return any(folder.glob(_pattern(nodeid)))


def _pattern(nodeid: str | None) -> str:
    return PATTERN if nodeid is None else f"ahead-{_mark(nodeid)}-*.plan"


def _of_the_dead(path: Path) -> Left | None:
    """What a file says, and the file is gone. None when a living process holds it, or when there
    is nothing to report. Raises SavedFileError."""
    try:
        handle = os.open(path, _FLAGS)
    except FileNotFoundError:
        return None  # another session was faster
    except OSError as error:
        raise SavedFileError(f"cannot be read ({error.strerror})") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):  # reading a pipe would never end
            raise SavedFileError("is no regular file")
        try:
            _lock(handle)
        except OSError:
            return None
        content = os.read(handle, 1 << 20)
        left = None if content[:1] in (b"", _OVER) else _read(content)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, _OVER)
    finally:
        os.close(handle)
    path.unlink(missing_ok=True)
    return left


def _read(content: bytes) -> Left:
    """Raises SavedFileError saying what is wrong."""
    try:
        head, _, rest = content.partition(b"\n")
        data: Any = json.loads(head)
        migrations.schema(data, SCHEMA, VERSION)
        written = migrations.version(data.get("format"), FORMAT_VERSION, "plan format")
        nodeid, scenario = data.get("nodeid"), data.get("scenario")
        if not (isinstance(nodeid, str) and isinstance(scenario, str)):
            raise SavedFileError("it does not name its test and scenario")
        text, ends, _ = rest[:ROOM].partition(b"\n")
        if not ends:
            raise SavedFileError("its plan is not whole")
        stacks = rest[ROOM:].partition(b"\0")[0].decode("utf-8", "replace")
        return Left(nodeid, migrations.plan(text.decode(), written), scenario, stacks)
    except (PlanError, ValueError, RecursionError) as error:
        raise SavedFileError(str(error)) from error
