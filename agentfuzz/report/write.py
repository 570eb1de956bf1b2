"""The writer: a session's findings as files in one folder.

Law: every format that there is gets written, and none is known here by name; equal input gives
equal bytes under equal names; a file stands under its final name whole or not at all; an OSError
goes to the caller as it is, after the temporary file is gone. Called by the pytest door, which
turns the error into one line.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from agentfuzz.core.escaping import stem
from agentfuzz.core.findings import CampaignResult
from agentfuzz.report.formats import FORMATS
from agentfuzz.telling.causes import causes


def write(
    directory: Path, results: Sequence[CampaignResult], *, exit_code: int | None = None
) -> list[Path]:
    """Write the page of every cause (ID.html, ID.md) and the file of every finding (ID.json), then
    those of the session (index.html, index.md, report.json). Returns the paths in that order.
    Creates the directory.

    One text is in memory at a time. Files of earlier sessions are left alone. Raises OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, text in _files(results, exit_code):
        path = directory / name
        put(path, text.encode("utf-8", "backslashreplace"))
        written.append(path)
    return written


def _files(results: Sequence[CampaignResult], exit_code: int | None) -> Iterator[tuple[str, str]]:
    """Name and text of every file, one after the other."""
    for cause in causes([cx for result in results for cx in result.findings]):
        for each in FORMATS.values():
            if each.cause is not None:
                yield f"{stem(cause.id)}{each.suffix}", each.cause(cause)
            if each.finding is not None:
                for cx in cause.findings:
                    yield f"{stem(cx.id)}{each.suffix}", each.finding(cx)
    for each in FORMATS.values():
        if each.session is not None:
            yield each.index, each.session(results, exit_code)


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
