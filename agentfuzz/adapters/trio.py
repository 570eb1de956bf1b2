"""trio: a loop on virtual time, in an order that is the same every time.

Law: when every task waits, the clock jumps to the next deadline, and what falls due on the way
happens on the way; when no deadline is left either, the run is cut off as `hung`. Of several tasks
that can go on, the oldest goes first. Called by agents under test:

    def agent(world):
        return trio.run(loop, world, clock=adapters.trio.clock(world))

Inside, `await world.acall(...)` and `await world.tools.aio.charge_card(...)` work as under asyncio.
Threads of `trio.to_thread` get a moment of real time, and are not ordered.
"""

import random
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, NoReturn

import trio
from trio._core import _run

from agentfuzz.core.errors import Crash, CutOff
from agentfuzz.runtime.clock import FOREVER, Clock, Real, active_clock
from agentfuzz.world.world import World, inside

MOMENT = 0.02  # real seconds for threads


def clock(world: World) -> "VirtualClock":
    """A clock for `trio.run(..., clock=...)` of an agent in this world."""
    inside(world).calls.library = Library(world)
    return VirtualClock(world.clock)


class VirtualClock(trio.abc.Clock, trio.abc.Instrument):
    """trio's clock on a world's clock. Once nothing is ready, inside or outside, it moves it."""

    def __init__(self, virtual: Clock) -> None:
        self._clock = virtual
        self._threads = 0
        self._deadline: float | None = None  # when nothing is ready: the next one of trio's
        self._until = 0.0  # in real time, while a partner that lives in it is waited for

    def start_clock(self) -> None:
        """A run of trio begins."""
        self._threads = threading.active_count()
        _in_order()

    def current_time(self) -> float:
        """Virtual seconds since the start of the agent's run."""
        return self._clock.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Real seconds to wait for the outside, when no task can go on."""
        trio.lowlevel.add_instrument(self)
        self._deadline = deadline
        if self._clock.real:
            self._until = Real.monotonic() + deadline - self._clock.now
            return deadline - self._clock.now
        return MOMENT if threading.active_count() > self._threads else 0.0

    def after_io_wait(self, timeout: float) -> None:
        """The outside had its turn. If still nothing is ready, the clock jumps to what is next."""
        deadline, self._deadline = self._deadline, None
        if deadline is None or _run.GLOBAL_RUN_CONTEXT.runner.runq:
            return
        virtual = self._clock
        if virtual.real and Real.monotonic() < self._until:
            return  # waiting for a partner takes no virtual time
        gate = virtual.gate
        if gate is not None and gate.step():
            return
        wakes = None if gate is None else gate.next_deadline()
        due = [at for at in (deadline, virtual.next_due, wakes) if at is not None and at < FOREVER]
        if virtual.held or not due:
            _cut_off(dead=virtual.held)
        else:
            virtual.advance(min(due) - virtual.now)


class Library:
    """What the world's calls need of trio."""

    def __init__(self, world: World) -> None:
        self._world = world

    def others_ready(self) -> bool:
        """Whether another task could go on now."""
        runner = getattr(_run.GLOBAL_RUN_CONTEXT, "runner", None)
        return runner is not None and any(task._next_send_fn for task in runner.tasks)

    def arrive(self, body: Coroutine[Any, Any, Any]) -> None:
        """Carry out a late request whose tool is async: in the run, or after it."""

        async def arrives() -> None:
            with trio.CancelScope(shield=True):  # the backend lives longer than the agent
                await body

        if trio.lowlevel.in_trio_run():
            with suppress(RuntimeError):
                trio.lowlevel.spawn_system_task(arrives)
                return
        trio.run(arrives, clock=VirtualClock(self._world.clock))


class InOrder(random.Random):
    """trio shuffles the tasks that can go on, and takes the last one first."""

    def shuffle(self, x: Any) -> None:
        if active_clock() is None:
            super().shuffle(x)
        else:
            x.reverse()


def _in_order() -> None:
    """Switch on what trio has for Hypothesis: tasks are sorted by age before they are shuffled."""
    scheduler: Any = _run
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True
    if not isinstance(scheduler._r, InOrder):
        scheduler._r = InOrder()


def _cut_off(*, dead: bool) -> None:
    """End the tasks of the run where they wait, as trio does for a KeyboardInterrupt: the main
    one, and those that go on waiting when it has ended, or the process is dead."""

    def ended() -> NoReturn:
        raise Crash if dead else CutOff("hung", "every task waits and no timer is set")

    main: Any = _run.GLOBAL_RUN_CONTEXT.runner.main_task
    waiting = [task for task in _below(main) if task._abort_func is not None]
    if not waiting:
        ended()
    for task in waiting if dead or main not in waiting else [main]:
        if task._abort_func is not None:  # an end may have ended others
            task._attempt_abort(ended)


def _below(task: Any) -> list[Any]:
    """A task and its children, the oldest first."""
    children = [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    found = [task]
    for child in sorted(children, key=lambda child: child._counter):
        found += _below(child)
    return found
