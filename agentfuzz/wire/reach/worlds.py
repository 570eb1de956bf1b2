"""Which world answers a request now: that of the block around it.

Law: a task is answered by the world whose block it was made in; a thread, which knows of no block,
by that of the block entered last. What a provider is asked that no face speaks is refused as the
network is, and named (AF905). Asked by the seams of every library.
"""

import errno
import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from agentfuzz.core.errors import NetworkRefused
from agentfuzz.runtime import leaks, network
from agentfuzz.wire.reach import hosts
from agentfuzz.wire.router import WireReply, face_of


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A block that is entered: its world, the user's own gateways that it reaches, and whether what
    a provider refuses is refused."""

    world: Any
    own: frozenset[str]
    strict: bool


_entered: list[Entry] = []
_around: ContextVar[Entry | None] = ContextVar("agentfuzz_everywhere", default=None)


def enter(entry: Entry) -> Entry | None:
    """A block begins. Returns the one around it."""
    outer = _around.get()
    _entered.append(entry)
    _around.set(entry)
    return outer


def leave(entry: Entry, outer: Entry | None) -> None:
    """A block ends."""
    _entered.remove(entry)
    _around.set(outer)


def is_over() -> bool:
    """Whether no block is entered."""
    return not _entered


@dataclass(frozen=True, slots=True)
class Reached:
    """A request that a world answers: the world's face, by whatever path its provider has. Of a
    provider whose rules are not known nothing is refused."""

    world: Any
    place: hosts.Place
    strict: bool

    def answer(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        is_strict: bool = True,
    ) -> WireReply:
        """Answer it; `path` is the provider's. Raises CutOff."""
        if self.place.model:
            body = _naming(body, self.place.model)
        strict = is_strict and self.strict
        place = "".join((self.place.path, *path.partition("?")[1:]))
        return face_of(self.world).answer(method, place, headers, body, is_strict=strict)


def reached(method: str, host: str, port: int | None, path: str) -> Reached | None:
    """Who answers a request; None if the network does. Raises NetworkRefused for what no face
    speaks, unless the run may reach its host."""
    entry = _now()
    if entry is None:
        return None
    place = hosts.place(host, port, path, entry.own)
    if place is None:
        return None
    if place != hosts.UNSPOKEN:
        return Reached(entry.world, place, entry.strict and hosts.has_known_rules(host))
    local = network.is_local(host)
    if not local and not network.refuses("socket.getaddrinfo", (host, port)):
        return None
    asked = f"{method} {host}{path.partition('?')[0]}"
    leaks.note(asked, "(refused: a model's, not spoken)")
    raise NetworkRefused(
        errno.ECONNREFUSED,
        f"agentfuzz refuses {asked}: it is a model provider's, and wire.everywhere speaks OpenAI's "
        "chat/completions and responses and Anthropic's messages. Ask the model in one of these, "
        "or make it a tool of the world"
        + ("." if local else f"; or let it through: @fuzz(scenario, allow_network=({host!r},))."),
    )


def is_provider(host: str, port: int | None) -> bool:
    """Whether a connection would be to a provider of the block around it."""
    entry = _now()
    return entry is not None and hosts.is_provider(host, port, entry.own)


def _now() -> Entry | None:
    entry = _around.get()
    if entry in _entered:
        return entry
    return _entered[-1] if _entered else None


def _naming(body: bytes, model: str) -> bytes:
    """A body that names its model, where the path did."""
    try:
        found = json.loads(body)
    except ValueError:
        return body  # the face says what is wrong
    if not isinstance(found, dict) or "model" in found:
        return body
    return json.dumps({**found, "model": model}).encode()
