"""Saved plans: what one campaign found is run by the next one, and by a regression test.

Law: a plan of any version is said as this one says it; one that no longer applies, or breaks
nothing any more, is named. Called by the campaign before it searches, and by the doors.
"""

from collections.abc import Callable, Iterable

from agentfuzz.archive.saved import Saved
from agentfuzz.core.errors import PlanError
from agentfuzz.core.findings import REGRESSION
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.single import require_struck
from agentfuzz.search.found.kept import Kept, Signature
from agentfuzz.search.found.patience import gives_up
from agentfuzz.search.phases.again import Again
from agentfuzz.search.phases.inputs import NOT_ITS_OWN, cannot_be_built, said
from agentfuzz.search.runner import Judged, Runner
from agentfuzz.search.space import strikes, untried
from agentfuzz.telling.troubles import Troubles, troubles_of
from agentfuzz.world.injector import Crossing

TWICE = "AF904"


class SavedPlans:
    """Replays plans of one campaign: each is judged and counted as any other."""

    def __init__(
        self,
        runner: Runner,
        kept: Kept,
        again: Again,
        judged: Judged,
        compared: Callable[[FaultPlan, History, str], None],
    ) -> None:
        self._runner = runner
        self._kept = kept
        self._again = again
        self._judged = judged
        self._compared = compared
        self._regressed, self._runs = False, 0
        self.replayed: set[tuple[Signature, Troubles]] = set()  # what is told by its own name

    @property
    def told(self) -> str:
        """What was run where nothing is searched."""
        if self._regressed:
            return "the one plan of this test"
        saved = f", {self._runs:,} saved finding{'s' * (self._runs != 1)}" if self._runs else ""
        return f"one run without faults{saved}"

    def replay(self, one: Saved, crossings: Iterable[Crossing] | None = None) -> tuple[str, bool]:
        """Run a saved plan: a line that says what came of it, and whether it is fixed (or gone).
        What could not be tried at these crossings, those of a run, is not run."""
        runner = self._runner
        try:
            plan = runner.today(one.plan)
        except PlanError as error:
            return f"saved {one.id} no longer applies: {error}", False
        if crossings is not None:
            why, gone = untried(plan, runner.space, crossings)
            if why:
                return f"saved {one.id} no longer applies: {why}", gone
        self.replayed.add(((one.code, one.subject), troubles_of(plan)))
        try:
            history = self._run(plan, "saved")
        except PlanError as error:
            return f"saved {one.id} no longer applies: {error}", False
        self._compared(plan, history, "saved")
        if len(strikes(history)) < len(plan):
            return f"saved {one.id} no longer applies: {one.plan} is not reached", False
        if one.code == TWICE:
            there = self._again.replay(plan, history, one.subject)
        else:
            found = self._runner.violations(history, plan)
            same = [v for v in found if v.signature == (one.code, one.subject)]
            there = bool(same) and not gives_up(self._runner, plan, same[0], history)
        return f"replayed saved finding {one.id}: {'still there' if there else 'fixed'}", not there

    def regress(self, plan: FaultPlan, code: str) -> None:
        """One plan, and of its violations only those with this code (any, if it is empty).
        Raises PlanError when the plan does not apply to this agent any more."""
        plan, self._regressed = self._runner.today(plan), True
        history = self._run(plan, REGRESSION)
        require_struck(plan, history)
        self._compared(plan, history, REGRESSION)
        self._kept.only(code)
        if code == TWICE:
            self._again.replay(plan, history)

    def _run(self, plan: FaultPlan, phase: str) -> History:
        """The run of a plan. Raises PlanError for inputs that the scenario cannot be built with."""
        try:
            outcome = self._judged(plan, phase)
        except NOT_ITS_OWN:
            raise
        except Exception as error:
            if not plan.among(()).given:
                raise
            raise PlanError(cannot_be_built(plan, said(error))).with_traceback(
                error.__traceback__
            ) from error
        self._runs += 1
        assert outcome is not None, "nothing is made ahead here"
        return outcome.history
