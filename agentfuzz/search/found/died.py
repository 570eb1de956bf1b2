"""A process that died under a plan, as a counterexample: AF902.

Law: nothing of the run is left but its plan; it has no history, is not shrunk and not controlled.
Called by the doors, and by a campaign whose runs are made in other processes.
"""

from collections.abc import Sequence

from agentfuzz.core.findings import DIED, Counterexample, finding_id
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation

CODE = "AF902"
MOST = 5  # of one campaign


def died(
    nodeid: str, scenario: str, plan: FaultPlan, said: str = "", stack: str = ""
) -> Counterexample:
    """`said` is a sentence on how it ended, `stack` where."""
    violation = Violation(
        code=CODE,
        subject="process",
        title="the process died",
        sentence=(
            "The process that ran this test was gone in the middle of a run: a crash in native "
            f"code, os._exit, or a kill (out of memory, a job that was stopped). {said}".rstrip()
        ),
        says="",
        world="",
        witness=(),
        hint="look for os._exit, for native code, and for memory that only grows",
    )
    nothing = History([])
    return Counterexample(
        id=finding_id(nodeid, violation, plan),
        nodeid=nodeid,
        scenario=scenario,
        task="",
        law="the process lives",
        violation=violation,
        plan=plan,
        history=nothing,
        baseline=nothing,
        phase=DIED,
        faults_before=len(plan),
        shrink_runs=0,
        controls=(),
        location=None,
        stack=stack,
    )


def told_of(deaths: Sequence[Counterexample], doubtful: bool) -> list[str]:
    """Notes on runs that other processes made: how many deaths are not shown, what was not run for
    fear of another; and where runs do not come back (`doubtful`), why that may be."""
    notes = []
    if len(deaths) > MOST:
        notes.append(f"and {len(deaths) - MOST} more plans under which a process died")
    if deaths:
        notes.append("no random plans: a process died under a plan of this test")
    if doubtful:
        notes.append(
            "several processes made these runs, and have files, ports and connections in common: "
            "--agentfuzz-workers=1 makes them one after the other"
        )
    return notes
