"""What agents share: values with versions, as a database with optimistic locking keeps them.

Law: every write makes a new version; who says which version it goes by (`if_version=`) is refused
when that is not the last, and who says nothing overwrites. Each read and each write is an event.
Met by users as `world.shared`.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from agentfuzz.core.between import SharedRead, SharedWritten
from agentfuzz.core.codec import plain
from agentfuzz.core.errors import StaleWrite
from agentfuzz.world.team.state import Team


class Shared:
    """Values by name, each with its version (from 1). `aread` and `awrite` are for async agents:
    there another agent may go first."""

    def __init__(self, team: Team) -> None:
        self._team = team

    def read(self, key: str) -> tuple[Any, int]:
        """A value and its version; (None, 0) where there is none."""
        team = self._team
        agent = team.log.acts()
        version, value = team.shared.get(key, (0, None))
        team.read[agent, key] = version
        team.log.write(SharedRead, agent, key, version, plain(value))
        return deepcopy(value), version

    def write(self, key: str, value: Any, if_version: int | None = None) -> int:
        """Write a value; its version. Raises StaleWrite if `if_version` is not the last one."""
        team = self._team
        agent = team.log.acts()
        last = team.shared.get(key, (0, None))[0]
        if if_version is not None and if_version != last:
            raise StaleWrite(
                f"{key!r} is at version {last}, not {if_version}: read it again before writing."
            )
        known = team.read.get((agent, key), 0) if if_version is None else if_version
        team.shared[key] = (last + 1, deepcopy(value))
        team.read[agent, key] = last + 1
        facts = (agent, key, known, last + 1, plain(value), if_version is not None)
        team.log.write(SharedWritten, *facts)
        return last + 1

    async def aread(self, key: str) -> tuple[Any, int]:
        """The same as `read`, for async agents."""
        await self._team.turn("shared")
        return self.read(key)

    async def awrite(self, key: str, value: Any, if_version: int | None = None) -> int:
        """The same as `write`, for async agents."""
        await self._team.turn("shared")
        return self.write(key, value, if_version)

    def __getitem__(self, key: str) -> Any:
        if key not in self._team.shared:
            raise KeyError(key)
        return self.read(key)[0]

    def __setitem__(self, key: str, value: Any) -> None:
        self.write(key, value)

    def __contains__(self, key: object) -> bool:
        return key in self._team.shared

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._team.shared))

    def __len__(self) -> int:
        return len(self._team.shared)
