"""What an async loop is built on, asyncio or trio: how it waits, and how it is cancelled.

Law: nothing is imported that the agent has not imported. Called by the calls of an async loop.
"""

import asyncio
import sys
from typing import Any

from agentfuzz.core.errors import CutOff
from agentfuzz.runtime.clock import FOREVER

Kinds = tuple[type[BaseException], ...]


def cancellations() -> Kinds:
    """What is raised in a task that is cancelled."""
    trio: Any = sys.modules.get("trio")
    return (asyncio.CancelledError,) if trio is None else (asyncio.CancelledError, trio.Cancelled)


def given_up() -> Kinds:
    """What ends a tool's body without being an error of its own."""
    return (CutOff, GeneratorExit, *cancellations())


async def pause(seconds: float) -> None:
    """Virtual seconds pass for this task."""
    if asyncio._get_running_loop() is None:
        trio: Any = sys.modules["trio"]
        await trio.sleep(seconds)
        return
    if seconds == FOREVER:
        await asyncio.get_running_loop().create_future()
    await asyncio.sleep(seconds)
