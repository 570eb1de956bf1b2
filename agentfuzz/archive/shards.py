"""The files of shards: what one of several machines has run of a campaign, one file a test.

Law: a file is JSON, one line a run, compressed; it holds data and no code, says what it is in its
first line and that it is whole in its last, and is read only if it does. Of a campaign in N parts
each is there exactly once, or nothing of it is used. Called by the campaign (one file), by the
doors (all of them).
"""

import gzip
import importlib.metadata
import json
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from agentfuzz.core import migrations
from agentfuzz.core.errors import SavedFileError, ShardError
from agentfuzz.core.events import Json
from agentfuzz.core.plan import FORMAT_VERSION

SCHEMA, VERSION = "agentfuzz.shard", 1
SUFFIX = ".runs"
MOST = 1 << 28  # characters of a line: what is longer is no run
AGAIN = "run that shard again"
_NUMBERS = frozenset({"shard", "of", "depth", "seed", "last"})
_ALIKE = ("agentfuzz", "of", "depth", "seed", "space", "first")  # in all files of one test


def installed() -> str:
    """The version of agentfuzz that runs."""
    try:
        return importlib.metadata.version("pytest-agentfuzz")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True, slots=True)
class Head:
    """What a file is of: the test, its part (`shard` of `of`), what was asked of the campaign, and
    the digest of the run without faults."""

    nodeid: str
    shard: int
    of: int
    depth: int
    seed: int
    space: str
    first: str
    agentfuzz: str


@dataclass(frozen=True, slots=True)
class End:
    """How much is in a file: `last` is the number of the last plan of the last level that this
    shard has run (-1: none), `below` the digest of all that was run before that level."""

    last: int
    below: str


@dataclass(frozen=True, slots=True)
class Shard:
    """A file that is whole; with the marks that its runs have left of the error paths of the agent,
    if those were watched."""

    path: Path
    head: Head
    end: End
    marks: tuple[str, ...] | None = None


def name_of(nodeid: str) -> str:
    """The file of a test."""
    return sha256(nodeid.encode("utf-8", "backslashreplace")).hexdigest()[:20] + SUFFIX


class Writer:
    """One file in the making: nothing is there under its name before it is whole."""

    def __init__(self, path: Path, head: Head) -> None:
        """Raises ShardError when it cannot be written, as all of it does."""
        self._path, self._sum = path, sha256()
        self._beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._raw = open(self._beside, "xb")  # noqa: SIM115 - as long as the campaign is
        self._file = gzip.GzipFile("", "wb", compresslevel=3, fileobj=self._raw, mtime=0)
        self.line({"schema": f"{SCHEMA}/{VERSION}", "format": FORMAT_VERSION, **asdict(head)})

    def line(self, data: Json) -> None:
        """One line more. Raises TypeError for what JSON does not know, and writes nothing."""
        text = f"{json.dumps(data, separators=(',', ':'))}\n".encode()
        with _told(self._path):
            self._file.write(text)
        self._sum.update(text)

    def end(self, end: End, marks: Sequence[str] | None = None) -> None:
        """It is whole."""
        seen = {} if marks is None else {"marks": [*marks]}
        self.line({"end": asdict(end), **seen, "sha256": self._sum.hexdigest()})
        with _told(self._path):
            self._file.close()
            self._raw.close()
            os.replace(self._beside, self._path)

    def close(self) -> None:
        """Leave nothing, unless it is whole."""
        with suppress(OSError, ValueError):
            self._file.close()
        self._raw.close()
        with suppress(OSError):
            self._beside.unlink()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ShardError(
            f"{path}: cannot be written ({error.strerror or error}), and a shard is nothing "
            "without its file. Make room, or choose another place with --agentfuzz-report-dir."
        ) from error


