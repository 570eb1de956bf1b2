"""Slicing: from a finding among many agents to the few that make it.

Law: fewest agents. A slice counts only if the same law breaks in it on the same kind of subject,
under the same faults, all of which strike; if without them it does not break there; and if nobody
who is left out acts, is begun or is handed anything. Of many faults only those are the same that
strike in the slice: the others go with the agents at which they were. Called by what a campaign
keeps, between two times that the faults are shrunk; of many faults, before that as well.

Source: ddmin, of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (IEEE
TSE 2002), over the names that were given to `world.agents`.
"""

import re
from collections.abc import Callable, Collection, Sequence

from agentfuzz.core.between import Acts, HandoffSent, Spawned
from agentfuzz.core.errors import FixtureError
from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.queries.teams import acting, agent_of
from agentfuzz.search.found.verify import Found
from agentfuzz.search.runner import Runner
from agentfuzz.search.space import plan_of, strikes

FEW = 4  # agents that are told as they are, and faults that a slice has to keep
MAX_RUNS = 500  # in which the agents of one plan are sliced


def sliced(runner: Runner, found: Found, late: Callable[[], bool] = bool) -> tuple[Found, int]:
    """The same violation among the fewest agents reached, and the runs that it took. It ends where
    it is when it is `late`."""
    before = runner.runs
    if len(runner.first.agents) > FEW and runner.steady and not late():
        knife = Knife(runner, found, late)
        if len(knife.slice) > FEW and knife.proof is not None:
            ddmin(knife.guessed(), knife.cuts)
            found = knife.found
    return found, runner.runs - before


