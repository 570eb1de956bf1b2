"""A start before and after the one change that its comments tell of, and a whole campaign of it."""

import re
from pathlib import Path

_UNHURRIED = ("--agentfuzz-max-time=3600", "--agentfuzz-run-timeout=300")
WHOLE = ("--agentfuzz-depth=1", "--agentfuzz-max-runs=300", *_UNHURRIED)
ENOUGH = ("--agentfuzz-depth=1", "--agentfuzz-max-runs=80", *_UNHURRIED)  # to find the bug


def mended(source: str) -> str:
    """The line with the bug is gone, the one with the fix is no comment any more."""
    source, gone = re.subn(r"(?m)^.*: the bug\n", "", source)
    source, put = re.subn(r"(?m)^( *)# (.*: the fix)$", r"\1\2", source)
    assert (gone, put) == (1, 1)
    return source


def mend(path: Path) -> None:
    """Do it to a file."""
    path.write_text(mended(path.read_text(encoding="utf-8")), encoding="utf-8")
