"""Two histories: the finding that a plan did not give the same run twice (AF904).

Law: it names the first event that differs, says how many replays came out how, and claims nothing
else about such a run; a finding that did not come back is named in it, with its plan. Made for a
campaign by what runs plans again and by what confirms.
"""

from agentfuzz.core.events import Called, Event
from agentfuzz.core.findings import Counterexample, finding_id
from agentfuzz.core.history import History
from agentfuzz.core.parting import first_difference, parting
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.search.escaped import aside
from agentfuzz.search.runner import Runner
from agentfuzz.search.watched import doubt

REPLAYS = 4
LAW = "the same plan gives the same history"
HINT = (
    "seed what is random, keep nothing between runs (globals, caches, counters of a module), and "
    "take time from the virtual clock"
)


def hurried(history: History) -> bool:
    """Whether a run was cut off while it was computing: by real time, so that a busy machine may
    have done it."""
    ended = history.ended
    return ended is not None and (ended.how, ended.error) == ("cut_off", "spinning")


def two_histories(
    runner: Runner,
    plan: FaultPlan,
    first: History,
    again: History,
    *,
    runs: str,
    lost: Violation | None = None,
    difference: str = "",
    subject: str = "run",
    phase: str = "run again",
) -> Counterexample:
    """The finding. `runs` says how many replays came out how; `lost` is the violation that the
    first run showed and that did not come back; `difference` stands for an unknown first event.
    Raises Doubted where the first run may have been made without the agent, or they differ because
    one was watched."""
    runner.doubt(plan)
    doubt(runner, plan)
    at, plan = parting(first, again), runner.stories.told(plan)
    event, other = _event(first, at), _event(again, at)
    under = f"under the plan {str(plan)!r}" if plan or plan.given else "without faults"
    seen = f"two runs {under} differ."
    if lost is not None:
        seen = f"{lost.code} {lost.title} {under} did not come back on replay."
    told = (
        difference
        or first_difference(first, again)
        or ("The same plan gave a run in which the law held.")
    )
    sentence = f"{seen} {told} {runs[:1].upper()}{runs[1:]}.{aside(runner.root)}"
    place = "another run" if at is None else f"event {at}, {_named(event or other, first)}"
    violation = Violation(
        code="AF904",
        subject=subject if lost is None else f"{lost.code} {lost.subject}",
        title=f"two histories: {place}",
        sentence=sentence[:1].upper() + sentence[1:],
        says=f"first {_named(event, first)}",
        world=f"again {_named(other, again)}",
        witness=() if event is None else (event.seq,),
        hint=HINT + _used_up(runner, plan),
    )
    return Counterexample(
        id=finding_id(runner.nodeid, violation, plan),
        nodeid=runner.nodeid,
        scenario=runner.scenario.name,
        task=runner.stories.of(plan)[0].task,
        law=LAW,
        violation=violation,
        plan=plan,
        history=first,
        baseline=(len(plan) and runner.baseline(plan)) or first,
        phase=phase,
        faults_before=len(plan),
        shrink_runs=0,
        controls=(),
        location=None,
    )


def _used_up(runner: Runner, plan: FaultPlan) -> str:
    """That a fixture is the likely cause where runs without faults differ: it is made once."""
    names = getattr(runner.agent, "fixtures", ())
    if plan or not names:
        return ""
    renew = ", ".join(f"{name!r}" for name in names) + ("," if len(names) == 1 else "")
    return (
        f"; likely a fixture ({', '.join(names)}): it is made once for all runs, so what the first "
        "run uses up (a generator, an iterator, an open file) or changes is gone in the second; "
        f"renew it for each run: @fuzz(..., each_run=({renew}))"
    )


def _event(history: History, at: int | None) -> Event | None:
    return history.events[at] if at is not None and at < len(history) else None


def _named(event: Event | None, history: History) -> str:
    """`Called pay#2`; of what belongs to a call, the call's slot."""
    if event is None:
        return "nothing more"
    slot, call = getattr(event, "slot", None), getattr(event, "call", None)
    if slot is None and call is not None:
        slot = next((one.slot for one in history.of(Called) if one.call == call), None)
    return f"{type(event).__name__}{'' if slot is None else f' {slot}'}"
