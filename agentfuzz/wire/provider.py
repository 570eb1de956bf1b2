"""What the providers of a run know: what they have numbered, given out, stored.

Law: it lies outside the agent's process, so it outlives a crash, and all legs of a run and all
worlds of tasks that run at once have the same; no id comes twice in a run. Kept by the gateway,
asked by the face of each world.
"""

from dataclasses import dataclass, field
from typing import Any

from agentfuzz.providers.turns import Kept
from agentfuzz.wire.stored import Stored

_NAME = "provider"


@dataclass(slots=True)
class Provider:
    """One run's. `kept` is what later requests go on from; `given` are the ids of calls, `doubled`
    those that it gave more than once, and names of tools that it made up."""

    kept: dict[str, Kept] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    requests: int = 0
    replied: int = 0
    stored: Stored = field(init=False)

    def __post_init__(self) -> None:
        self.stored = Stored(self.kept)


def provider_of(gateway: Any) -> Provider:
    """The provider of the run that a gateway belongs to."""
    found: Provider | None = gateway.outside.get(_NAME)
    if found is None:
        found = gateway.outside.setdefault(_NAME, Provider())
    return found


def went_on(gateway: Any) -> None:
    """The provider has learnt something."""
    gateway.went_out(_NAME)
