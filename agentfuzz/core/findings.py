"""What a campaign found, and exactly what it covered: frozen data for every report.

Law: a report adds nothing; whatever it says is a field here. Written by the campaign, read by
report/ and by the doors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from agentfuzz.core.history import History
from agentfuzz.core.matrix import Matrix
from agentfuzz.core.paths import Paths
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation

DIED = "the run that ended the process"  # the phase of a counterexample without a history
REGRESSION = "regression"  # the phase of what a regression test found


@dataclass(frozen=True, slots=True)
class Control:
    """The same plan with one fault left out. `broken` says whether the same law still breaks;
    `effects` counts what was committed then, as `1 charge`."""

    removed: str
    plan: str
    broken: bool
    effects: str


@dataclass(frozen=True, slots=True)
class Smaller:
    """What was done of the plans that are smaller than a counterexample's: `run` were run,
    `equivalent` left out because another led to the same state; `whole` if those are all there
    are. `others`: some of them break the law as well, by another cause."""

    run: int
    equivalent: int = 0
    whole: bool = True
    others: bool = False


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One bug: the smallest plan that shows it, replayed and controlled.

    `id` is the same on every machine and in every run: a hash of nodeid, code, subject and plan.
    `location` is `path:line function`, the path relative to the project, or None.
    `history` is the run under `plan`, `baseline` the run without faults (the same object when
    the plan is empty). `stack` is where the run was when it was cut off, or the process died:
    one call a line, outermost first. It differs from run to run, and is part of no digest.
    `traceback` is where the exception came from by which the agent, or its test, failed: the calls
    of the user's code, outermost first, five source lines, and the exception; part of no digest
    either.
    `source` is the file around `location`, five lines at most, `>` before the one that is meant.
    `called` is where each call of the run was made, as `location`.
    `smaller` is what is known of smaller plans, None outside of a search; `alike` are other plans
    with one fault that showed the same by the same cause, and were not replayed. `agents` is how
    many the run had been about before it was sliced to those that its plan names, 0 without.
    `known` is the test in which the project's baseline has it, which is an older name of this one
    if that was renamed; empty for what is new. `enough` is of everything being down what it takes,
    as a plan; empty where nothing less shows the same.
    """

    id: str
    nodeid: str
    scenario: str
    task: str
    law: str
    violation: Violation
    plan: FaultPlan
    history: History
    baseline: History
    phase: str
    faults_before: int
    shrink_runs: int
    controls: tuple[Control, ...]
    location: str | None
    stack: str = ""
    traceback: str = ""
    smaller: Smaller | None = None
    alike: tuple[str, ...] = ()
    agents: int = 0
    source: tuple[str, ...] = ()
    called: Mapping[str, str] = field(default_factory=dict)
    known: str = ""
    enough: str = ""

    @property
    def code(self) -> str:
        return self.violation.code

    @property
    def title(self) -> str:
        return self.violation.title


@dataclass(frozen=True, slots=True)
class Level:
    """How far one phase got. `done` of `total` plans were run; `skipped` were left out because
    a plan that leads to the same state was run. What proves impossible is no plan and not counted,
    once it was tried. `total` None: the phase has no end (random), or its end is not known.
    `limits` says which plans were meant, where the name could promise more."""

    name: str
    done: int
    total: int | None
    skipped: int = 0
    limits: str = ""


@dataclass(frozen=True, slots=True)
class LawCount:
    """How often a law held, was broken and was not exercised, over all runs of a campaign."""

    held: int = 0
    violated: int = 0
    not_exercised: int = 0


@dataclass(frozen=True, slots=True)
class CampaignResult:
    """One campaign: one test, one scenario, one search.

    `kinds` counts per fault kind how often it struck (0: it could have and never did), `tools`
    how often each tool was called, `matrix` says what came of each kind at each slot. `seconds` are
    real; every other number is deterministic unless `stopped` is `max_time`. `stopped` is
    `exhausted`, `max_runs`, `max_time`, `skip` (the test was left) or `interrupt`. `notes` say what
    was replayed, fixed or no longer applies; `untested` what never came into play, each with its
    AF8xx code; `escapes` what escaped control, each with AF905; `unjudged` what of the fault-free
    run no law can judge, each with the line that would change it. `told` is what was found here and
    told by another test of the session: `AF102 charge_card`, and which test. `made` says how its
    runs were made: that may be another thing on another machine, so the terminal tells it and no
    report does. `paths` are the error paths of the agent, None where nobody asked for them.
    `unsearched` says what was run where nothing was searched.
    """

    nodeid: str
    scenario: str
    runs: int
    seconds: float
    struck: int
    stopped: str
    seed: int
    levels: tuple[Level, ...] = ()
    findings: tuple[Counterexample, ...] = ()
    laws: Mapping[str, LawCount] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    tools: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    clean: str = ""
    escapes: tuple[str, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    unjudged: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    matrix: Matrix = field(default_factory=Matrix)
    paths: Paths | None = None
    unsearched: str = "one run without faults"

    @property
    def new(self) -> tuple[Counterexample, ...]:
        """The findings that no baseline knows."""
        return tuple(cx for cx in self.findings if not cx.known)

    def covered(self) -> str:
        """One sentence: what was run, of what there was."""
        parts = []
        for level in self.levels:
            covered = level.done + level.skipped
            name = f"{level.name} ({level.limits})" if level.limits else level.name
            if level.total is None:
                parts.append(f"{level.done:,} {name}")
            elif covered < level.total:
                parts.append(f"{level.done:,} of {level.total:,} {name}")
            elif level.skipped:
                parts.append(f"{covered:,} of {level.total:,} {name}")
            else:
                parts.append(f"all {level.total:,} {name}")
            if level.skipped:
                parts.append(f"{level.skipped:,} skipped as equivalent")
        return ", ".join(parts) or self.unsearched


def told_once(results: Sequence[CampaignResult]) -> list[str]:
    """A line for each finding that one test has told for others."""
    tellers: dict[str, set[str]] = {}
    for result in results:
        for text, teller in result.told.items():
            tellers.setdefault(text, set()).add(teller.rpartition("::")[2])
    lines = []
    for text, names in sorted(tellers.items()):
        times = sum(text in result.told for result in results)
        others = f"{times:,} other test{'s' * (times != 1)}"
        lines.append(f"{text}: also met in {others} (told once, in {', '.join(sorted(names))})")
    return lines


def finding_id(nodeid: str, violation: Violation, plan: FaultPlan, digits: int = 12) -> str:
    """The same id for the same bug on every machine: no line numbers, no values, no time. Of 48
    bits, or as many hexadecimal digits as are asked for."""
    parts = (nodeid, violation.code, violation.subject, str(plan))
    name = sha256(chr(0).join(parts).encode("utf-8", "backslashreplace")).hexdigest()
    return f"AF-{name[:digits]}"
