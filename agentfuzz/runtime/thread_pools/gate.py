"""The gate: the threads of an agent's pools, one at a time, in an order that the injector decides.

Law: of all threads of a run one has the turn, and only that one runs. Handing work to a
`ThreadPoolExecutor` gives it the turn until the work is done or waits: for a time, for another
thread, or because a schedule fault made it wait at a crossing of the world. Who waits longest goes
on first, once the agent itself waits; when nobody can go on, the clock jumps to the next timer.
What does not keep to this is noted as an escape. Installed by the simulation; without a pool
nothing of it runs.

Work runs on the pool's own threads, so `threading.local` and `current_thread` are right.

How the waits of `threading` and `queue` come here, and which do not, says `patches`.
"""

import sys
import threading
from _thread import get_ident
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from agentfuzz.core.errors import Crash, CutOff
from agentfuzz.runtime import unheard
from agentfuzz.runtime.clock import FOREVER
from agentfuzz.runtime.thread_pools.idle import settled
from agentfuzz.runtime.thread_pools.scheduler import GRACE, Scheduler
from agentfuzz.runtime.thread_pools.work_item import (
    LOOSE,
    READY,
    RUNNING,
    SLICE,
    WAITING,
    Own,
    Work,
    here,
    interrupt,
)

LINGER = 600.0  # virtual seconds that a thread of its own lives on after the agent's answer
TICK = 1e-6  # virtual seconds that a wait takes at least: a loop that polls gets on
FOREIGN: Any = object()


