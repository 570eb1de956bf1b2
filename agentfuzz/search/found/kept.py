"""What a campaign keeps of the violations it met: one for each cause, by its smallest plan.

Law: two violations are the same bug if their law's code, their subject and their cause are the
same; one cause masks no other. Nothing is shown that was not shrunk as far as it goes, replayed and
controlled; of one law and subject at most five causes are, and the others are counted. Filled by
the campaign while it runs, and asked once when it is over.
"""

from collections.abc import Callable, Container, Iterator
from dataclasses import replace

from agentfuzz.core.events import Struck
from agentfuzz.core.findings import Counterexample, Smaller
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation, told_by_another
from agentfuzz.search.found.patience import gives_up
from agentfuzz.search.found.seen import Seen
from agentfuzz.search.found.shrink import Known, shrink
from agentfuzz.search.found.slicing import FEW, sliced
from agentfuzz.search.found.verify import Found, Shrunk, confirmed, unconfirmed
from agentfuzz.search.phases.inputs import MANY
from agentfuzz.search.phases.inputs import smaller as simpler
from agentfuzz.search.runner import Runner
from agentfuzz.search.space import drawn_out, no_smaller, plan_of, reach, size
from agentfuzz.search.two_histories import hurried
from agentfuzz.telling.troubles import Troubles, places, troubles_of
from agentfuzz.world.lasting import EVERYTHING

Signature = tuple[str, str]
SAVED = "saved"  # the phase of what an earlier session has found, until the search meets it
MAX_CAUSES = 24  # kept of one law and subject
TOLD = 5  # of them
MAX_ALIKE = 12  # plans that show one cause
MAX_TWICE = 5  # plans that did not come back
BUSY = "A busy machine does that as well: --agentfuzz-run-timeout gives a run more time."


