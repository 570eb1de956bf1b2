"""Values as a memo keeps them: packed, so that nobody can change them, and told apart exactly.

Law: what an agent could tell apart is told apart, a tuple from a list and 1 from True; what is
taken out is a copy. Called by the tape and by the walker.
"""

import copy
import marshal
from typing import Any

from agentfuzz.core.codec import dump, message, plain

VERSION = 2  # of marshal: without references, so that equal values are equal bytes
Key = bytes | tuple[Any, ...]


class Uncopied(Exception):
    """This value cannot be kept."""


class Packed:
    """A value put away. `key` tells it from others."""

    __slots__ = ("_whole", "key")

    def __init__(self, value: Any) -> None:
        self._whole: Any = None
        self.key = key_of(value)
        if type(self.key) is not bytes:
            try:
                self._whole = copy.deepcopy(value)
            except Exception as error:
                raise Uncopied(type(value).__name__) from error

    def out(self) -> Any:
        """A fresh copy."""
        if type(self.key) is bytes:
            return marshal.loads(self.key)
        return copy.deepcopy(self._whole)


def key_of(value: Any) -> Key:
    """What tells a value from others: itself, in bytes; of objects what would be written."""
    try:
        return marshal.dumps(value, VERSION)
    except ValueError:
        kind = type(value)
        return (kind.__module__, kind.__qualname__, dump(plain(value)))


def key_of_error(error: BaseException) -> Key:
    """The same of an exception: its class, its words, and what it carries."""
    kind = type(error)
    carried = key_of(error.args), key_of(vars(error))
    return ("raised", kind.__module__, kind.__qualname__, message(error), *carried)


def fresh(error: BaseException) -> BaseException:
    """The same exception as nobody has raised it yet. Raises Uncopied."""
    try:
        if isinstance(error, BaseExceptionGroup):
            made: BaseException = error.derive([fresh(one) for one in error.exceptions])
        else:
            made = copy.copy(error)
        same = type(made) is type(error) and str(made) == str(error)
    except Exception as trouble:
        raise Uncopied(type(error).__name__) from trouble
    if not same or made is error:
        raise Uncopied(type(error).__name__)
    made.__traceback__ = made.__context__ = made.__cause__ = None
    return made
