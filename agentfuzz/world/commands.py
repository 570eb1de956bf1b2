"""Commands of an agent, as crossings: somebody may press Ctrl-C while one runs.

Law: the agent gets KeyboardInterrupt where it waits; the command, which the key does not reach,
goes on. What is left running when the run is over, though the agent has gone on, is written down.
A run that the key has ended is none of it: a program may clean up as it exits. Opened with the
world of a scenario that asks for it, asked by the engine how a run ended.
"""

from agentfuzz.core.events import Unheard
from agentfuzz.runtime import commands
from agentfuzz.runtime.user_code import caller
from agentfuzz.world.local import LocalGateway

CTRL_C = "ctrl_c"
COMMAND = "command"  # the boundary, the group of its crossings, and the kind of what is left


class Commands:
    """Those of the runs of one gateway."""

    def __init__(self, gateway: LocalGateway) -> None:
        self._process, self._calls = gateway.process, gateway.calls
        self._pressed: list[KeyboardInterrupt] = []
        self._seen = commands.Commands(self._waits)
        self._ended = False
        self.waited: str | None = None  # where it was first pressed, in a traced run
        gateway.commands = self
        self._seen.open()

    def _waits(self, name: str) -> KeyboardInterrupt | None:
        """The agent waits for a command: what strikes it there."""
        process, calls = self._process, self._calls
        calls.crossings, calls.budget = calls.crossings + 1, calls.budget + 1  # a free one
        slot = process.slot(COMMAND, name)
        fault = process.injector.at(slot, len(process.log), COMMAND)
        if fault is None:
            return None
        process.struck(slot, fault)
        self._pressed.append(KeyboardInterrupt())
        self.waited = self.waited or (caller() if calls.trace else None)
        return self._pressed[-1]

    def ends(self, error: BaseException) -> bool:
        """Whether the key has ended a run that raised this: as KeyboardInterrupt, or as a program
        exits. What else was raised while it was handled has ended it, too, but as what it is."""
        exits = isinstance(error, SystemExit) and bool(self._pressed)
        behind = [error]
        for one in behind:  # causes may go round
            for other in (one.__cause__, one.__context__):
                if other is not None and not any(other is known for known in behind):
                    behind.append(other)
        pressed = any(one is key for one in behind for key in self._pressed)
        self._ended = self._ended or exits or pressed
        return self._ended and isinstance(error, KeyboardInterrupt | SystemExit)

    def died(self) -> None:
        """A leg has crashed: it could not end what it was about to."""
        self._seen.died()

    def over(self, how: str) -> None:
        """The run is over, by this ending: write down what is left running."""
        left = self._seen.over()
        if not self._ended and how in ("returned", "raised"):
            for name in left:
                self._process.log.write(Unheard, COMMAND, name, KeyboardInterrupt.__name__, "")
