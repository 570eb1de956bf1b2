"""A violation while its plan is made smaller: each run that shows it again.

Law: what is told of a plan is of a run under it. Made by what a campaign keeps, for the shrinker.
"""

from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.found.verify import Found
from agentfuzz.search.runner import Runner
from agentfuzz.telling.troubles import troubles_of

MOST = 50  # runs that are kept, the last ones: a shrinker ends with one of these


class Seen:
    """What of a violation was seen, by plan. In a slice it is the same only by the troubles of the
    `whole` plan from which that was cut: a few agents may be broken by what does nothing to all of
    them."""

    def __init__(self, runner: Runner, found: Found, whole: FaultPlan | None = None) -> None:
        self._runner, self._found = runner, found
        self._troubles = None if whole is None else troubles_of(whole)
        self._under = {found.plan: found}

    def fails(self, plan: FaultPlan) -> bool:
        """Whether it is there under this plan."""
        if self._troubles is not None and troubles_of(plan) != self._troubles:
            return False
        shown = self._runner.breaks(plan, self._found.violation.signature)
        if shown is not None:
            history, violation = shown
            again = self._found._replace(plan=plan, violation=violation, history=history)
            self._under[plan] = again
            if len(self._under) > MOST:
                del self._under[next(iter(self._under))]
        return shown is not None

    def under(self, plan: FaultPlan) -> Found:
        """It under a plan that fails."""
        return self._under.get(plan) or self._found._replace(plan=plan)
