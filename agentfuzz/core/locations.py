"""Places in code, as reports name them: `path:line function`, the path relative to the project.

Law: no path of a machine gets into a report; what lies outside the project is named by its file
alone. Called by the search (where a law broke), by the doors (where a process died) and by errors.
"""

from pathlib import Path

from agentfuzz.core.events import Called, Unheard
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation

STACK = 30  # lines


def relative(where: str, root: Path) -> str:
    """A location with its path relative to the project, or only the file's name outside it."""
    path, _, rest = where.rpartition(":")
    try:
        return f"{Path(path).resolve().relative_to(root.resolve()).as_posix()}:{rest}"
    except ValueError:
        return f"{Path(path).name}:{rest}"


def shortened(calls: list[str]) -> str:
    """A stack of at most STACK lines; of a long one (a recursion) the middle is left out."""
    if len(calls) > STACK:
        out = len(calls) - STACK + 1
        calls = [*calls[: STACK // 3], f"... {out} more", *calls[out + STACK // 3 :]]
    return "\n".join(calls)


def all_calls(history: History, root: Path) -> dict[str, str]:
    """Where each call was made, in the history of a traced run."""
    return {call.call: relative(call.where, root) for call in history.of(Called) if call.where}


def of_violation(history: History, violation: Violation) -> str | None:
    """Where the last call was made, or the command waited for, that a violation points at, in the
    history of a traced run: its path is the machine's."""
    calls = {event.call: event for event in history.of(Called)}
    for seq in reversed(violation.witness):
        event = history.events[seq] if seq < len(history.events) else None
        if isinstance(event, Unheard) and event.kind == "command" and history.waited:
            return history.waited
        call = calls.get(getattr(event, "call", ""))
        if call is not None and call.where:
            return call.where
    located = [event for event in history.of(Called) if event.where]
    return located[-1].where if located else None
