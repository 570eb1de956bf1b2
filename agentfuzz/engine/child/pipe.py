"""A pipe between a run and its child process: whole messages, pickled, over two file descriptors.

Law: a message arrives whole or not at all; waiting is never without end; the world itself is
never copied, each side has its own at hand; an exception that cannot be pickled becomes one of
the same name and of its nearest known class. Used by both ends of a child.
"""

import io
import os
import pickle
import select
import struct
from collections.abc import Callable
from typing import Any

from agentfuzz.core.codec import message
from agentfuzz.core.errors import ScenarioError

LOOK = 0.05  # real seconds between two looks at whether the other end still lives
_HEAD = struct.Struct("!I")


class Pipe:
    """One end. `near` is what both sides have (the world); `lives` is asked while nothing comes,
    and raises when nothing will."""

    def __init__(self, reader: int, writer: int, near: object) -> None:
        self.lives: Callable[[], None] = lambda: None
        self._reader, self._writer, self._near = reader, writer, near
        self._poll = select.poll()
        self._poll.register(reader, select.POLLIN)

    def send(self, *parts: Any) -> None:
        """Send one message. Raises ScenarioError for what cannot be pickled."""
        buffer = io.BytesIO()
        pickler = _Pickler(buffer, self._near)
        try:
            pickler.dump(parts)
        except Exception as error:
            raise ScenarioError(
                "what passes between the run and an agent in a child process must be picklable "
                f"(arguments, replies, stored values, the answer): {message(error)}"
            ) from error
        data = buffer.getvalue()
        left = memoryview(_HEAD.pack(len(data)) + data)
        while left:
            left = left[os.write(self._writer, left) :]

    def receive(self) -> Any:
        """The next message. Raises EOFError when the other end is gone, or what `lives` does."""
        (size,) = _HEAD.unpack(self._read(_HEAD.size))
        unpickler = _Unpickler(io.BytesIO(self._read(size)), self._near)
        return unpickler.load()

    def waits(self, seconds: float = 0.0) -> bool:
        """Whether something can be read, after so many real seconds at most."""
        return bool(self._poll.poll(seconds * 1000))

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            while not self.waits(LOOK):
                self.lives()
            part = os.read(self._reader, min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close both file descriptors of this end."""
        os.close(self._reader)
        os.close(self._writer)


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, near: object) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._near = near

    def persistent_id(self, value: object) -> str | None:
        return "world" if value is self._near else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, near: object) -> None:
        super().__init__(file)
        self._near = near

    def persistent_load(self, pid: str) -> object:
        return self._near


def packed(error: BaseException) -> tuple[Any, ...]:
    """An exception as something that certainly can be sent, and comes back as `unpacked`."""
    try:
        if type(pickle.loads(pickle.dumps(error))) is type(error):
            return (error,)
    except BaseException:  # it may run any code of its class
        pass
    return (type(error).__name__, _known(type(error)), message(error))


def unpacked(parts: tuple[Any, ...]) -> BaseException:
    """The exception that was packed, or one of its name, text and nearest known class."""
    if len(parts) == 1:
        return parts[0]  # type: ignore[no-any-return]
    name, base, text = parts
    kind: Any = type(name, (base,), {"__str__": lambda self: text})
    error: BaseException = kind.__new__(kind)
    error.args = (text,)
    return error


def _known(kind: type[BaseException]) -> type[BaseException]:
    """The nearest class above that both processes can name and that is built of a text."""
    for base in kind.__mro__[1:]:
        try:
            pickle.loads(pickle.dumps(base))
            base("")
        except Exception:
            continue
        if issubclass(base, BaseException):
            return base
    return Exception
