"""Where an agent is at this moment: its function, its calls, and whether somebody looks at it.

Law: what belongs to the harness or to the event loop around an agent is no part of the answer, nor
what lies outside of its run. Asked by the watchdog.
"""

import asyncio
from collections.abc import Iterator
from types import CodeType, CoroutineType, FrameType
from typing import Any

from agentfuzz.runtime.user_code import begins_run, is_around, is_debugger


def is_spared(frame: FrameType) -> bool:
    """Whether this is the harness, or the event loop: nothing may be raised here."""
    return is_around(frame.f_code.co_filename)


def is_debugged(frame: FrameType | None) -> bool:
    """Whether somebody looks at the agent in a debugger, and takes his time."""
    while frame is not None and not is_debugger(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None


def where(frame: FrameType | None) -> str:
    """The function of the agent that spins, as `function (file:line)`: the outermost one that is
    no part of the harness, by the line of its definition. What runs inside it at this moment
    differs from run to run, and the history must not."""
    stack = []
    while frame is not None and not begins_run(frame.f_code):
        stack.append(frame)
        frame = frame.f_back
    for one in reversed(stack):
        code: CodeType | None = one.f_code
        if one.f_code.co_name == "run_until_complete":
            code = _awaited(one.f_locals.get("future"))
        if code is not None and not is_around(code.co_filename):
            name = code.co_filename.rsplit("/", 1)[-1]
            return f"{code.co_name} ({name}:{code.co_firstlineno})"
    return "nowhere"


def calls(frame: FrameType | None) -> list[str]:
    """Where the agent is at this moment: `path:line function` of each of its calls, outermost
    first; of a loop that is between two steps, what its main task awaits."""
    found: list[FrameType | None] = []
    waiting: list[FrameType | None] = []
    while frame is not None and not begins_run(frame.f_code):
        if frame.f_code.co_name == "run_until_complete" and not waiting:
            waiting = [coro.cr_frame for coro in _awaiting(frame.f_locals.get("future"))]
        if not is_spared(frame):
            found.append(frame)
        frame = frame.f_back
    return [
        f"{one.f_code.co_filename}:{one.f_lineno} {one.f_code.co_name}"
        for one in found[::-1] or waiting
        if one is not None
    ]


def _awaited(task: object) -> CodeType | None:
    """The agent's coroutine in the main task of a loop, while another step of the loop runs."""
    return next((coro.cr_code for coro in _awaiting(task)), None)


def _awaiting(task: object) -> "Iterator[CoroutineType[Any, Any, Any]]":
    """The agent's coroutines in a task, outermost first."""
    waiting: object = task.get_coro() if isinstance(task, asyncio.Task) else None
    while isinstance(waiting, CoroutineType):
        if not is_around(waiting.cr_code.co_filename):
            yield waiting
        waiting = waiting.cr_await
