"""The event loop of a simulation: one for many runs, dropped when a run has left it in disorder.

Law: what an agent awaits is run to its end in virtual time, what is still under way arrives after
it, and nothing that one run began goes on in the next. Called by the simulation.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from agentfuzz.engine.ending import Ending, completed, mourned
from agentfuzz.engine.scenario import Scenario
from agentfuzz.runtime import forks
from agentfuzz.runtime.clock import Clock
from agentfuzz.runtime.eventloop import VirtualLoop, abandon, finish
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.world import World, inside

UNKNOWN = "cut_off", "unknown"  # how a run ends that nobody asks for


class Loops:
    """The loop of this thread, made when it is first asked for. `pid` is the process that may go
    on after an agent has ended."""

    def __init__(self, clock: Clock, pid: int) -> None:
        self._clock = clock
        self._pid = pid
        self._loop: VirtualLoop | None = None
        self._ended = -1  # loops, when this one was set as the current one

    def adopted(self, pid: int) -> None:
        """This process was forked: the loop is another's, who goes on with it. Not closed here, for
        what it is registered with belongs to both."""
        self._pid, self._anothers, self._loop = pid, self._loop, None

    def current(self) -> VirtualLoop:
        """This thread's loop, for async agents and for sync entry points of async frameworks."""
        if self._loop is None or self._loop.is_closed():
            self._loop = VirtualLoop(self._clock)
            self._loop.set_exception_handler(lambda loop, context: None)
            self._ended = -1
        if self._ended != VirtualLoop.ended:  # an `asyncio.run` of a run before has left none
            self._ended = VirtualLoop.ended
            asyncio.set_event_loop(self._loop)
        return self._loop

    def run(self, value: Awaitable[Any], scenario: Scenario, world: World, *, last: bool) -> Any:
        """What an agent's answer comes to when it is awaited."""
        loop, gateway = self.current(), inside(world)
        process, calls, clock = gateway.process, gateway.calls, gateway.clock

        async def main() -> Any:
            try:
                result = await value
            finally:
                if forks.forked:
                    forks.stop(self._pid)
            process.cancel_task = None
            completed(scenario, gateway, result)
            if clock.gate is not None:
                clock.gate.finish()
            if last and not process.waiting:
                clock.flush()
            if calls.late:
                await _arrived(calls.late)
            return result

        task = loop.create_task(main())
        process.cancel_task = task.cancel
        try:
            result = loop.run_until_complete(task)
        finally:
            process.cancel_task = None
        mourned(gateway)
        finish(loop)
        if clock.gate is not None:
            clock.gate.finish(own=False)  # what began in the last step of the loop
            if loop.waits:
                finish(loop)  # and says that it is done
        loop.rest()
        return result

    def settle(self, gateway: LocalGateway) -> None:
        """Let what is still under way arrive."""
        clock, late = gateway.clock, gateway.calls.late
        clock.held = False
        if clock.next_due is None and not late:
            return

        async def settled() -> None:
            clock.flush()
            await _arrived(late)

        try:
            self.current().run_until_complete(settled())
        except BaseException:
            self.drop()  # what stopped it would stop the next run
            raise

    @property
    def waits(self) -> bool:
        """Whether anything is to be called on the loop: what a thread said last when it ended."""
        return self._loop is not None and self._loop.waits

    def abandon(self, gateway: LocalGateway, ending: Ending) -> None:
        """Let what is still due happen, and drop the loop of a run that left it in disorder; one
        that nobody asks for, and that had nothing but tasks there, leaves an empty loop for the
        next."""
        with suppress(BaseException):
            if (ending.how, ending.error) == UNKNOWN and self._is_emptied(gateway):
                return
            self.settle(gateway)
        self.drop()

    def _is_emptied(self, gateway: LocalGateway) -> bool:
        loop, due = self._loop, gateway.clock.next_due
        if loop is None or loop.is_closed() or due is not None or gateway.calls.late:
            return False
        if not loop.holds_tasks_only():
            return False
        finish(loop)
        return loop.holds_tasks_only() and not (loop.waits or asyncio.all_tasks(loop))

    def close(self) -> None:
        """The simulation is over."""
        self.drop()
        if self._loop is not None:
            self._loop.close()

    def drop(self, *, dead: bool = False) -> None:
        """Begin the next run on another loop, if anything was ever begun on this one; `dead`: the
        process is, and nothing of it comes to an end."""
        loop = self._loop
        if loop is not None and not (loop.made or loop.is_closed() or loop.waits):
            return
        self._loop = None
        if loop is not None:
            with suppress(BaseException):
                (abandon if dead else finish)(loop)
            loop.close()


async def _arrived(late: list[asyncio.Task[Any]]) -> None:
    """Wait for what is under way; what a dead process had begun never ends."""
    loop = asyncio.get_running_loop()
    alive = [one for one in late if one.get_loop() is loop]
    await asyncio.gather(*alive, return_exceptions=True)
