"""The writer: a session's findings as files in one folder.

Law: every format that is chosen gets written, and none is known here by name; equal input gives
equal bytes under equal names; a file stands under its final name whole or not at all; an OSError
goes to the caller as it is, after the temporary file is gone. Called by the pytest door, which
turns the error into one line.
"""

import contextlib
import errno
import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from agentfuzz.core.errors import AgentfuzzError, near_miss
from agentfuzz.core.escaping import stem
from agentfuzz.core.findings import CampaignResult
from agentfuzz.report.account import Account
from agentfuzz.report.formats import FORMATS
from agentfuzz.report.formats.format import Format

AUTO, NOT = "auto", "no-"
ROOM = 900_000  # bytes of a file to which several steps may append; GitHub takes 1 MiB


def chosen(words: str, environ: Mapping[str, str]) -> list[Format]:
    """The formats that a list of names asks for: `auto` stands for those of every session and of
    the CI that this one runs in, `no-NAME` leaves one out. Raises AgentfuzzError."""
    names, declined = _words(words)
    for name in sorted((names - {AUTO}) | declined):
        if name not in FORMATS:
            known = ", ".join([AUTO, *FORMATS])
            raise AgentfuzzError(
                f"there is no format {name!r}.{near_miss(name, FORMATS)} Known: {known}; "
                f"{NOT}NAME leaves one out"
            )
    if AUTO in names or not names:
        names |= {each.name for each in FORMATS.values() if each.default or _here(each, environ)}
    return [each for name, each in FORMATS.items() if name in names - declined]


def _words(words: str) -> tuple[set[str], set[str]]:
    """What a list of names asks for, and what it leaves out."""
    given = words.replace(",", " ").split()
    declined = {word.removeprefix(NOT) for word in given if word.startswith(NOT)}
    return {word for word in given if not word.startswith(NOT)}, declined


def _here(each: Format, environ: Mapping[str, str]) -> bool:
    return bool(each.where) and environ.get(each.where, "").strip().lower() == "true"


def properties(words: str, result: CampaignResult) -> list[tuple[str, str]]:
    """What the report of a test carries: of every format that is not left out, in full of those
    that a list of names asks for."""
    names, declined = _words(words)
    return [
        pair
        for name, each in FORMATS.items()
        if each.properties is not None and name not in declined
        for pair in each.properties(result, name in names)
    ]


def write(directory: Path, told: Account, formats: Collection[Format] | None = None) -> list[Path]:
    """Write the page of every cause (ID.html, ID.md) and the file of every finding (ID.json), then
    those of the session (index.html, index.md, report.json). Returns the paths in that order.
    Creates the directory, if there is a file for it.

    One text is in memory at a time. Files of earlier sessions are left alone. Raises OSError.
    """
    formats = chosen(AUTO, {}) if formats is None else formats
    if any(each.cause or each.finding or each.session for each in formats):
        directory.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, text in _files(told, formats):
        path = directory / name
        put(path, text.encode("utf-8", "backslashreplace"))
        written.append(path)
    return written


def _files(told: Account, formats: Collection[Format]) -> Iterator[tuple[str, str]]:
    """Name and text of every file, one after the other."""
    for cause in told.causes:
        for each in formats:
            if each.cause is not None:
                yield f"{stem(cause.id)}{each.suffix}", each.cause(cause)
            if each.finding is not None:
                for cx in cause.findings:
                    yield f"{stem(cx.id)}{each.suffix}", each.finding(cx, told)
    for each in formats:
        if each.session is not None:
            yield each.index, each.session(told)


def append(told: Account, formats: Collection[Format], environ: Mapping[str, str]) -> None:
    """Add to the files that the environment names for formats what they tell there. Raises
    OSError."""
    for each in formats:
        if each.appended is None or not environ.get(each.to):
            continue
        path = Path(environ[each.to])
        if path.is_fifo():  # without a reader it would be waited for
            raise OSError(errno.EINVAL, "it is a pipe", str(path))
        with path.open("ab") as file:
            text = each.appended(told, ROOM - file.tell())
            file.write(text.encode("utf-8", "backslashreplace"))


def put(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: a temporary file beside it, then a rename."""
    # A temporary file elsewhere may lie on another filesystem, where a rename is a copy.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(beside, "xb") as file:
            file.write(content)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
