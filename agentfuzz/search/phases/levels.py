"""The levels of a campaign: every plan with one fault, what lasts, a covering array, every pair.

Law: what is told of a level is what was run of it; each level runs some of its plans again. Called
by the campaign, which judges each run.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from agentfuzz.archive.frontier import FIRST, Place
from agentfuzz.core.events import made
from agentfuzz.core.findings import Level, Smaller
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.budget import Meter
from agentfuzz.search.covered.coverage import Coverage
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.parts.dealing import Turn
from agentfuzz.search.phases import pairwise
from agentfuzz.search.phases.again import AT_THE_END, EVERY, Again
from agentfuzz.search.phases.foresight import FEW, Foresight, foreseen, soon
from agentfuzz.search.phases.inputs import Inputs
from agentfuzz.search.phases.systematic import Came, every, named
from agentfuzz.search.phases.systematic import Level as Walk
from agentfuzz.search.runner import Judged, Runner
from agentfuzz.search.space import drawn_out, longer, size
from agentfuzz.world.injector import Crossing

LASTING = "bursts and outages"
BY_THE_OTHER = "plans with one fault by another entrypoint"
MANY = 500  # pairs: a covering array of them is run first
RESERVED = 12  # of so many runs one is for what is run again at the end of a level


class Levels:
    """`told` is what was run of each; `singles` are the plans with one fault, `lasting` those with
    one that lasts. `all` says that there are no other plans than those that were run."""

    def __init__(
        self,
        runner: Runner,
        meter: Meter,
        coverage: Coverage,
        again: Again,
        inputs: Inputs,
        judged: Judged,
    ) -> None:
        self.told: list[Level] = []
        self.singles: list[FaultPlan] = []
        self.lasting: list[FaultPlan] = []
        self.all = False
        self._further = False  # whether a plan of the last level could have one fault more
        self.begin("fault-free", None)
        self._waiting: deque[FaultPlan] = deque()  # to be run: bursts and outages
        self._down: deque[FaultPlan] = deque()  # the same, of everything
        self._over: Walk | None = None  # a level; nothing is expected yet of the next one
        self._coming: Foresight | None = None  # of that
        self._depths: dict[int, Level] = {}
        self._runner = runner
        self._meter = meter
        self._coverage = coverage
        self._again = again
        self._inputs = inputs
        self._judged = judged

    def walk(
        self, crossings: list[Crossing], compared: Callable[[FaultPlan, History, str], None]
    ) -> bool:
        """Every level down to the budget's depth. False if the budget ended before."""
        runner, parents, skipped = self._runner, {FaultPlan(): 1}, 0
        total = Walk(parents, runner.space, wordings=True).count(runner.first, crossings)
        self._down.extend(runner.space.outages(crossings))
        for depth in range(1, self._meter.budget.depth + 1):
            start = FIRST
            if depth > 1 and runner.steady:
                start = runner.dealing.start(depth, parents)
            if depth == 2 and total - skipped > MANY:
                self._cover(total - skipped)
            prune = runner.steady and not self._again.findings
            walk = Walk(parents, runner.space, prune=prune, wordings=depth == 1)
            name = named(depth)
            self.begin(f"depth {depth}", total - skipped)
            try:
                self._walk(walk, name, depth, start, crossings)
            except KeyboardInterrupt:  # what was run of it is not run again
                if depth > 1 and runner.steady:
                    runner.dealing.stopped(walk.coming, walk.done)
                raise
            total, skipped = total - walk.absent, skipped - walk.absent_skipped
            told = [*self._limits(depth)]
            if depth > 1 and runner.steady:
                told.append(runner.dealing.stopped(walk.coming, walk.done))
            self._tell(depth, Level(name, walk.done, total, skipped, "; ".join(filter(None, told))))
            if depth == 1 and self._meter.stopped == "exhausted":
                self._last()
                self._inputs.a_few()
            if runner.other is not None and depth == 1:
                self._by_the_other(compared)
            if self._meter.stopped != "exhausted":
                return False
            if not walk.next:  # the last level, or nothing left that a further fault could reach
                self.all = prune and not self._further and not self._varies(depth)
                break
            parents, total, skipped = walk.next, walk.next_total, walk.next_skipped
        return True

    def _varies(self, depth: int) -> bool:
        """Whether the plans of the levels have values, or wordings, that no level has tried."""
        space, reached = self._runner.space, set(self._coverage.groups.values())
        late = any(fault.axes[0] == "late" for group in reached for fault in space.all_at(group))
        return late or (depth > 1 and any(map(space.wordings_at, reached)))

    def begin(self, phase: str, total: int | None) -> None:
        """A phase begins, of so many runs."""
        self.phase, self.done, self.total = phase, 0, total

    def _tell(self, depth: int, level: Level) -> None:
        if not self._runner.steady:  # what there was once need not be there again
            level = Level(level.name, level.done, None)
        self._depths[depth] = level
        self.told.append(level)

    def _limits(self, depth: int) -> Iterator[str]:
        reached = set(self._coverage.groups.values())
        worded = depth > 1 and any(map(self._runner.space.wordings_at, reached))
        if self._dealt_out(depth):
            yield self._runner.dealing.part
        if worded:
            yield "first wording of each reply"

    def _dealt_out(self, depth: int) -> bool:
        """Whether this level is the one that shards have in common."""
        return 1 < depth == self._meter.budget.depth

    def _walk(self, walk: Walk, name: str, depth: int, start: Place, clean: list[Crossing]) -> None:
        meter, again, last = self._meter, self._again, depth == self._meter.budget.depth
        reserved = min(AT_THE_END, meter.budget.max_runs // RESERVED)
        dealing, others = self._runner.dealing, self._runner.executor
        dealt = self._dealt_out(depth)
        stop = partial(meter.out, 1 + reserved)
        mine = dealing.mine if dealt else every
        known = [(self._runner.first, clean)] if depth == 1 else []
        foresight, self._coming = self._coming, None
        if foresight is None and not stop():
            foresight = self._foreseen(walk.parents, depth, start, known)
        for plan in walk.plans(again.parent, stop, mine, start, foresight):
            if stop():
                break
            assert walk.coming is not None, "it is this plan"
            dealing.comes(walk.coming, walk.done)
            if dealt and not dealing.alone:
                outcome = self._dealt(plan, name, made(Turn, (True, walk.coming.number)))
            else:
                outcome = self._judged(plan, name)
            if outcome is None:
                continue
            history, crossings = outcome.history, outcome.crossings
            if not dealt:
                dealing.below(plan, history)
            if walk.exists(plan, history):
                if depth == 1:
                    self.singles.append(plan)
                    again.single(plan, history)
                    self._coverage.cells.single(plan, walk.same(history, crossings))
                    others.expect_last(self._longer(plan, crossings))
                if last:
                    self._further = self._further or walk.count(history, crossings) > 0
                elif walk.grew(plan, history, crossings):
                    again.extended(plan, history)
                if walk.done % EVERY == 0:
                    again.some(1)
            else:
                self._vain(plan, history, crossings)
        again.level(walk.next)
        self._coverage.idle(walk.vain)
        for slot, faults in walk.idle.items():
            self._coverage.cells.idle(slot, faults)
        if meter.stopped == "exhausted":  # others begin with what comes next
            others.expect_last(self._down if depth == 1 else ())
            self._over = None if last else walk
            self._foresee(depth + 1)
        if walk.done and not meter.late:
            again.ended(min(meter.left, AT_THE_END))

    def _foresee(self, depth: int) -> None:
        """What this level begins with is expected, where little or nothing comes first."""
        if (walk := self._over) is None or len(self._waiting) + len(self._down) > FEW:
            return
        self._over = None
        rows = self._rows(walk.next_total - walk.next_skipped) if depth == 2 else iter(())
        if self._runner.steady and walk.next and next(rows, None) is None:
            start = self._runner.dealing.start(depth, walk.next)
            self._coming = self._foreseen(walk.next, depth, start)

    def _foreseen(
        self, parents: Mapping[FaultPlan, int], depth: int, start: Place, known: Sequence[Came] = ()
    ) -> Foresight | None:
        level = Walk(parents, self._runner.space, wordings=depth == 1)
        ahead = self._runner.dealing.ahead if self._dealt_out(depth) else every
        meter = self._meter
        return foreseen(level, self._runner.others, ahead, start, known, lambda: meter.late)

    def _dealt(self, plan: FaultPlan, phase: str, turn: Turn) -> Outcome | None:
        """The run of a plan that may be another shard's to make."""
        dealing = self._runner.dealing
        dealing.turn = turn
        try:
            return self._judged(plan, phase)
        finally:
            dealing.turn = None

    def _longer(self, plan: FaultPlan, crossings: list[Crossing]) -> list[FaultPlan]:
        """The same fault, lasting longer, is to be run: that plan, if there is one."""
        beyond = longer(plan, crossings)
        found = [] if beyond is None else [beyond]
        self._waiting.extend(found)
        return found

    def _last(self) -> None:
        """Every fault that may last, as long as it goes on to strike: two crossings in a row,
        three, for good; and everything down from each crossing of the clean run on."""
        meter, name, down = self._meter, LASTING, self._down
        if not self._waiting and not down:
            return
        reserved = min(AT_THE_END, meter.budget.max_runs // RESERVED)
        self.begin(name, None)  # each may lead to a longer one
        while (self._waiting or down) and not meter.out(1 + reserved):
            plan = (self._waiting or down).popleft()
            outcome = self._judged(plan, name)
            self.lasting.append(plan)
            if outcome is not None:
                self._runner.executor.expect(self._longer(plan, outcome.crossings))
            self._foresee(2)
        self._waiting.extend(down)
        if meter.stopped == "max_runs":
            self._again.ended(min(meter.left, AT_THE_END))
        done = len(self.lasting)
        total = done + len(self._waiting) if self._runner.steady else None
        more = "each may lead to a longer one" if self._waiting else ""
        self.told.append(Level(name, done, total, 0, more))

    def _vain(self, plan: FaultPlan, history: History, crossings: list[Crossing]) -> None:
        """A plan that was run for nothing: its last fault means nothing where it was, or the run
        did not come there, as the same run without that fault did."""
        *_, slot = plan.by_slot
        if any(crossing.slot == slot for crossing in crossings):
            self._coverage.vain(plan, history)
        else:
            self._again.missed(plan.without(slot), slot, history)

    def _by_the_other(self, compared: Callable[[FaultPlan, History, str], None]) -> None:
        """Every plan with one fault again, by the other entrypoint: two runs each."""
        name, done, plans = BY_THE_OTHER, 0, (*self.singles, *self.lasting)
        for plan in plans:
            if self._meter.out(runs=2):
                break
            history, _ = self._runner.execute(plan)
            compared(plan, history, name)
            done += 1
        self.told.append(Level(name, done, len(plans)))

    def _rows(self, pairs: int) -> Iterator[FaultPlan]:
        """A covering array of so many pairs, where that pays."""
        at = self._runner.space.at
        columns = [(slot, at(group)) for slot, group in self._coverage.groups.items()]
        return pairwise.rows_if_few(columns, pairs if pairs > MANY else 0)

    def _cover(self, pairs: int) -> None:
        self.begin("covering array", None)
        done = 0
        dealing = self._runner.dealing
        known = dealing.rows()
        rows = enumerate(self._rows(pairs))
        own = (row for row in rows if row[0] >= known and dealing.mine(row[0]))
        for number, plan in soon(own, self._runner.executor, dealing.row_ahead):
            if self._meter.out():
                break
            done += 1
            self._dealt(plan, "covering array", Turn(False, number))
            dealing.covered(number + 1)
        if done:
            name = "plans of a covering array of pairs"
            self.told.append(Level(name, done, None, limits=dealing.part))

    def smaller(self, plan: FaultPlan) -> Smaller | None:
        """What was done of the plans that are smaller than this one; of those with several faults,
        of the plans with fewer. None where no level was walked."""
        below = [self._depths.get(depth) for depth in range(1, max(len(plan), 2))]
        levels = [level for level in below if level is not None and level.total is not None]
        if not plan or plan.given or not levels or len(levels) < len(below):
            return None
        whole = all(level.done + level.skipped == level.total for level in levels)
        if len(plan) == 1:
            limit, tried = size(plan), (*self.singles, *self.lasting)
            run = 1 + sum(size(one) < limit for one in tried)
            return Smaller(run, whole=whole and not drawn_out(plan))
        whole = whole and not self._waiting
        done, skipped = sum(one.done for one in levels), sum(one.skipped for one in levels)
        return Smaller(1 + done + len(self.lasting), skipped, whole)