def ddmin(names: Sequence[str], fails: Callable[[Sequence[str]], bool]) -> Sequence[str]:
    """The fewest names reached with which it fails: none of them can be left out alone. First some
    of them alone, then all but some, in ever smaller parts."""
    parts = 2
    while len(names) > 1:
        length = -(-len(names) // parts)
        cut = [names[at : at + length] for at in range(0, len(names), length)]
        smaller = next((part for part in cut if fails(part)), None)
        if smaller is not None:
            names, parts = smaller, 2
            continue
        rest = [[name for name in names if name not in set(part)] for part in cut]
        smaller = next((others for others in rest if fails(others)), None) if parts > 2 else None
        if smaller is not None:
            names, parts = smaller, max(parts - 1, 2)
        elif parts >= len(names):
            break
        else:
            parts = min(2 * parts, len(names))
    return names


class Knife:
    """One finding, cut down: `found` is it in the smallest `slice` yet, `proof` what breaks in the
    run that is cut. Whoever acts though left out cannot be left out: an agent under test need not
    build its team from what `world.agents` returns."""

    def __init__(self, runner: Runner, found: Found, late: Callable[[], bool]) -> None:
        self.found = found
        self._runner, self._late, self._plan = runner, late, found.plan
        self._most = runner.runs + MAX_RUNS
        self._whole, _ = runner.execute(found.plan)
        self._everybody = frozenset(self._whole.agents)
        self.slice = frozenset(found.plan.agents) or self._everybody
        self.proof = _like(runner, self._whole, found)
        self._crossed = _crossed(self._whole)
        self._many = len(found.plan) > FEW
        at = {slot.name for slot, _ in found.plan}
        self._needed = frozenset[str]() if self._many else self.slice & at
        self._tried: set[frozenset[str]] = set()

    def guessed(self) -> Sequence[str]:
        """The agents among which to look: those that prove the violation if they are enough, else
        all of them; none, if those that the faults name are enough."""
        if self.cuts(()):
            return ()
        events, witness = self._whole.events, self.proof.witness if self.proof else ()
        proof = [events[seq] for seq in witness if seq < len(events)]
        if self._many:
            sent = [event for event in proof if isinstance(event, HandoffSent)]
            self.cuts({name for one in sent for name in (one.sender, one.to)} & self.slice)
        named = {agent_of(self._whole, event) for event in proof}
        named |= {acting(self._whole)[event.seq] for event in proof}
        self.cuts(self.slice & named)
        return [name for name in self._whole.agents if name in self.slice - self._needed]

    def cuts(self, names: Collection[str]) -> bool:
        """Whether the finding is there with these agents alone, and those that are needed."""
        while True:
            chosen = self._needed.union(names)
            if chosen == self.slice:
                return True
            if not chosen or len(chosen) >= len(self.slice) or chosen in self._tried:
                return False
            if self._runner.runs >= self._most or self._late():
                return False
            self._tried.add(chosen)
            outside = self._outside(chosen)
            if not outside:
                return chosen == self.slice
            self._needed |= outside

    def _outside(self, chosen: frozenset[str]) -> frozenset[str]:
        """Run a slice, and keep it if the finding is there. Who acted in it though left out."""
        runner = self._runner
        plan = self._renumbered(chosen)
        try:
            history, _ = runner.execute(plan)
            if self._many and 0 < len(strikes(history)) < len(plan):
                plan = plan_of(history).over(plan.given)
                history, _ = runner.execute(plan)
            outside = (self._everybody - chosen) & _there(history)
            none = len(self._plan) > 0 and len(plan) == 0  # then it is no work of the faults
            if outside or none or len(strikes(history)) < len(plan) or self._breaks_anyway(plan):
                return outside
            violation = _like(runner, history, self.found._replace(plan=plan))
        except FixtureError:
            raise
        except Exception:  # what the scenario, or a law, cannot be built with is no slice
            return frozenset()
        if violation is not None:
            self.slice = chosen
            self.found = self.found._replace(plan=plan, violation=violation, history=history)
        return outside

    def _breaks_anyway(self, plan: FaultPlan) -> bool:
        """Whether a slice without its faults breaks the law, and all agents do not."""
        law, alone = self.found.law, self._runner.baseline(plan)
        return bool(plan) and alone is not None and law in alone.breaks

    def _renumbered(self, chosen: Collection[str]) -> FaultPlan:
        """The plan in a slice: what others have crossed before a fault is not crossed there."""
        left = self._everybody - set(chosen)
        moved = (
            self._moved(slot, fault, left)
            for slot, fault in self._plan
            if not self._many or slot.name not in left
        )
        names = [name for name in self._whole.agents if name in chosen]
        return FaultPlan(moved, self._plan.given).among(names)

    def _moved(self, slot: Slot, fault: Fault, left: Collection[str]) -> tuple[Slot, Fault]:
        crossed = self._crossed.get(slot[:2]) or self._crossed.get(("tool", slot.name), {})

        def here(nth: int) -> int:
            return nth - sum(agent in left for n, agent in crossed.items() if n <= nth)

        nth = max(here(slot.nth), 1)
        until = here(fault.until) if fault.until > 0 else fault.until
        return slot._replace(nth=nth), fault._replace(until=until if until > nth else min(until, 0))


def _crossed(history: History) -> dict[tuple[str, ...], dict[int, str]]:
    """Who came to each crossing: by boundary and name, then by its number."""
    found: dict[tuple[str, ...], dict[int, str]] = {}
    for event in history.events:
        slot = getattr(event, "slot", None)
        if isinstance(slot, Slot) and type(event) is not Struck:
            who = event.parent if type(event) is Spawned else agent_of(history, event)
            found.setdefault(slot[:2], {}).setdefault(slot.nth, who)
    return found


def _there(history: History) -> frozenset[str]:
    """Whoever acts, is begun, or is handed anything."""
    found = {event.agent for event in history.of(Acts)}
    found |= {event.to for event in history.of(HandoffSent)}
    for begun in history.of(Spawned):
        found |= {begun.agent, begun.slot.name}
    return frozenset(found)


def _like(runner: Runner, history: History, found: Found) -> Violation | None:
    """What a run shows of the same law, on the same subject or one that differs in its number."""
    code, subject = found.violation.signature
    alike = [
        one
        for one in runner.violations(history, found.plan)
        if one.code == code and _kind(one.subject) == _kind(subject)
    ]
    same = [one for one in alike if one.subject == subject]
    return next(iter([*same, *alike]), None)


def _kind(subject: str) -> str:
    return re.sub(r"\d+", "#", subject)
