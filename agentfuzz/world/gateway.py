"""The gateway: all that passes between an agent and its world, as one small Protocol.

Law: whoever stands on the agent's side (the toolbox, a model, an adapter, a wire face) needs no
more than this, so that the same code serves a world in this process (`local`) and one at the
other end of a pipe (`engine.child.stub`). Users meet it as `world.gateway`, when they write an
adapter; agents never do.
"""

from collections.abc import Mapping, MutableMapping, MutableSequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from agentfuzz.core.faults import Slot
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.log import Log
from agentfuzz.world.process import Decision
from agentfuzz.world.tools import ToolSpec


class Gateway(Protocol):
    """What an agent's side may ask of a world."""

    clock: Clock
    log: Log
    specs: dict[str, ToolSpec]
    offers_done: bool
    leg: int
    outside: dict[str, Any]  # what others know of this run, by name; it outlives the process

    def call(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as a sync agent does. `asked` is the model's id for the call."""
        ...

    async def acall(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """The same for async agents."""
        ...

    def crossing(self) -> None:
        """Count one crossing of a boundary. Raises CutOff once they are used up."""
        ...

    def living(self) -> None:
        """Raises Crash when the process that asks is dead."""
        ...

    def went_out(self, name: str) -> None:
        """What is `outside` under this name has changed: tell whoever keeps it elsewhere."""
        ...

    def slot_for(self, boundary: str, name: str, asked: str | None = None) -> Slot:
        """The next slot of a name at a boundary."""
        ...

    def reserve(self, call_id: str, tool: str) -> None:
        """Keep the next slot of a tool for a call that the model asked for."""
        ...

    def saving(self, name: str, value: Any = None) -> AbstractContextManager[None]:
        """Mark a durable write of the agent's own."""
        ...

    def may_die(self, boundary: str, name: str, group: str) -> AbstractContextManager[Slot]:
        """A crossing of the process's own: something may happen to it before, or after."""
        ...

    def request_approval(self, tool: str, call: str) -> str:
        """Ask a person to allow a call. The id of the request."""
        ...

    def decision_on(self, request: str) -> Decision | None:
        """What has been decided about a request by now."""
        ...

    def complete(
        self,
        via: str,
        status: Any,
        reason: Any,
        handle: Any,
        detail: Any = "",
        unknown: Mapping[str, Any] | None = None,
    ) -> str:
        """Write down a completion event. The problem with it, or an empty string."""
        ...

    @property
    def store(self) -> MutableMapping[str, Any]:
        """What outlives the agent's process."""
        ...

    @property
    def model(self) -> Any:
        """The simulated model, or None."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether somebody has pressed Stop."""
        ...

    @property
    def inbox(self) -> MutableSequence[str]:
        """What the user has said since the task began."""
        ...
