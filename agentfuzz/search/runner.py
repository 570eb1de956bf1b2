"""The runner: what a campaign and whatever confirms its findings ask of runs.

Law: a plan is judged in the same way whether it was met, shrunk, replayed or controlled; other
processes make runs ahead as far as that is safe and pays. Every run is made by the maker below.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Protocol

from agentfuzz.archive.crash_log import CrashLog
from agentfuzz.core.history import History
from agentfuzz.core.migrations import migrated
from agentfuzz.core.parting import first_difference
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.engine.inputs import filled
from agentfuzz.engine.single import check_plan
from agentfuzz.invariants.claims.same_by_every_entrypoint import differences
from agentfuzz.runtime import leaks
from agentfuzz.search import watched
from agentfuzz.search.executors import child, measured, processes
from agentfuzz.search.executors.choice import safe, wanted
from agentfuzz.search.executors.executor import Inline
from agentfuzz.search.maker import Maker
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.parts.dealing import Dealing
from agentfuzz.search.space import strikes
from agentfuzz.world.injector import Injector

# A worker of a cluster knows the functions of a module, not those of a script.
BRIDGE = "import sys; from agentfuzz.search.executors import bridge; bridge.main(sys.argv[1:])"


class Judged(Protocol):
    """The run of a plan, judged and counted; None if its process died of it."""

    def __call__(self, plan: FaultPlan, phase: str) -> Outcome | None: ...


class Runner(Maker):
    """What a campaign asks for runs: see `Maker`."""

    @property
    def same_as(self) -> str:
        """The law that the other entrypoint comes out the same, as it is named in reports."""
        return f"same_as({getattr(self.other, '__name__', type(self.other).__name__)})"

    def today(self, plan: FaultPlan) -> FaultPlan:
        """A plan, perhaps an old one, as this version says it. Raises PlanError for its tools."""
        tools = list(self.first.tools)
        filled(self.scenario.name, self.stories.given, plan.given)
        plan = migrated(plan, tools)
        check_plan(plan, tools, self.first.agents)
        return plan

    @contextmanager
    def ahead(
        self, workers: int, fresh: Sequence[str] = (), cluster: str = ""
    ) -> Iterator[list[str]]:
        """In this block runs are made ahead by so many processes, as far as that pays: forked, or
        where that is not safe begun by the command `fresh`; or by that on the workers of a Dask
        `cluster`. Yields notes; complete at the end."""
        workers, notes = wanted(workers, self.took), list[str]()
        forks = not cluster and workers > 1 and safe()
        if cluster or (workers > 1 and (forks or fresh)):
            here, bridge = os.getcwd(), [sys.executable, "-c", BRIDGE]
            if cluster:
                start = child.spawning([*bridge, cluster, here, *fresh], here)
            elif forks:
                start = child.forking(self.lent, self.adopted)
            else:
                start = child.spawning(fresh, here)
            otherwise = None if forks else self.otherwise
            many = max(workers, 1 + bool(cluster))
            self.executor = processes.Processes(many, start, cluster, otherwise)
        elif workers > 1:
            notes.append("its runs were made in one process: threads run here already")
        try:
            yield notes
        finally:
            self.executor.close()
            if self.executor.trouble:
                notes.append(f"its runs were made in one process: {self.executor.trouble}")
            self.executor = Inline()

    def serve(self, plans: int, back: int) -> None:
        """This process was begun to make runs for another: until that says no more."""
        self.crash_log.close()  # who began it knows what it runs
        self.crash_log = CrashLog()
        self.begin()
        watched.begin(self, self.first)
        leaks.taken()
        with Connection(back, readable=False) as there:  # while it is open nobody ends this process
            child.serve(Connection(plans, writable=False), there, self.lent)
            measured.save()

    def lent(self, plan: FaultPlan, taped: bool) -> Outcome:
        """The run of a plan, made here for another process; `taped` for its memo."""
        watch = self.watch
        if watch is not None:
            watch.forget()  # all marks of a run are its own: perhaps no other is asked for
        made = self.taped(plan) if taped else self.made(plan)
        marks = () if watch is None else watch.marks.seen
        return made._replace(escapes=tuple(leaks.taken()), marks=marks)

    def otherwise(self, found: Outcome | None) -> str:
        """How the run without faults comes out in a process that was begun anew, if it is not as
        here; nothing where that cannot be compared."""
        if found is None or not self.steady:
            return ""
        ends = (self.first.ended, found.history.ended)
        cut_off = any(end is not None and end.how == "cut_off" for end in ends)
        said = "" if cut_off else first_difference(self.first, found.history)
        return said and (
            "one that is begun anew comes out otherwise without faults (it is given no options of "
            f"other plugins, and none of your own). {said}"
        )

    def adopted(self) -> None:
        """This process was forked by an executor, to make runs ahead."""
        self.simulation.adopted()
        leaks.taken()
        self.executor, self.crash_log, self.dealing = Inline(), CrashLog(), Dealing()
        self.memo = None

    def patient(self, plan: FaultPlan, times: int, injector: Injector | None = None) -> History:
        """A run under a plan, cut off after so many times as many crossings: how long it takes says
        nothing of how long runs take."""
        scenario = self.stories.of(plan)[0]
        longer = replace(scenario, max_crossings=times * scenario.max_crossings)
        slowest = self.slowest
        try:
            return self._run(longer, plan, self.agent, injector or self.under(plan))
        finally:
            self.slowest = slowest

    def compared(self, plan: FaultPlan, history: History) -> list[Violation]:
        """How the other entrypoint comes out otherwise under this plan: one run more."""
        assert self.other is not None, "there is something to compare with"
        then = self._made(plan, self.other, self.under(plan))
        return differences(history, then, than=self.same_as[8:-1])

    def violations(self, history: History, plan: FaultPlan) -> list[Violation]:
        """Every violation of every law in the history of a run under this plan."""
        verdicts = self.scenario.judge(history, self.baseline(plan))
        found = [violation for verdict in verdicts for violation in verdict.violations]
        if self.other is not None and self.steady and len(plan) <= 1:
            found += self.compared(plan, history)
        return found

    def breaks(
        self, plan: FaultPlan, signature: tuple[str, str]
    ) -> tuple[History, Violation] | None:
        """The run of a plan in which this law breaks on this subject, every fault of it striking;
        None if it does not."""
        history, _ = self.execute(plan)
        if len(strikes(history)) < len(plan):
            return None
        found = self.violations(history, plan)
        return next(((history, one) for one in found if one.signature == signature), None)
