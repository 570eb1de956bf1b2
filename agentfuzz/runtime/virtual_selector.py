"""What an event loop in virtual time waits with.

Law: waiting moves the clock instead of the world, except where somebody in real time has something
to say first: a partner, a process of the loop's, a server that has been asked. Made by the loop.
"""

import os
import selectors
import socket
import stat
import threading
from typing import Any

from agentfuzz.core.errors import Crash, CutOff
from agentfuzz.runtime.children import Children
from agentfuzz.runtime.clock import Clock, Real
from agentfuzz.runtime.connections import Connections
from agentfuzz.runtime.outstanding import Outstanding, patience

PATIENCE = 10_000  # turns of a loop in one instant; more than tasks take that get anything done
MOMENT = 0.01  # virtual seconds that a turn takes beyond that
GRACE = 2.0  # real seconds that foreign threads get before the loop is called hung
WORKS = 0.8  # of what a run has between two crossings, for a process that works on and on
LOOK = 0.05  # real seconds between two looks at partners that owe something
SETTLE = 0.002  # real seconds in which bytes get from one socket to the other


class VirtualSelector(selectors.DefaultSelector):
    """A selector whose waiting moves the clock instead of the world."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._known = set(threading.enumerate())  # who was there before: perhaps ending
        self.polls = 0  # turns of the loop since it last waited, or a leg began
        self.children = Children()
        self.outstanding = Outstanding()
        self.connections = Connections()
        self.waker = -1  # the file by which its loop is woken
        self.since: float | None = None  # where the real clock was at second 0, of a real loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = self._found(0)
        if found:
            return found
        if timeout is not None and timeout <= 0:
            self.polls += 1
            return self._polled() if self.polls > PATIENCE else found
        self.polls = 0
        if self.since is not None or not self._clock.mine():  # a thread that is no part of the run
            return self._really(timeout)
        if self._clock.real:
            return self._beside_others(timeout)
        gate, ready = self._clock.gate, super().select
        if gate is not None and gate.holds():
            try:
                gate.until(lambda: bool(ready(0)), timeout, self._answers)
            except Crash:
                if not gate.freed():
                    raise
                return self._really(timeout)
            return ready(0)
        if gate is not None and gate.step():
            return ready(0)
        if found := self._answers():
            return found
        if gate is not None and (gate.answered() or gate.step()):
            return ready(0)
        if gate is not None and gate.loose() and gate.stir(lambda: bool(ready(0))):
            return ready(0)
        if self._others():
            found = super().select(0.02)
            if found:
                return found
        due = self._clock.next_due
        wakes = None if gate is None else gate.next_deadline()
        if wakes is not None:
            due = wakes if due is None else min(due, wakes)
        if due is not None:
            until = max(due - self._clock.now, 0.0)
            timeout = until if timeout is None else min(timeout, until)
        if timeout is None:
            return self._stuck()
        self._clock.advance(max(timeout, 1e-6))
        return []

    def _really(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait in real time. A loop that has begun to stays in it: a library keeps it, in a thread
        of its own, and its timers come whether a run is under way or not."""
        if self.since is None:
            self.since = Real.monotonic() - self._clock.now
        return super().select(timeout)

    def _found(self, timeout: float) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready within so many real seconds."""
        found = super().select(timeout)
        if found and self.connections:
            for key, events in found:
                if events & selectors.EVENT_READ:
                    self.connections.heard(key.fd)
        return found

    def _polled(self) -> list[tuple[selectors.SelectorKey, int]]:
        """Something is ready, again and again. Tasks that do nothing but yield wait for time to
        pass: it does, unless a server owes them something."""
        clock = self._clock
        if not clock.mine():
            return []
        if found := self._brought():
            self.polls = 0
        else:
            clock.advance(MOMENT)
        return found

    def _beside_others(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Partners live in real time. Waiting for them takes no virtual time, however long they
        need; a timer comes when they owe nothing, or are later than it is far away."""
        clock = self._clock
        if timeout is None:
            return self._for_good()
        until = Real.monotonic() + timeout
        while (left := until - Real.monotonic()) > 0:
            owed = self._owed()
            found = super().select(min(left, LOOK if owed else SETTLE))
            if found:  # or a partner may have said its last word
                return found
            if not owed and not self._owed():
                break
        found = super().select(0)
        if not found:
            clock.advance(timeout)
        return found

    def _for_good(self) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait until somebody says something, in slices: between two of them a run that takes too
        long can be interrupted, also where there is no timer."""
        while not (found := super().select(LOOK)):
            pass
        return found

    def _owed(self) -> bool:
        """Whether something may still come: from a partner, from a thread that nobody holds, or
        over a connection to somebody else."""
        clock = self._clock
        if self.outside():
            return True
        own = [partner.thread for partner in clock.partners]
        foreign = () if clock.gate is None else clock.gate.foreign
        if any(thread.is_alive() and thread not in own for thread in foreign):
            return True
        return any(partner.owes() for partner in clock.partners)

    def _answers(self) -> list[tuple[selectors.SelectorKey, int]]:
        """What servers that were asked, and processes, have to say before the clock moves."""
        select = self._found
        if self.outstanding and self.outside() and (found := self.outstanding.answer(select)):
            return found
        if found := self._brought():
            return found
        return self.children.answer(select, patience(WORKS)) if self.children else []

    def _brought(self) -> list[tuple[selectors.SelectorKey, int]]:
        """What servers that were sent something answer."""
        clock = self._clock
        if not self.connections or clock.real:
            return []
        return self.connections.answer(self._found, self.get_map(), clock.gate)

    def outside(self) -> bool:
        """Whether there is a pipe or a connection to somebody else."""
        ours: set[int | None] = {partner.port for partner in self._clock.partners}
        others = (fd for fd in list(self.get_map()) if fd != self.waker)
        return any(not ours or _port(fd) not in ours for fd in others)

    def _others(self) -> bool:
        """Whether threads run that nobody holds."""
        gate = self._clock.gate
        idle = self._known.union(() if gate is None else gate.pooled)
        return any(thread not in idle for thread in threading.enumerate())

    def _stuck(self) -> list[tuple[selectors.SelectorKey, int]]:
        gate, deadline = self._clock.gate, Real.monotonic() + GRACE
        others = True
        while others and Real.monotonic() < deadline:
            others = bool(self._others() or self.children or (gate is not None and gate.loose()))
            found = super().select(0.05 if others else 0)
            if found or (gate is not None and gate.step()):  # who is none any more has come back
                return found
        asked = (*self.outstanding.unanswered(), *self.connections.unanswered(self.get_map()))
        whose = dict.fromkeys((*self._clock.waiting, *asked))
        raise CutOff("hung", "; ".join(("every task waits and no timer is set", *whose)))


def _port(fd: Any) -> int | None:
    """The port at the other end of a connection, None for what is none."""
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            return None
        with socket.socket(fileno=os.dup(fd)) as connection:
            return int(connection.getpeername()[1])
    except (OSError, IndexError, ValueError, TypeError):
        return None
