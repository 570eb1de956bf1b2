"""What a runner of GitHub Actions does with a line of a log: which command it is, if any.

By the rules of `ActionCommand` in actions/runner: the newer form, `::name key=value,...::data` at
the start of a line after blanks, is tried first, then the older one, `##[name key=value;...]data`
anywhere in it. A name that is not registered makes it a line like any other.
"""

from typing import NamedTuple

COMMANDS = {
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
}
DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
OLD = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))


class Command(NamedTuple):
    """A command: its name, its properties and its data."""

    name: str
    properties: dict[str, str]
    data: str


def commands(log: str) -> list[Command]:
    """All commands of a log. A runner reads lines as .NET does: LF, CRLF or CR ends one."""
    lines = log.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [found for line in lines if (found := command(line)) is not None]


def command(line: str) -> Command | None:
    return _new(line) or _old(line)


def _new(line: str) -> Command | None:
    line = line.lstrip()
    if not line.startswith("::"):
        return None
    head, end, data = line[2:].partition("::")
    if not end:
        return None
    name, blank, given = head.partition(" ")
    if name.lower() not in COMMANDS:
        return None
    return Command(name, _pairs(given.strip(), ",", PROPERTY) if blank else {}, _plain(data, DATA))


def _old(line: str) -> Command | None:
    _, begin, rest = line.partition("##[")
    head, end, data = rest.partition("]")
    if not begin or not end:
        return None
    name, blank, given = head.partition(" ")
    if name.lower() not in COMMANDS:
        return None
    return Command(name, _pairs(given, ";", OLD) if blank else {}, _plain(data, OLD))


def _pairs(text: str, between: str, escapes: tuple[tuple[str, str], ...]) -> dict[str, str]:
    found = {}
    for pair in filter(None, text.split(between)):
        key, equals, value = pair.partition("=")
        if key and equals and value:
            found[key.lower()] = _plain(value, escapes)
    return found


def _plain(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    for written, meant in escapes:
        text = text.replace(written, meant)
    return text
