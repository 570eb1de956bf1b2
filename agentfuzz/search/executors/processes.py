"""The executor of several processes on this machine.

Law: what is asked for next is run first, and no more is run ahead than is soon asked for. A child
that dies is replaced; the plan that it was running is given up when another dies of it, too. A run
that a child cannot give (it raised, or cannot be pickled) is made where it is asked for. Made by
the campaign, for agents whose runs cost milliseconds.
"""

import errno
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.executors.child import READY, Child, Start, heard, loaded
from agentfuzz.search.executors.executor import Died
from agentfuzz.search.outcome import Outcome

CHUNK = 8  # plans that a child is sent at a time; of two such chunks it has one waiting
LONG = 0.1  # real seconds of a run: from then on a plan is sent alone
NO_ROOM = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
NOTHING = FaultPlan()
AHEAD = 64  # runs per child that nobody has asked for yet, at most


class Processes:
    """So many children, begun when something is expected for the first time, on a `cluster` if
    that is said. `trouble` says why there are none, if they could not be begun. Where they are no
    forks, each makes the run without faults first, of which `otherwise` says how it differs from
    the one here: then they are of no use."""

    def __init__(
        self,
        workers: int,
        start: Start,
        cluster: str = "",
        otherwise: Callable[[Outcome | None], str] | None = None,
    ) -> None:
        self.trouble = ""
        self._otherwise = otherwise
        self._workers = workers
        self._start = start
        self._cluster = cluster
        self._chunk = CHUNK
        self._children: list[Child] = []
        self._queue: deque[FaultPlan] = deque()  # expected, and not sent
        self._known: set[FaultPlan] = set()  # expected, and not asked for
        self._taped: set[FaultPlan] = set()  # of these
        self._cannot: set[FaultPlan] = set()  # be run by a child
        self._fatal: set[FaultPlan] = set()  # under which a child died once
        self._done: dict[FaultPlan, Outcome | Died | None] = {}

    # What the campaign asks ---------------------------------------------------------------

    def expect(self, plans: Iterable[FaultPlan]) -> None:
        """These come next, before what was expected earlier."""
        self._queue.extendleft(reversed(self._new(plans)))
        self._begin()

    expect_again = expect

    def expect_last(self, plans: Iterable[FaultPlan], *, taped: bool = False) -> None:
        """These come after what was expected earlier, and are `taped` for a memo."""
        new = self._new(plans)
        self._queue.extend(new)
        if taped:
            self._taped.update(new)
        self._begin()

    def _new(self, plans: Iterable[FaultPlan]) -> list[FaultPlan]:
        if self.trouble:
            return []
        known, cannot = self._known, self._cannot
        new = [one for one in dict.fromkeys(plans) if one not in known and one not in cannot]
        self._known.update(new)
        return new

    def _begin(self) -> None:
        if self.trouble:
            return
        while len(self._children) < self._workers:
            if not self._another(len(self._children)):
                return
        self._feed()

    def _another(self, place: int) -> bool:
        """Begin a child; whether the system had room for one. If not, there are none."""
        try:
            child = self._start(self._children)
        except OSError as error:
            cure = "; see ulimit -a" * (error.errno in NO_ROOM)
            self.give_up(f"another could not be begun ({error.strerror}{cure})")
            return False
        self._children.insert(place, child)
        if self._otherwise is not None:
            child.send([(NOTHING, False)])
        return True

    def look(self, plan: FaultPlan, *, wait: bool = True) -> Outcome | None:
        """The run of a plan that will be asked for, waited for if a child makes it, and `wait`."""
        if not wait:
            self.hear()
        found = self._done[plan] if plan in self._done or (wait and self._made(plan)) else None
        return None if isinstance(found, Died) else found

    def _made(self, plan: FaultPlan) -> bool:
        """Whether a child makes, or has made, the run of a plan: it is waited for."""
        if plan not in self._known:
            return False
        while plan not in self._done:
            if not any(plan in child.busy for child in self._children):  # or one has died of it
                self._queue.remove(plan)
                self._send(self._idlest(), [plan])
            self._receive()
            if self.trouble:
                return False
        return True

    def take(self, plan: FaultPlan) -> Outcome | None:
        """The run of a plan, waited for if a child makes it. Raises Died."""
        if not self._made(plan):
            return None
        self._known.discard(plan)
        self._taped.discard(plan)
        found = self._done.pop(plan)
        self._feed()
        if isinstance(found, Died):
            raise found
        if found is None:
            self._cannot.add(plan)
        return found

    def hear(self) -> None:
        """Take in what is made already: a child waits for that before it goes on."""
        while not self.trouble and self._receive(wait=False):
            pass
        self._feed()

    def give_up(self, why: str) -> None:
        """No children any more."""
        self.close()
        self.trouble = why

    def close(self) -> None:
        """End the children: they hold nothing that is to be kept."""
        children, self._children = self._children, []
        try:
            for child in children:
                child.end()
        finally:
            for child in children:  # those that a Ctrl-C has kept from it, too
                child.kill()
            for child in children:  # they go side by side
                child.ended()
        for kept in (self._queue, self._known, self._taped, self._done):
            kept.clear()

    # What the children do -----------------------------------------------------------------

    def _idlest(self) -> Child:
        return min(self._children, key=lambda child: len(child.busy))

    def _feed(self) -> None:
        """Give the children more, unless they have enough, or are too far ahead."""
        while self._queue:
            under_way = sum(len(child.busy) for child in self._children)
            child = self._idlest()
            if (
                len(child.busy) > self._chunk
                or len(self._done) + under_way >= AHEAD * self._workers
            ):
                return
            share = max(len(self._queue) // self._workers, 1)  # the last ones are shared out
            chunk = list(islice(self._queue, min(share, self._chunk)))
            for _ in chunk:
                self._queue.popleft()
            self._send(child, chunk)

    def _send(self, child: Child, chunk: list[FaultPlan]) -> None:
        child.send([(plan, plan in self._taped) for plan in chunk])

    def _receive(self, *, wait: bool = True) -> int:
        """Take in what the children have made, and who has died of it; `wait` until there is
        anything. How many there were."""
        working = [child for child in self._children if child.busy]
        found = heard(working, wait=wait)
        for child in found:
            if child not in self._children:  # another did not begin: all have ended
                continue
            try:
                said = child.answers.recv_bytes()
            except (EOFError, OSError):  # perhaps in the middle of an answer
                self._replace(child)
                continue
            if not child.ready:
                self._begun(child, said)
                continue
            plan = child.busy.popleft()
            self._fatal.discard(plan)
            self._done[plan] = made = loaded(said)
            if isinstance(made, Outcome) and made.seconds > LONG:
                self._chunk = CHUNK if self._cluster else 1  # what is urgent waits for few
        return len(found)

    def _begun(self, child: Child, said: bytes) -> None:
        """What a child says before its runs count: that it has begun, or why not; then how it
        comes out."""
        word: object = None if child.begun else loaded(said)
        if type(word) is str and word != READY:
            self.give_up(f"another did not begin ({word})")
            return
        child.ready = child.begun or self._otherwise is None
        if child.begun and self._otherwise is not None:
            child.busy.popleft()
            if how := self._otherwise(loaded(said)):
                self.give_up(how)
        child.begun = True

    def _replace(self, child: Child) -> None:
        """A child is gone: perhaps killed from outside, so that its plan has a second chance."""
        plan, how = child.busy[0], child.ended()
        place = self._children.index(child)
        del self._children[place]
        if not child.ready:
            cluster = f"; is a scheduler at {self._cluster}, and have its workers this folder?"
            self.give_up(f"another did not begin ({how}){cluster * bool(self._cluster)}")
            return
        if plan in self._fatal and not child.idle:
            self._done[plan] = Died(plan, how)
            child.busy.popleft()
        if not child.idle:
            self._fatal.add(plan)
        self._queue.extendleft(reversed(child.busy))
        if self._another(place):
            self._feed()