# What is read -----------------------------------------------------------------------------


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file. Raises ShardError."""
    try:
        with gzip.open(path, "rb") as file:
            while line := file.readline(MOST):
                yield line
    except (OSError, EOFError, zlib.error) as error:
        raise ShardError(f"{path}: is broken or cut ({error}); {AGAIN}.") from error


def runs(path: Path) -> Iterator[list[Any]]:
    """What was run, in its order, of a file that is whole: [whether it is of the last level, the
    number of its plan, the plan, the run]. Raises ShardError."""
    for line in lines(path):
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ShardError(f"{path}: {error}; {AGAIN}.") from error
        if isinstance(data, list):
            if list(map(type, data)) != [bool, int, str, dict]:
                raise ShardError(f"{path}: {line[:40]!r} is no run; {AGAIN}.")
            yield data


def read(path: Path) -> Shard:
    """A file, looked through to its end. Raises ShardError."""
    known, before, whole = sha256(), sha256(), lines(path)
    first = last = next(whole, b"")
    known.update(first)
    for last in whole:
        before = known.copy()
        known.update(last)
    try:
        head, tail = json.loads(first), json.loads(last)
        migrations.schema(head, SCHEMA, VERSION)
        migrations.version(head.get("format"), FORMAT_VERSION, "history format")
        if not isinstance(tail, dict) or tail.get("sha256") != before.hexdigest():
            raise SavedFileError("its last line is missing, or is of another file")
        given = {field.name: head[field.name] for field in fields(Head)}
        end = tail["end"]
        for name, value in (*given.items(), *end.items()):
            if type(value) is not (int if name in _NUMBERS else str):
                raise SavedFileError(f"{name} is {str(value)[:40]!r}")
        return Shard(path, Head(**given), End(end["last"], end["below"]), _marks(tail.get("marks")))
    except SavedFileError as error:
        raise ShardError(f"{path}: {error}; {AGAIN}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ShardError(f"{path}: is no file of a shard ({error!r}); {AGAIN}.") from error


def _marks(data: Any) -> tuple[str, ...] | None:
    if data is None or (type(data) is list and all(type(one) is str for one in data)):
        return None if data is None else tuple(data)
    raise SavedFileError(f"marks is {str(data)[:40]!r}")


def found(folders: Iterable[Path], name: str = f"*{SUFFIX}") -> list[Path]:
    """The files of shards in some folders, each once, in the order of their names."""
    every = {path.resolve() for folder in folders for path in folder.rglob(name) if path.is_file()}
    return sorted(every)


def gathered(paths: Sequence[Path]) -> dict[str, list[Shard]]:
    """Files by their test, each whole campaign in the order of its parts. Raises ShardError, which
    names the file and what to do."""
    tests: dict[str, list[Shard]] = {}
    for path in paths:
        shard = read(path)
        tests.setdefault(shard.head.nodeid, []).append(shard)
    for nodeid, shards in tests.items():
        shards.sort(key=lambda one: one.head.shard)
        _fit(nodeid, shards)
    return tests


def _fit(nodeid: str, shards: Sequence[Shard]) -> None:
    first = shards[0]
    for one in shards:
        for name in _ALIKE:
            mine, others = getattr(one.head, name), getattr(first.head, name)
            if mine != others:
                what = _WORDS.get(name, f"--agentfuzz-{name} {mine}, not {others}")
                raise ShardError(
                    f"{one.path}: was made with {what}, as in {first.path} ({nodeid}). Run all "
                    "shards with the same options, of the same state of the code."
                )
    of, there = first.head.of, [one.head.shard for one in shards]
    for one, other in pairwise(shards):
        if one.head.shard == other.head.shard:
            raise ShardError(
                f"{other.path}: shard {one.head.shard}/{of} of {nodeid} is there twice, also in "
                f"{one.path}. Leave one of them out."
            )
    if missing := [f"{n}/{of}" for n in range(1, of + 1) if n not in there]:
        raise ShardError(
            f"{first.path.parent}: of {nodeid} the shard{'s' * (len(missing) > 1)} "
            f"{', '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing. Give the folders "
            "of all shards; one that ended before its time has to be run again."
        )


_WORDS = {
    "agentfuzz": "another version of agentfuzz",
    "of": "another number of shards",
    "space": "other faults (faults=, only=, exclude=)",
    "first": "another run without faults: not the same state of the code",
}
