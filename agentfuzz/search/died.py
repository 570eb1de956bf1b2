"""A process that died under a plan, as a counterexample: AF902.

Law: nothing of the run is left but its plan; it has no history, is not shrunk and not controlled.
Called by the doors, and by a campaign whose runs are made in other processes.
"""

from agentfuzz.core.findings import DIED, Counterexample, finding_id
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation

CODE = "AF902"


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
