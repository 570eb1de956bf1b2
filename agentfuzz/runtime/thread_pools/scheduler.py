"""Turns: of all threads of a run, the one whose turn it is runs.

Law: a turn is handed over and never shared. Work gives it back when it is done or waits; whoever
let it go on waits until then. Work that blocks where nobody can see it is let go without the turn
after a moment of real time, and gets it back when it comes to a crossing. Held by the gate
(`agentfuzz.runtime.thread_pools.gate`).
"""

import threading
from _thread import allocate_lock, get_ident
from collections.abc import Callable
from typing import Any

from agentfuzz.runtime import leaks, servers
from agentfuzz.runtime.clock import Clock, Real
from agentfuzz.runtime.outstanding import patience as answer_patience
from agentfuzz.runtime.thread_pools import idle
from agentfuzz.runtime.thread_pools.hearing import hears
from agentfuzz.runtime.thread_pools.work_item import (
    DONE,
    LOOSE,
    READY,
    RUNNING,
    SLICE,
    WAITING,
    Work,
    asleep,
)

PATIENCE = 0.25  # real seconds of looks at work that blocks while nobody else could free it
BRIEFLY = 0.05  # the same of a thread of its own: whoever started it can go on, too
DEAF = 100  # looks at work that goes on though its process is dead
GRACE = 2.0  # real seconds that foreign threads get before a wait without end is called hung


