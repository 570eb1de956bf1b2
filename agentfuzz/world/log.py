"""The log of a run: the one place where an event gets its number and its time.

Law: events are appended here and nowhere else, each with its place and the virtual time of the
moment. Made by the gateway of a world, written by whatever something happens to; it becomes the
History when the run is frozen.
"""

from typing import Any

from agentfuzz.core.events import Event, made
from agentfuzz.runtime.clock import Clock


class Log(list[Event]):
    """The events so far, as a list."""

    __slots__ = ("clock",)

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def write(self, kind: Any, *fields: Any) -> Any:
        """Append an event of this kind: its fields after `seq` and `t`. Returns it."""
        event = made(kind, (len(self), self.clock.now) + fields)  # noqa: RUF005 - the quick way
        self.append(event)
        return event
