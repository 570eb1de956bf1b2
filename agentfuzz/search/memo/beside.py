"""The memo beside other processes: what it knows is made here, what it does not know is made there.

Law: what is answered and what is sent depends on the plans and their order alone, not on how many
processes there are, nor on how fast they are. A plan that would be sent for what another one is
about to show waits for that one. It stands before the executor of several processes, in its place.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.executors.processes import Processes
from agentfuzz.search.memo.memo import Memo
from agentfuzz.search.memo.taping import read
from agentfuzz.search.memo.walker import Place
from agentfuzz.search.outcome import Outcome

AHEAD = 128  # plans that are looked at and not asked for yet, at most
HEARD = 8  # plans that are looked at, until what the processes have made is taken in


class Beside:
    """`answer` makes the run of a plan without the agent, if that is possible. `trouble` is that of
    the processes."""

    def __init__(
        self, others: Processes, memo: Memo, answer: Callable[[FaultPlan], Outcome | None]
    ) -> None:
        self._others = others
        self._memo = memo
        self._answer = answer
        self._coming: dict[FaultPlan, None] = {}  # not looked at, in order
        self._answers: dict[FaultPlan, Outcome] = {}
        self._recalled: dict[FaultPlan, Outcome] = {}  # what was run before
        self._audited: set[FaultPlan] = set()  # answers that others make again
        self._sent: dict[FaultPlan, Place | None] = {}  # what each is about to show
        self._shown_by: Counter[Place] = Counter()  # how many of them
        self._waiting: dict[Place, list[FaultPlan]] = {}
        self._wait = 0  # so many plans do
        self._vain: set[Place] = set()  # shown, and not to be remembered

    @property
    def trouble(self) -> str:
        return self._others.trouble

    # What the campaign asks ---------------------------------------------------------------

    def expect(self, plans: Iterable[FaultPlan]) -> None:
        """These come next, before what was expected earlier."""
        self._coming = {**dict.fromkeys(plans), **self._coming}
        self._look()

    def expect_last(self, plans: Iterable[FaultPlan]) -> None:
        """These come after what was expected earlier."""
        self._coming.update(dict.fromkeys(plans))
        self._look()

    def expect_again(self, plans: Iterable[FaultPlan]) -> None:
        """The same of plans that were run before: those that nobody remembers are sent."""
        self._others.expect_again(plan for plan in plans if not self._recalls(plan))

    def _recalls(self, plan: FaultPlan) -> bool:
        answer = None if self._memo.off or plan.given else self._answer(plan)
        if answer is not None:
            self._recalled[plan] = answer
        return answer is not None

    def look(self, plan: FaultPlan, *, wait: bool = True) -> Outcome | None:
        """Such a run; of those that processes make only one that is waited for: whether one is
        there already depends on how fast they are."""
        return self._recalled.get(plan) or (self._others.look(plan) if wait else None)

    def take(self, plan: FaultPlan) -> Outcome | None:
        """The run of a plan; None for one that is made where it is asked for. Raises Died,
        Doubted."""
        if self._memo.off:
            self._answers.clear()
            self._recalled.clear()
        recalled = self._recalled.pop(plan, None)
        if recalled is not None:
            self._memo.answered += 1
            return recalled
        if plan not in self._sent and plan not in self._answers and self._is_known(plan):
            self._see(plan, wait=False)
        answer = self._answers.pop(plan, None)
        if answer is not None:
            found: Outcome | None = self._audit(plan, answer)
            self._memo.answered += found is not None
        elif plan in self._sent:
            found = self._shown(plan)
        else:
            found = self._others.take(plan)
        self._look()
        return found

    def give_up(self, why: str) -> None:
        """No other processes any more."""
        self._others.give_up(why)

    def close(self) -> None:
        """Nothing more is asked for."""
        for kept in (
            *(self._coming, self._answers, self._recalled),
            *(self._audited, self._sent, self._shown_by, self._waiting),
        ):
            kept.clear()
        self._wait = 0
        self._others.close()

    # What is looked at --------------------------------------------------------------------

    def _is_known(self, plan: FaultPlan) -> bool:
        """Whether a plan was expected, and has not been sent; it is no longer expected then."""
        if plan in self._coming:
            del self._coming[plan]
            return True
        for place, plans in self._waiting.items():
            if plan in plans:
                plans.remove(plan)
                self._wait -= 1
                if not plans:
                    del self._waiting[place]
                return True
        return False

    def _look(self) -> None:
        """Answer what is known of what comes next, and send the rest."""
        looked = 0
        while self._coming and self._under_way() < AHEAD:
            if looked % HEARD == 0:  # nobody is to wait for that
                self._others.hear()
            looked += 1
            plan = next(iter(self._coming))
            del self._coming[plan]
            self._see(plan)
        self._others.hear()

    def _under_way(self) -> int:
        return len(self._answers) + len(self._sent) + self._wait

    def _see(self, plan: FaultPlan, *, wait: bool = True) -> None:
        """Answer a plan, or send it; or let it wait for one that is about to show the same."""
        known = not self._memo.off and not plan.given  # it knows the simplest inputs
        answer = self._answer(plan) if known else None
        if answer is not None:
            self._answers[plan] = answer
            if self._memo.wants_audit():
                self._audited.add(plan)
                self._others.expect_last([plan], taped=False)
            return
        place = self._memo.place if known else None
        if place in self._vain:
            place = None
        if place is not None and wait and self._shown_by[place]:
            self._waiting.setdefault(place, []).append(plan)
            self._wait += 1
            return
        self._sent[plan] = place
        if place is not None:
            self._shown_by[place] += 1
        self._others.expect_last([plan], taped=self._memo.learning and not plan.given)

    # What has come ------------------------------------------------------------------------

    def _audit(self, plan: FaultPlan, answer: Outcome) -> Outcome | None:
        """An answer; or the real run, where others have made it as well and it is the same."""
        if plan not in self._audited:
            return answer
        self._audited.discard(plan)
        real = self._others.take(plan)
        if real is not None:
            self._memo.compare(plan, answer, real.history, real.crossings)
        return real

    def _shown(self, plan: FaultPlan) -> Outcome | None:
        """The run of a plan that was sent. What it has shown is learnt, and what waits for it is
        looked at again."""
        place, learnt = self._sent.pop(plan), False
        if place is not None:
            self._shown_by[place] -= 1
        try:
            found = self._others.take(plan)
            learnt = found is not None and self._memo.taught(read(found.tapes))
        finally:
            if place is not None and not learnt:
                self._vain.add(place)
            again = [] if place is None else self._waiting.pop(place, [])
            self._wait -= len(again)
            for one in again:
                self._see(one)
        return found