class Scheduler:
    """Who has the turn of a simulation, and who waits for it. `idents` are the threads of the run:
    its main one (None), and those that do its work."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.idents: dict[int, Work | None] = {}
        self.alive: list[Work] = []
        self.ready: list[Work] = []
        self.foreign: list[threading.Thread] = []
        self.pooled: list[threading.Thread] = []
        self.out_of_reach: list[threading.Thread] = []  # of a process that is dead
        self.futures = 0
        self.hears: object = None  # the hook for the death of threads, as a run found it
        self._noted: set[str] = set()
        self._guard = allocate_lock()
        self._calls: Any = None  # the world's: whoever waits does not hold their lock

    def step(self) -> bool:
        """Let the next one go on that can, to its end or until it waits. False: nobody can."""
        self._wake()
        for work in self.ready:
            if work.future is not None and work.future.cancelled():
                self.ready.remove(work)
                self.alive.remove(work)
                return True
            if work.can_start():
                self.ready.remove(work)
                work.state = RUNNING
                work.go.release()
                self._await(work)
                return True
        return False

    def _wake(self) -> None:
        """Those whose wait is over are ready: in the order of their time."""
        now = self.clock.now
        over = [work for work in self.alive if work.state is WAITING and work.is_over()]
        for work in sorted(over, key=lambda work: work.deadline or now):
            work.state = READY
            self.ready.append(work)

    def answered(self) -> bool:
        """Whether one can go on because somebody in real time, whom it waits for, has answered."""
        waits = [work for work in self.alive if work.state is WAITING and work.asks is not None]
        return any(work.asks is not None and work.asks() for work in waits)

    def next_deadline(self) -> float | None:
        """When the first one wakes that waits for a time."""
        found = [w.deadline for w in self.alive if w.state is WAITING and w.deadline is not None]
        return min(found, default=None)

    def _hand_back(self, me: Work, state: str) -> None:
        """Give the turn back to whoever let this work go on, and wait for it."""
        me.alive()
        saved = self._let_go()
        with self._guard:
            if state is READY:
                self.ready.append(me)
            before, me.state = me.state, state
            if before is not LOOSE:
                me.back.release()
        me.go.acquire()
        self._take(saved)
        me.alive()

    def _let_go(self) -> Any:
        """Whoever waits in the midst of a call leaves the world to others."""
        lock = self._calls.lock
        return lock._release_save() if lock._is_owned() else None

    def _take(self, saved: Any) -> None:
        if saved is not None:
            self._calls.lock._acquire_restore(saved)

    def done(self, work: Work) -> None:
        """The work is done, and its future says so."""
        with self._guard:
            if work in self.alive:
                self.alive.remove(work)
            before, work.state = work.state, DONE
            self.idents.pop(work.thread, None)
            self.clock.threads.discard(work.thread)
        if before is not LOOSE:
            work.back.release()

    def _await(self, work: Work) -> None:
        """Wait until work gives the turn back. Work that blocks is let go."""
        saved, me = self._let_go(), self.idents.get(get_ident())
        if me is not None:
            me.hands_on = True
        try:
            if not work.back.acquire(True, SLICE):
                self._look_after(work)
            if work.own is not None and work.state is DONE and work.own not in self.foreign:
                idle.ended(work.own)
        except BaseException:  # the watchdog's: nobody waits for this work any more
            self._let_loose(work)
            raise
        finally:
            if me is not None:
                me.hands_on = False
            self._take(saved)

    def _let_loose(self, work: Work) -> bool:
        """Let work go on without the turn, unless it has given it back."""
        with self._guard:
            if work.back.acquire(False):
                return False
            work.state = LOOSE
            return True

    def _look_after(self, work: Work) -> None:
        """Look at work that does not come back. How often it was seen to be at rest counts, not
        for how long: on a busy machine whoever looks is kept waiting as well."""
        seen: tuple[object, ...] | None = None
        rests = 0
        since, longest = Real.monotonic(), answer_patience()
        while not work.back.acquire(True, SLICE):
            before, seen = seen, self._sight(work)
            if seen is None or seen != before:
                since, rests = Real.monotonic(), 0
                continue
            listens = work.own is not None and work.own.daemon
            waited = Real.monotonic() - since
            if waited < longest and (servers.under_way() or hears(work.thread, listens=listens)):
                continue
            rests += 1
            helped = any(other.state in (READY, WAITING) for other in self.alive)
            patience = PATIENCE if work.own is None else BRIEFLY
            if helped or rests * SLICE > patience:
                if self._let_loose(work) and not helped:
                    where = "in a pool" if work.own is None else "in a thread"
                    self.note(f"{work.called} waits {where} for what the gate cannot see")
                return

    def leave(self, work: Work) -> None:
        """Wait until work that learns that its process is dead has ended, as long as it runs, or
        could; it may be deaf to that, and spin."""
        seen: tuple[object, ...] | None = None
        rests = looks = 0
        while not work.back.acquire(True, SLICE):
            before, seen = seen, (work,) if work.hands_on else self._sight(work)
            rests = rests + 1 if seen is not None and seen == before else 0
            looks += 1
            if rests * SLICE > PATIENCE or looks >= DEAF:
                return

    def _sight(self, work: Work) -> tuple[object, ...] | None:
        """What `asleep` says of the thread that does work, of all threads of its pool while none
        has taken it up, and of those that have no work: it may wait for one to begin or to end."""
        if work.hands_on:
            return None  # it looks after other work
        if work.own is not None:
            found = [asleep(work.own.ident or 0, work.own.native_id or 0, naps=work.own.daemon)]
        elif work.thread:
            found = [asleep(work.thread, work.native, naps=False)]
        else:
            assert work.pool is not None, "work has a pool or a thread of its own"
            threads = [(one.ident or 0, one.native_id or 0) for one in work.pool._threads]
            found = [asleep(*one, naps=False) for one in threads]
        left = [one for one in self.pooled if one.ident not in self.idents]
        rest = None if None in found else idle.at_rest(left)
        return None if rest is None else (*found, *rest)

    def own(self, thread: threading.Thread) -> Work | None:
        """What a thread of its own does, as long as it does."""
        return next((work for work in self.alive if work.own is thread), None)

    def busy(self, pool: Any) -> int:
        """How many threads of a pool have work."""
        return sum(work.pool is pool and not work.queued for work in self.alive)

    # What is not controlled ---------------------------------------------------------------

    def loose(self) -> bool:
        """Whether work goes on without the turn."""
        return any(work.state is LOOSE for work in self.alive)

    def others(self) -> bool:
        """Whether threads run that the gate does not hold."""
        return self.loose() or any(thread.is_alive() for thread in self.foreign)

    def stir(self, true: Callable[[], bool]) -> bool:
        """Give threads without the turn real time, until they have done something for us, or all
        are asleep. Whether they may do more: our work, if it ever does anything; a thread of other
        people's, which may beat for ever, only if it runs, or waits for a disk."""
        limit, before, moves = Real.monotonic() + GRACE, None, True
        while Real.monotonic() < limit:
            if true() or self.ready:
                return True
            Real.sleep(SLICE)
            loose = [work for work in self.alive if work.state is LOOSE]
            theirs = [(t.ident or 0, t.native_id or 0) for t in self.foreign if t.is_alive()]
            ours = [asleep(work.thread, work.native, naps=False) for work in loose]
            seen = [*ours, *(asleep(*thread) for thread in theirs)]
            if None not in seen and seen == before:
                return False
            moves = None in seen or any(one not in (before or ()) for one in ours)
            before = seen
        return moves

    def note(self, detail: str) -> None:
        """Report what is not controlled, once in a run."""
        if detail not in self._noted:
            self._noted.add(detail)
            leaks.note("thread", detail)
