"""Cassettes: one real conversation with a model provider, recorded once, replayed offline.

    Cassette.load(path)     the recording as a lookup, read once however many runs ask it
    FromCassette            where a model that answers from a cassette has its plans
    record(path)            a context manager around a real conversation: writes a cassette
    record_run              the same around one run of an agent in a scenario

Law: replay opens no socket, and nothing is written that has not been searched for secrets.
vcrpy is imported by recording alone. Called by scenarios (replay) and by the doors (record).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentfuzz.core.errors import CassetteMiss
    from agentfuzz.model.cassettes.model import FromCassette
    from agentfuzz.model.cassettes.on_miss import ON_MISS
    from agentfuzz.model.cassettes.recorder import record, record_run
    from agentfuzz.model.cassettes.secrets import SecretFound
    from agentfuzz.model.cassettes.store import Cassette

_PLACES = {
    "model.cassettes.model": ("FromCassette",),
    "model.cassettes.on_miss": ("ON_MISS",),
    "model.cassettes.recorder": ("record", "record_run"),
    "model.cassettes.secrets": ("SecretFound",),
    "model.cassettes.store": ("Cassette",),
    "core.errors": ("CassetteMiss",),
}
_HOME = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "ON_MISS",
    "Cassette",
    "CassetteMiss",
    "FromCassette",
    "SecretFound",
    "record",
    "record_run",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"agentfuzz.{_HOME[name]}"), name)
    raise AttributeError(
        f"module 'agentfuzz.model.cassettes' has no {name!r}; there is: {', '.join(sorted(_HOME))}"
    )


def __dir__() -> list[str]:
    return sorted(_HOME)