class Gate(Scheduler):
    """The threads of one simulation, from one run to the next."""

    # The run ------------------------------------------------------------------------------

    def begin(self, calls: Any) -> None:
        """A run begins on this thread. `calls` are the world's, whose lock is held in each."""
        self._calls = calls
        self.idents = {get_ident(): None}
        self.futures = 0
        self.hears = threading.excepthook

    def finish(self, *, own: bool = True) -> None:
        """The agent has answered: what it left in its pools goes on to its end, and its `own`
        threads that are no daemons for a while."""
        limit = self.clock.now + LINGER
        while not self.clock.held:
            left = [
                work for work in self.alive if work.own is None or (own and not work.own.daemon)
            ]
            if not left:
                break
            if self.step():
                continue
            due = [
                work.deadline
                for work in left
                if work.deadline is not None and (work.own is None or work.deadline <= limit)
            ]
            if not due:
                break
            self.clock.advance(min(due) - self.clock.now)

    def end(self) -> None:
        """The run is over: whatever still waits learns that its process is dead."""
        if self.clock.gate is not None:
            self.kill()
            self._noted = set()
            self.foreign = [thread for thread in self.foreign if thread.is_alive()]
            self.pooled = [thread for thread in self.pooled if thread.is_alive()]
            self.out_of_reach = [one for one in self.out_of_reach if one.is_alive()]
            self.clock.gate = self if self.foreign else None
        self.idents = {}

    def kill(self) -> None:
        """The process is dead: whatever still waits in its pools learns of it."""
        for work in list(self.alive):
            work.doomed = True
            with self._guard:
                loose = work.state is LOOSE
                waits, work.state = work.state in (READY, WAITING), RUNNING
            if waits:
                work.go.release()
            elif work.thread in sys._current_frames():  # it spins, or blocks
                interrupt(work.thread)
            if loose and work.own is not None:
                self.out_of_reach.append(work.own)  # it blocks, and learns of it when it goes on
                continue
            if work.future is None or not work.future.cancelled():
                self.leave(work)
        self.alive, self.ready = [], []

    # What an agent does -------------------------------------------------------------------

    def submit(
        self,
        real: Callable[..., Future[Any]],
        pool: ThreadPoolExecutor,
        fn: Callable[..., Any],
        *args: Any,
        **kwargs: Any,
    ) -> "Future[Any]":
        """Hand work to a pool, and let it run until it is done or waits."""
        busy = self.busy(pool)
        settled(pool, busy)
        queued = busy >= pool._max_workers
        work = Work(self, pool, unheard.named(fn, args), queued=queued)
        unheard.made(work)
        self.alive.append(work)
        self.clock.gate = self
        ident = get_ident()
        me = self.idents.pop(ident)  # starting a thread waits really
        here.submitting = True
        try:
            work.future = real(pool, work, fn, *args, **kwargs)
        except BaseException:
            self.alive.remove(work)
            raise
        finally:
            here.submitting = False
            self.idents[ident] = me
        if queued:
            self.ready.append(work)
        else:
            self._await(work)
        return work.future

    def adopt(self, real: Callable[[threading.Thread], None], thread: threading.Thread) -> None:
        """Start a thread of the agent's, and let it run until it is over or waits."""
        work = Own(self, thread)
        unheard.made(work)
        self.alive.append(work)
        self.pooled.append(thread)
        self.clock.gate = self
        ident = get_ident()
        me = self.idents.pop(ident)
        try:
            real(thread)
        except BaseException:
            work.gives_back()
            self.alive.remove(work)
            self.pooled.remove(thread)
            raise
        finally:
            self.idents[ident] = me
        self._await(work)

    def until(
        self,
        true: Callable[[], bool],
        seconds: float | None = None,
        asks: Callable[[], object] | None = None,
    ) -> bool:
        """Wait until something is true, or for so many virtual seconds. Others go on meanwhile.
        `asks` gives somebody in real time the time to answer, before the clock moves. Raises
        CutOff when nothing can ever happen again."""
        me = self.idents[get_ident()]
        end = None if seconds is None else self.clock.now + max(seconds, TICK)
        if true():
            return True
        if me is not None:
            me.until, me.deadline, me.asks = true, end, asks
            self._hand_back(me, WAITING)
            return true()
        rests = 0  # how often the others were seen to be at rest: who is kept waiting sees less
        while True:
            others = self.others()  # asked first: who is none any more has done something for us
            if true():
                return True
            if self.step():
                continue
            now = self.clock.now
            if end is not None and now >= end:
                return False
            if self.clock.held:
                raise Crash
            if self.answered() or (others and (self.stir(true) or true())):
                rests = 0
                continue
            due = [at for at in (self.clock.next_due, self.next_deadline(), end) if at is not None]
            if due:
                self.clock.advance(min(due) - now)
            elif not others or (rests := rests + 1) * 2 * SLICE > GRACE:
                cut = sys.exception()  # already on its way out, if there is one
                why = ("hung", "every thread waits and no timer is set")
                raise cut if isinstance(cut, CutOff) else CutOff(*why)

    def sleep(self, seconds: float) -> None:
        """Virtual seconds pass for this thread; whatever else can go on goes first."""
        me = self.idents.get(get_ident(), FOREIGN)
        if me is FOREIGN:
            self.clock.advance(seconds)
        elif seconds > 0:
            self.until(bool, seconds)
        else:
            self.let_others(me)

    def let_others(self, me: Work | None) -> None:
        """Everything else that can go on goes first."""
        if me is not None:
            self._hand_back(me, READY)
            return
        while self.step():
            pass

    def waits(self, seconds: float, preempted: bool) -> bool:
        """A crossing waits. False when it does so in no order of ours, or for ever."""
        me = self.idents.get(get_ident(), FOREIGN)
        if me is FOREIGN or (me is None and seconds == FOREVER):
            return False
        if preempted:
            self.let_others(me)
        elif seconds == FOREVER:
            self.until(bool)
        else:
            self.sleep(seconds)
        return True

    def enter(self) -> None:
        """A crossing: work that was let go waits for its turn, a foreign thread is noted."""
        me = self.idents.get(get_ident(), FOREIGN)
        if me is FOREIGN:
            name = threading.current_thread().name
            self.clock.guests.add(get_ident())
            self.note(f"a call by the thread {name!r}, which no pool started, is not ordered")
        elif me is not None:
            me.alive()
            if me.state is LOOSE:
                self._hand_back(me, READY)

    def holds(self) -> bool:
        """Whether this thread does work of a pool."""
        return self.idents.get(get_ident()) is not None

    def freed(self) -> bool:
        """Whether this thread, whose run is over, may live on in real time: as a daemon, with an
        event loop of its own, which others in this process may know."""
        me = self.idents.get(get_ident())
        if me is None or me.own is None or not me.own.daemon:
            return False
        self.foreign.append(me.own)
        self.done(me)
        return True

    def others_ready(self) -> bool:
        """Whether another thread of the run could go on now."""
        me = self.idents.get(get_ident(), FOREIGN)
        return me is not FOREIGN and (me is not None or bool(self.ready))
