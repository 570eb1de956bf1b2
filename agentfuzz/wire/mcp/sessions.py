"""The sessions of an MCP server, under names that are the same in every run.

Law: the SDK draws its ids at random; a client sees the number of its session instead, and a session
that is lost has no id behind it any more, so that the SDK itself says that there is none. Kept by
the ASGI app, one for each world.
"""

from typing import Any

HEADER = b"mcp-session-id"


class Sessions:
    """What the sessions are called outside, and inside."""

    def __init__(self) -> None:
        self._names: dict[bytes, bytes] = {}  # by the SDK's ids
        self._ids: dict[bytes, bytes] = {}  # the other way

    def of(self, scope: Any) -> bytes | None:
        """The name of the session that a request says it is part of."""
        return next((value for name, value in scope["headers"] if name == HEADER), None)

    def inwards(self, scope: Any) -> Any:
        """The scope of a request as the SDK knows its session."""
        if self.of(scope) is None:
            return scope
        headers = [
            (name, self._ids.get(value, value) if name == HEADER else value)
            for name, value in scope["headers"]
        ]
        return {**scope, "headers": headers}

    def named(self, start: Any) -> Any:
        """The start of a reply as a client knows its session."""
        given = [(name.lower(), value) for name, value in start.get("headers", ())]
        if not any(name == HEADER for name, _ in given):
            return start
        headers = [(n, self._name(value) if n == HEADER else value) for n, value in given]
        return {**start, "headers": headers}

    def lose(self, name: bytes | None) -> None:
        """Forget a session."""
        self._ids.pop(name or b"", None)

    def _name(self, given: bytes) -> bytes:
        name = self._names.get(given)
        if name is None:
            name = self._names[given] = b"session-%d" % (len(self._names) + 1)
            self._ids[name] = given
        return name
