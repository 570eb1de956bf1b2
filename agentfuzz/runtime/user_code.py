"""Whose code a frame is: agentfuzz's own, the event loop's around it, or the user's.

Law: the project recognises its own code here and nowhere else, by the folders and the functions
that this file names; `tests/runtime/test_user_code.py` fails when they move. Asked by the watchdog
(what may be interrupted), the leaks (who opened this?), the reports (which line of the user's?) and
by traced runs.
"""

import asyncio
import os
import selectors
import sys
from pathlib import Path
from types import CodeType, FrameType

PACKAGE = str(Path(__file__).parents[1]) + os.sep
# What is opened here is agentfuzz's own affair: sockets of its server, threads that it lets go on.
OPENS_FOR_ITSELF = (
    f"{PACKAGE}wire{os.sep}",
    f"{PACKAGE}runtime{os.sep}thread_pools{os.sep}gate.py",
)
# What stands between a client and the network: what is opened beneath it is the client's affair.
LETS_THROUGH = f"{PACKAGE}wire{os.sep}reach{os.sep}"
# What stands for the world around an agent: what fails in there was called by it.
_SIMULATED = tuple(f"{PACKAGE}{name}{os.sep}" for name in ("world", "model", "wire"))
# Where a run begins, and where a law of the user's is asked: what lies outside of these functions
# is no part of it.
BEGINNINGS = frozenset(
    {
        (f"{PACKAGE}engine{os.sep}simulation.py", "execute"),
        (f"{PACKAGE}engine{os.sep}judging.py", "asked"),
    }
)
# For whom code runs in a run that a memo learns from, the nearest says: the agent, or the body of a
# tool, which was called or arrived late.
TAPED = f"{PACKAGE}search{os.sep}memo{os.sep}taping.py"
BODIES = (
    f"{PACKAGE}search{os.sep}memo{os.sep}recorder.py",
    f"{PACKAGE}world{os.sep}delivery.py",
)
# The harness and the event loop: code around an agent, not an agent's.
_AROUND = (PACKAGE, str(Path(asyncio.__file__).parent) + os.sep, selectors.__file__)
_SCENARIOS = f"{PACKAGE}scenarios{os.sep}"  # files that a user could have written
_DEBUGGERS = (f"{os.sep}bdb.py", f"{os.sep}pdb.py", f"{os.sep}pydevd.py")
_NOT_USERS = ("site-packages", "dist-packages", f"{sys.base_prefix}/lib/python")


def is_own(path: str) -> bool:
    """Whether code of this file is agentfuzz's own."""
    return path.startswith(PACKAGE) and not path.startswith(_SCENARIOS)


def is_users(path: str) -> bool:
    """Whether code of this file is the user's own, and no library's."""
    if path.startswith("<") or is_own(path):
        return False
    return not any(part in path for part in _NOT_USERS)


def is_agents(frame: FrameType | None) -> bool:
    """Whether this code of a taped run is the agent's, or was called by it, and no tool's body."""
    while frame is not None:
        if frame.f_code.co_filename in BODIES:
            return False
        if frame.f_code.co_filename == TAPED:
            return True
        frame = frame.f_back
    return True


def is_around(path: str) -> bool:
    """Whether code of this file stands around an agent: the harness, or its event loop."""
    return path.startswith(_AROUND) and not path.startswith(_SCENARIOS)


def is_simulated(path: str) -> bool:
    """Whether code of this file is part of the simulated world: its tools, its model, its wire."""
    return path.startswith(_SIMULATED)


def opens_for_itself(path: str) -> bool:
    """Whether what this file opens is agentfuzz's own affair."""
    return path.startswith(OPENS_FOR_ITSELF) and not path.startswith(LETS_THROUGH)


def begins_run(code: CodeType) -> bool:
    """Whether a frame of this code is where the run of an agent begins."""
    return is_beginning(code.co_filename, code.co_name)


def is_beginning(path: str, name: str) -> bool:
    """The same, of a path and a function's name (as a dump of stacks has them)."""
    return (path, name) in BEGINNINGS


def is_debugger(path: str) -> bool:
    """Whether code of this file is a debugger's."""
    return path.endswith(_DEBUGGERS)


def caller() -> str | None:
    """`path:line function` of the nearest frame that is the user's own code."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if is_users(path):
            return f"{path}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return None
