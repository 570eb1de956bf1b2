"""Programs: what a command is called, where its input comes from, and whether it ends others.

Law: told by how it is begun, and the same on every machine. Asked by `commands`.
"""

import os
import re
import stat
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_KILLS = re.compile(rb"\b(p|s)?kill(all)?\b")
_PYTHON = re.compile(r"(python|pypy)[\d.]+$")
_PARAMETERS = (
    *("args", "bufsize", "executable", "stdin", "stdout", "stderr", "preexec_fn", "close_fds"),
    "shell",
)  # of Popen, as far as they are looked at


class Begun(NamedTuple):
    """How a process was begun: what it is called, and whether it gets its input from somebody."""

    name: str
    fed: bool


def begun(args: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Begun:
    """How Popen was called, of these arguments of the process."""
    words = {**dict(zip(_PARAMETERS, given, strict=False)), **named}
    name = "shell" if words.get("shell") else program(args)
    return Begun(name, _feeds(words.get("stdin")))


def program(args: Any) -> str:
    """What a command is called: its program, without folder; a Python without its version."""
    try:
        first = args if isinstance(args, str | bytes | os.PathLike) else args[0]
        name = os.path.basename(os.fsdecode(first))
    except (TypeError, LookupError):  # what is read once
        name = ""
    return _PYTHON.sub(r"\1", name) or "command"


def kills(command: Any) -> bool:
    """Whether a command signals processes, as far as one sees."""
    words = command if isinstance(command, list | tuple) else [command]
    told = (os.fsencode(one) for one in words if isinstance(one, str | bytes | os.PathLike))
    return any(map(_KILLS.search, told))


def _feeds(stdin: Any) -> bool:
    """Whether what a command reads is closed by somebody: a pipe, a socket or a terminal."""
    if stdin is None or stdin == subprocess.DEVNULL:
        return False
    if stdin == subprocess.PIPE:
        return True
    try:
        file = stdin if isinstance(stdin, int) else stdin.fileno()
        return not stat.S_ISREG(os.fstat(file).st_mode) and not os.path.samestat(
            os.fstat(file), os.stat(os.devnull)
        )
    except (OSError, ValueError, AttributeError):  # closed since
        return True
