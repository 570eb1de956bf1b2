"""Where an exception came from, for people: the calls of the user's code, and five source lines.

Law: what is told of a place is read from the exception alone, no code of the agent's runs for it
but the one `str` of the message; no path of a machine gets into what is told. Made by the
simulation in traced runs, told by the search.
"""

import linecache
from pathlib import Path
from typing import NamedTuple

from agentfuzz.core.codec import message
from agentfuzz.core.locations import relative, shortened
from agentfuzz.engine.outcomes import frames, hidden, leaves
from agentfuzz.runtime.user_code import is_own, is_users

_AROUND = 2  # source lines before and after the one that raised
_WIDE = 160  # characters of a source line
_LINES = 20  # of a message
_CAUSES = 3


class Origin(NamedTuple):
    """`calls` as `path:line function`, outermost first, the last one the innermost of the user's;
    its `source`; what was called there, if a library raised (`inner`); and the exception."""

    calls: list[str]
    source: list[str]
    inner: str
    words: list[str]

    @property
    def place(self) -> str:
        """The user's line that raised, or that called what did; its path is the machine's."""
        return self.calls[-1] if self.calls else ""

    def told(self, root: Path) -> str:
        """All of it as lines, the paths relative to the project."""
        calls = shortened([relative(call, root) for call in self.calls])
        inner = [relative(self.inner, root)] if self.inner else []
        return "\n".join([*calls.splitlines(), *self.source, *inner, *self.words])


def origin(error: BaseException) -> Origin:
    """Where an exception, or the first of a group, came from."""
    error = next(leaves(error), error)
    calls, inner = _calls(error)
    source: list[str] = []
    if calls:
        source = at(calls[-1])
    return Origin(calls, source, inner, [*_words(error), *_causes(error)])


def _calls(error: BaseException) -> tuple[list[str], str]:
    calls: list[str] = []
    inner = ""
    for frame, line in frames(error):
        path, name = frame.f_code.co_filename, frame.f_code.co_name
        place = f"{path}:{line} {name}"
        if is_users(path) and not hidden(frame):
            calls.append(place)
            inner = ""
        elif not is_own(path) and not hidden(frame):
            inner = place
    return calls, inner


def at(place: str) -> list[str]:
    """The source around a place, `path:line function`."""
    path, _, rest = place.rpartition(":")
    return source_of(path, int(rest.partition(" ")[0]))


def source_of(path: str, line: int) -> list[str]:
    """The lines of a file around this one, which is marked; none of a file that is not there."""
    linecache.checkcache(path)
    lines = linecache.getlines(path)
    first, last = max(line - _AROUND, 1), min(line + _AROUND, len(lines))
    width = len(str(last))
    return [
        f"{'>' if n == line else ' '} {n:>{width}}  {lines[n - 1].expandtabs(4).rstrip()[:_WIDE]}"
        for n in range(first, last + 1)
    ]


def _words(error: BaseException) -> list[str]:
    lines = f"{type(error).__name__}: {message(error, 2_000)}".rstrip(": \n").splitlines()
    more = [f"... {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return [line.rstrip() for line in lines[:_LINES]] + more


def _causes(error: BaseException) -> list[str]:
    """What led to an exception, a line each, the nearest first."""
    found: list[str] = []
    seen = {id(error)}
    while len(found) < _CAUSES:
        hide = error.__suppress_context__
        cause = error.__cause__ or (None if hide else error.__context__)
        if cause is None or id(cause) in seen:
            break
        seen.add(id(cause))
        error = next(leaves(cause), cause)
        found.append(f"after {_words(error)[0]}")
    return found