class Kept:
    """The violations of one campaign by signature and cause. `found` holds the smallest yet of
    each; no cause in it is part of another one of the same signature that strikes more often."""

    def __init__(self, runner: Runner, seed: int = 0) -> None:
        self.found: dict[Signature, dict[Troubles, Found]] = {}
        self._seed = seed
        self._runner = runner
        self._full: set[Signature] = set()
        self._alike: dict[tuple[Signature, Troubles], dict[tuple[str, ...], FaultPlan]] = {}

    def keep(
        self, law: str, violation: Violation, history: History, plan: FaultPlan | None, phase: str
    ) -> None:
        """Keep a violation if no smaller plan has shown the same one. Of a plan that did not
        strike as a whole, or was drawn on the way, what struck counts."""
        struck = history.of(Struck)
        if plan is None or len(struck) != len(plan):
            plan = plan_of(history).over("" if plan is None else plan.given)
        kept, cause = self.found.setdefault(violation.signature, {}), troubles_of(plan)
        if len(plan) == 1:
            self._note(violation.signature, cause, plan)
        known = kept.get(cause)
        if known is None:
            if any(part < cause and reach(kept[part].plan) <= reach(plan) for part in kept):
                return
            for other in [other for other in kept if cause < other]:
                if reach(plan) <= reach(kept[other].plan):
                    del kept[other]
            if len(kept) >= MAX_CAUSES:
                self._full.add(violation.signature)
                largest = max(kept, key=lambda one: size(kept[one].plan))
                if size(plan) >= size(kept[largest].plan):
                    return
                del kept[largest]
        elif no_smaller(plan, known.plan) and not (plan == known.plan and known.phase == SAVED):
            return
        kept[cause] = Found(law, violation, plan, phase, history)

    def _note(self, signature: Signature, cause: Troubles, plan: FaultPlan) -> None:
        """One fault that shows a cause: the first of each kind at each place."""
        alike = self._alike.setdefault((signature, cause), {})
        if len(alike) < MAX_ALIKE:
            ((slot, fault),) = plan.by_slot.items()
            alike.setdefault((slot.boundary, slot.name, fault.kind), plan)

    def only(self, code: str) -> None:
        """Forget what has another code; an empty one keeps all."""
        self.found = {sig: kept for sig, kept in self.found.items() if code in ("", sig[0])}

    def without_faults(self, *codes: str) -> bool:
        """Whether a run without faults has shown one of these codes."""
        return any(
            not one.plan
            for (code, _), kept in self.found.items()
            for one in kept.values()
            if code in codes
        )

    def met_beyond(self, phases: Container[str]) -> bool:
        """Whether anything was met in another phase than these."""
        return any(one.phase not in phases for kept in self.found.values() for one in kept.values())

    def tell_once(self, but: Container[tuple[Signature, Troubles]]) -> None:
        """Forget what another law says of the same plan, and more exactly; not what was asked for
        by its own name and cause (`but`)."""
        by_plan: dict[FaultPlan, set[Signature]] = {}
        for signature, kept in self.found.items():
            for one in kept.values():
                by_plan.setdefault(one.plan, set()).add(signature)
        for signature, kept in self.found.items():
            for cause, one in list(kept.items()):
                told = told_by_another(one.violation, by_plan[one.plan])
                if told and (signature, cause) not in but:
                    del kept[cause]

    def forget(self, laws: set[str]) -> None:
        """Nothing is said by these laws."""
        for kept in self.found.values():
            for cause in [cause for cause, found in kept.items() if found.law in laws]:
                del kept[cause]

    # What is told of it -------------------------------------------------------------------

    def confirmed(
        self,
        known: Known,
        smaller: Callable[[FaultPlan], Smaller | None],
        late: Callable[[], bool] = bool,
        over: Callable[[], bool] = bool,
    ) -> tuple[list[Counterexample], list[str]]:
        """What is to be shown, shrunk, replayed and controlled, smallest first; and a line for what
        is only counted. `known` are the slots of the campaign and what may strike at each,
        `smaller` says what was done of smaller plans; when it is `late`, nothing is shrunk further;
        when the time is `over`, one is replayed if none was, and the others are named. Plans that
        did not come back (AF904) come last; of a run that was cut off while it was computing, and
        is not any more, only a line is told."""
        told: list[Counterexample] = []
        lost: list[Counterexample] = []
        notes: list[str] = []
        for signature in sorted(self.found):
            causes: list[tuple[Troubles, float]] = []
            hasty = False  # a plan of many faults was told for want of time
            waiting = dict(self.found[signature])
            if waiting and over() and (told or lost):
                notes.append(_unconfirmed(signature, list(waiting.values())))
                continue
            for found, shrunk in self._each(signature, waiting, causes, known, smaller, late):
                if any(
                    one.plan == found.plan and one.violation.signature == found.violation.signature
                    for one in told
                ):
                    continue
                same = (found.plan, found.violation, found.history)
                if not over() and (note := gives_up(self._runner, *same)):
                    notes += [note] * (note not in notes)  # two causes may shrink to one plan
                    continue
                one = confirmed(self._runner, found, shrunk, over)
                if one.code == "AF904" and found.violation.code != "AF904":
                    if hurried(found.history):
                        notes.append(f"{one.violation.sentence} {BUSY}")
                    elif not self._runner.steady:
                        notes.append(one.violation.sentence)
                    else:
                        lost.append(one)
                    continue
                causes.append((troubles_of(found.plan), reach(found.plan)))
                told.append(one)
                large = len(found.plan) > FEW and late()  # as good as not shrunk at all
                if over() or (large and not hasty):
                    notes.append(_hurried(signature, found.plan))
                hasty = hasty or large
                if over():
                    break
            rest = [one for one in waiting.values() if not _told(one.plan, causes)]
            if told:  # what is known already is down as well
                rest = [one for one in rest if not _vague(one.plan)]
            if rest:
                notes.append(_counted(signature, rest, more=signature in self._full))
        told.sort(key=lambda one: (size(one.plan), one.violation.signature))
        lost.sort(key=lambda one: size(one.plan))
        if len(lost) > MAX_TWICE:
            notes.append(f"AF904 and {len(lost) - MAX_TWICE} more plans gave two histories")
        return told + lost[:MAX_TWICE], notes

    def unconfirmed(self) -> list[Counterexample]:
        """The smallest plan of each violation, as it was met: nothing is run."""
        smallest = [
            min(kept.values(), key=lambda one: size(one.plan))
            for _, kept in sorted(self.found.items())
            if kept
        ]
        return [unconfirmed(self._runner, one) for one in smallest]

    def _each(
        self,
        signature: Signature,
        waiting: dict[Troubles, Found],
        told: list[tuple[Troubles, float]],
        known: Known,
        smaller: Callable[[FaultPlan], Smaller | None],
        late: Callable[[], bool],
    ) -> Iterator[tuple[Found, Shrunk]]:
        """The causes that are told, each as small as it gets: at most five, the smallest first,
        those at places that were not told yet before others. What was tried is no longer
        waiting; `told` grows in between."""
        others = sum(not _vague(one.plan) for one in waiting.values()) > 1
        for _ in range(TOLD):
            if not waiting:
                return
            there = {place for cause, _ in told for place in places(cause)}
            chosen = min(waiting, key=lambda c: (places(c) <= there, size(waiting[c].plan)))
            found = waiting.pop(chosen)
            before, runs = found.plan, 0
            done = smaller(found.plan) if found.phase != SAVED else None
            if len(before) > FEW:  # most of the faults are at agents that have no part in it
                found, runs = sliced(self._runner, found, late)
                done = done if found.plan == before else None
            drawn = found.phase in ("random plans", MANY)
            unsure = drawn or (done is not None and not done.whole)
            if len(before) > 1 or _vague(before) or unsure:
                seen = Seen(self._runner, found)
                plan, more = shrink(found.plan, seen.fails, known, late)
                runs += more
                if plan != found.plan:
                    found = seen.under(plan)
                    done = done and smaller(plan)
            if before.given:
                seen = Seen(self._runner, found)
                plan, more = simpler(self._runner, found.plan, seen.fails, self._seed, late)
                found, runs, done = seen.under(plan), runs + more, None
            whole = found.plan
            found, more = sliced(self._runner, found, late)
            if found.plan != whole:
                seen = Seen(self._runner, found, whole if len(before) <= FEW else None)
                plan, again = shrink(found.plan, seen.fails, known, late)
                found, more = seen.under(plan), more + again
                done = done if len(plan) == len(whole) else None
            runs += more
            if _told(found.plan, told):
                continue
            if drawn_out(found.plan):  # not all were run, and that is not the budget's doing
                done = None
            if done is not None:
                done = replace(done, others=others)
            alike = self._alike.get((signature, troubles_of(found.plan)), {}).values()
            faults = dict.fromkeys(str(plan.over("")) for plan in alike)
            faults.pop(str(found.plan.over("")), None)
            others_too = tuple(faults)
            yield found, Shrunk(len(before), runs, done, others_too)


