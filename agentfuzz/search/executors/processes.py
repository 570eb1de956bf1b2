"""The executor of several processes on this machine: children that were forked inside of the
simulation, each with the scenario, the agent and the fault-free run as they are.

Law: what is asked for next is run first, and no more is run ahead than is soon asked for. A child
that dies is replaced; the plan that it was running is given up when another dies of it, too. A run
that a child cannot give (it raised, or cannot be pickled) is made where it is asked for. Made by
the campaign, for agents whose runs cost milliseconds.

Forked, not spawned: scenarios and agents are closures.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.reduction import ForkingPickler

from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.executors.executor import Died
from agentfuzz.search.outcome import Outcome

CHUNK = 8  # plans that a child is sent at a time; of two such chunks it has one waiting
AHEAD = 64  # runs per child that nobody has asked for yet, at most

Run = Callable[[FaultPlan], Outcome]


class _Child:
    """A process that runs plans: `busy` are those that it was sent and has not answered."""

    def __init__(self, pid: int, to: Connection, answers: Connection) -> None:
        self.pid = pid
        self.to = to
        self.answers = answers
        self.busy: deque[FaultPlan] = deque()

    def ended(self) -> str:
        """It is gone: how it ended, in words."""
        self.to.close()
        self.answers.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


class Processes:
    """So many children, forked when something is expected for the first time. `run` makes one run
    in a child, `adopt` is called there first."""

    def __init__(self, workers: int, run: Run, adopt: Callable[[], object]) -> None:
        self._workers = workers
        self._run = run
        self._adopt = adopt
        self._children: list[_Child] = []
        self._queue: deque[FaultPlan] = deque()  # expected, and not sent
        self._known: set[FaultPlan] = set()  # expected, and not asked for
        self._fatal: set[FaultPlan] = set()  # under which a child died once
        self._done: dict[FaultPlan, Outcome | Died | None] = {}

    # What the campaign asks ---------------------------------------------------------------

    def expect(self, plans: Iterable[FaultPlan]) -> None:
        """These come next, before what was expected earlier."""
        new = [plan for plan in plans if plan not in self._known]
        self._known.update(new)
        self._queue.extendleft(reversed(new))
        while len(self._children) < self._workers:
            self._children.append(self._forked())
        self._feed()

    def take(self, plan: FaultPlan) -> Outcome | None:
        """The run of a plan, waited for if a child makes it. Raises Died."""
        if plan not in self._known:
            return None
        if plan not in self._done and not any(plan in child.busy for child in self._children):
            self._queue.remove(plan)
            self._send(self._idlest(), [plan])
        while plan not in self._done:
            self._receive()
        self._known.discard(plan)
        found = self._done.pop(plan)
        self._feed()
        if isinstance(found, Died):
            raise found
        return found

    def close(self) -> None:
        """End the children: they hold nothing that is to be kept."""
        for child in self._children:
            child.ended()
        self._children = []
        for kept in (self._queue, self._known, self._done):
            kept.clear()

    # What the children do -----------------------------------------------------------------

    def _idlest(self) -> _Child:
        return min(self._children, key=lambda child: len(child.busy))

    def _feed(self) -> None:
        """Give the children more, unless they have enough, or are too far ahead."""
        while self._queue:
            under_way = sum(len(child.busy) for child in self._children)
            child = self._idlest()
            if len(child.busy) > CHUNK or len(self._done) + under_way >= AHEAD * self._workers:
                return
            chunk = list(islice(self._queue, CHUNK))
            for _ in chunk:
                self._queue.popleft()
            self._send(child, chunk)

    def _send(self, child: _Child, plans: list[FaultPlan]) -> None:
        child.busy.extend(plans)
        with suppress(BrokenPipeError):  # it has died: what it says last is read first
            child.to.send(plans)

    def _receive(self) -> None:
        """Wait until a child has made a run, or has died of it."""
        working = [child for child in self._children if child.busy]
        ready = wait([child.answers for child in working])
        for place, child in enumerate(self._children):
            if child.answers in ready:
                try:
                    found = child.answers.recv()
                except EOFError:
                    self._replace(place, child)
                else:
                    self._done[child.busy.popleft()] = found

    def _replace(self, place: int, child: _Child) -> None:
        """A child is gone: perhaps killed from outside, so that its plan has a second chance."""
        plan, how = child.busy[0], child.ended()
        if plan in self._fatal:
            self._done[plan] = Died(plan, how)
            child.busy.popleft()
        self._fatal.add(plan)
        self._queue.extendleft(reversed(child.busy))
        self._children[place] = self._forked()
        self._feed()

    def _forked(self) -> _Child:
        (plans, to), (answers, back) = Pipe(duplex=False), Pipe(duplex=False)
        pid = os.fork()
        if pid:
            plans.close()
            back.close()
            return _Child(pid, to, answers)
        try:
            to.close()
            answers.close()
            for other in self._children:
                other.to.close()
                other.answers.close()
            self._adopt()
            self._serve(plans, back)
        finally:
            os._exit(0)

    def _serve(self, plans: Connection, back: Connection) -> None:
        """In a child: run what comes, until nothing comes any more."""
        while True:
            for plan in plans.recv():
                try:
                    found = ForkingPickler.dumps(self._run(plan))
                except Exception:
                    found = ForkingPickler.dumps(None)  # it is made where it is asked for
                back.send_bytes(found)
