"""What a campaign keeps of the violations it met: each once, by its smallest plan.

Law: a violation is the same bug as another if its law's code and its subject are; nothing is shown
that was not shrunk as far as it goes, replayed and controlled. Filled by the campaign while it
runs, and asked once when it is over.
"""

from collections.abc import Container
from functools import partial

from agentfuzz.core.events import Struck
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation, told_by_another
from agentfuzz.search.runner import Runner
from agentfuzz.search.shrink import Known, shrink
from agentfuzz.search.space import plan_of, size
from agentfuzz.search.verify import Found, confirmed

Signature = tuple[str, str]


class Kept:
    """The violations of one campaign by signature. `found` holds the smallest yet of each."""

    def __init__(self, runner: Runner) -> None:
        self.found: dict[Signature, Found] = {}
        self._runner = runner

    def keep(
        self, law: str, violation: Violation, history: History, plan: FaultPlan | None, phase: str
    ) -> None:
        """Keep a violation if no smaller plan has shown the same one. Of a plan that did not
        strike as a whole, or was drawn on the way, what struck counts."""
        struck = history.of(Struck)
        if plan is None or len(struck) != len(plan):
            plan = plan_of(history)
        known = self.found.get(violation.signature)
        if known is None or size(plan) < size(known.plan):
            self.found[violation.signature] = Found(law, violation, plan, phase)

    def only(self, code: str) -> None:
        """Forget what has another code; an empty one keeps all."""
        self.found = {sig: one for sig, one in self.found.items() if code in ("", sig[0])}

    def tell_once(self, but: Container[Signature]) -> None:
        """Forget what another law says of the same plan, and more exactly; not what was asked for
        by its own name (`but`)."""
        by_plan: dict[FaultPlan, set[Signature]] = {}
        for signature, one in self.found.items():
            by_plan.setdefault(one.plan, set()).add(signature)
        self.found = {
            signature: one
            for signature, one in self.found.items()
            if signature in but or not told_by_another(one.violation, by_plan[one.plan])
        }

    def confirmed(self, known: Known) -> tuple[Counterexample, ...]:
        """Every one of them shrunk, replayed and controlled, smallest first. `known` are the slots
        of the campaign and what may strike at each.

        Raises NondeterministicAgent when one does not replay.
        """
        findings = []
        for signature in sorted(self.found, key=lambda s: (size(self.found[s].plan), s)):
            found = self.found[signature]
            before, runs = len(found.plan), 0
            if before > 1 or found.phase == "random plans":
                fails = partial(self._runner.breaks, signature=signature)
                smaller, runs = shrink(found.plan, fails, known)
                found = found._replace(plan=smaller)
            findings.append(confirmed(self._runner, found, before, runs))
        return tuple(findings)
