"""What escaped control: the real world that a run reached for, in words.

Law: each is told once, with the line that asked for it; where two runs differ, they are the
suspects. Called by the campaign and by what tells of two histories.
"""

from pathlib import Path

from agentfuzz.core.locations import relative
from agentfuzz.runtime import leaks


def aside(root: Path) -> str:
    """What escaped control so far: in a run that does not come back, the suspects."""
    told = [escaped(one, root) for one in leaks.known()]
    return f" What escaped control: {'; '.join(told)}." if told else ""


def escapes(root: Path) -> tuple[str, ...]:
    """What escaped control since it was last asked for, each with its code."""
    return tuple(f"AF905 escapes control: {escaped(one, root)}" for one in leaks.taken())


def escaped(one: leaks.Escape, root: Path) -> str:
    """One escape: `socket.connect 10.0.0.1:443 at loop.py:12`."""
    what = f"{one.kind} {one.detail}".rstrip()
    if one.where is None:
        return what
    return f"{what} at {relative(one.where, root).rpartition(' ')[0]}"