def _vague(plan: FaultPlan) -> bool:
    return any(slot.boundary == EVERYTHING for slot in plan.by_slot)


def _told(plan: FaultPlan, told: list[tuple[Troubles, float]]) -> bool:
    """Whether a plan shows what was told already, at as many crossings or more."""
    cause = troubles_of(plan)
    return any(part <= cause and struck <= reach(plan) for part, struck in told)


def _counted(signature: Signature, rest: list[Found], *, more: bool) -> str:
    """`and 4 more causes of AF101 charge: model#2:empty, ...`"""
    plans = [str(one.plan) for one in sorted(rest, key=lambda one: size(one.plan))]
    named = ", ".join(plans[:TOLD]) + (", ..." if len(plans) > TOLD else "")
    least = "at least " if more else ""
    causes = f"{least}{len(rest)} more cause{'s' * (len(rest) != 1)}"
    return f"and {causes} of {' '.join(signature)}, not shown: {named}"


def _unconfirmed(signature: Signature, found: list[Found]) -> str:
    plan = min((one.plan for one in found), key=size)
    return f"{' '.join(signature)}: seen under {plan}, and not confirmed: max_time was up"


def _hurried(signature: Signature, plan: FaultPlan) -> str:
    return (
        f"{' '.join(signature)}, {plan}: max_time was up before it was shrunk and controlled as "
        "far as it goes"
    )
