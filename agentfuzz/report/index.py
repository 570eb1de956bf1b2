"""The index: a session as every format tells it, what is fixed and causes first.

Law: nothing is said that no result says, and nothing that a result says is left out; the same of
several tests is said once, with their names. Pure; texts are raw, and escaped by each format.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from agentfuzz.core.errors import PlanError
from agentfuzz.core.faults import Slot
from agentfuzz.core.findings import CampaignResult, Counterexample, told_once
from agentfuzz.core.lanes.words import count
from agentfuzz.core.matrix import Outcome, Row
from agentfuzz.core.plan import FaultPlan
from agentfuzz.report.grid import WORDS, Grid, grids
from agentfuzz.telling import commands
from agentfuzz.telling.causes import Cause, causes
from agentfuzz.telling.names import shortened
from agentfuzz.telling.troubles import Troubles, troubles_of

NOTHING = "AF801"


@dataclass(frozen=True, slots=True)
class Said:
    """One text, and the tests of which it is said, by their short names."""

    text: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Laws:
    """The laws of a campaign by what came of them, each by its name."""

    broken: tuple[str, ...]
    held: tuple[str, ...]
    idle: tuple[str, ...]

    @property
    def total(self) -> int:
        return len(self.broken) + len(self.held) + len(self.idle)

    @property
    def text(self) -> str:
        """`8 laws held, 2 broken, 3 not exercised`."""
        return (
            f"{count(len(self.held), 'law')} held, {len(self.broken)} broken, "
            f"{len(self.idle)} not exercised"
        )


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign, by a name that is short and its own."""

    result: CampaignResult
    name: str
    causes: tuple[Cause, ...]
    laws: Laws
    grids: tuple[Grid, ...]

    @property
    def verdict(self) -> str:
        """In a few words."""
        if self.result.findings:
            return "broken" if self.result.new else "known"
        if any(text.startswith(NOTHING) for text in self.result.untested):
            return "nothing tested"
        return "held" if self.result.stopped == "exhausted" else "held so far"


@dataclass(frozen=True, slots=True)
class Index:
    """A session. `headline` counts causes and findings, `fixed` are saved findings that are no
    longer there, `verdict` are sentences, `warnings` what
    was not tested, is not judged and escapes control, each under its title; `outcomes` are those
    that stand in a grid."""

    causes: tuple[Cause, ...]
    campaigns: tuple[Campaign, ...]
    headline: str
    lead: str
    fixed: tuple[Said, ...]
    verdict: tuple[str, ...]
    warnings: tuple[tuple[str, tuple[Said, ...]], ...]
    notes: tuple[Said, ...]
    commands: tuple[tuple[str, str], ...]
    outcomes: tuple[Outcome, ...]


def is_fixed(note: str) -> bool:
    """Whether it says that a saved finding is no longer there."""
    return note.startswith("replayed saved finding ") and note.endswith(": fixed")


def tell(results: Sequence[CampaignResult]) -> Index:
    """The index of these campaigns."""
    found = causes([cx for result in results for cx in result.findings])
    names = shortened([result.nodeid for result in results])
    campaigns = tuple(_campaign(result, names[result.nodeid], found) for result in results)
    several = len(results) > 1

    def said(texts: Callable[[CampaignResult], Iterable[str]]) -> tuple[Said, ...]:
        by_text: dict[str, list[str]] = {}
        for result in results:
            for text in texts(result):
                by_text.setdefault(text, []).append(names[result.nodeid])
        return tuple(Said(text, tuple(who) if several else ()) for text, who in by_text.items())

    warnings = (
        ("Not tested", said(lambda result: result.untested)),
        ("Not judged", said(lambda result: result.unjudged)),
        ("Escapes control", said(lambda result: result.escapes)),
    )
    return Index(
        causes=found,
        campaigns=campaigns,
        headline=headline(found, campaigns),
        lead=_lead(results),
        fixed=said(lambda result: filter(is_fixed, result.notes)),
        verdict=tuple(_verdict(campaigns)),
        warnings=tuple((title, told) for title, told in warnings if told),
        notes=(
            *(Said(text, ()) for text in told_once(results)),
            *said(lambda one: (text for text in one.notes if not is_fixed(text))),
        ),
        commands=tuple(_commands(found, results)),
        outcomes=tuple(_outcomes(campaigns)),
    )


def headline(found: Sequence[Cause], campaigns: Sequence[Campaign]) -> str:
    """`12 causes, 29 findings`; without any, whether that means something."""
    if found:
        findings = sum(len(cause.findings) for cause in found)
        by = f"{count(len(found), 'cause')}, " if len(found) != findings else ""
        return f"{by}{count(findings, 'finding')}"
    if not campaigns:
        return "No campaign was run"
    if all(one.verdict == "nothing tested" for one in campaigns):
        return "Nothing was tested"
    return "No finding"


def _outcomes(campaigns: Sequence[Campaign]) -> Iterable[Outcome]:
    there = {
        mark.outcome
        for one in campaigns
        for grid in one.grids
        for line in grid.lines
        for mark in line.marks.values()
    }
    return (outcome for outcome in WORDS if outcome in there)


def _lead(results: Sequence[CampaignResult]) -> str:
    runs, struck = (sum(each) for each in ([r.runs for r in results], [r.struck for r in results]))
    return (
        f"{count(len(results), 'campaign')}, {count(runs, 'run')}, {count(struck, 'fault')} struck."
    )


def _verdict(campaigns: Sequence[Campaign]) -> Iterable[str]:
    """Of how many tests every law held, and how far that goes."""
    if not campaigns:
        return
    at = {word: sum(one.verdict == word for one in campaigns) for word in _VERDICTS}
    every = len(campaigns)
    for word, says in _VERDICTS.items():
        if at[word]:
            all = "The test" if every == 1 else f"All {every:,} tests"
            yield f"{all if at[word] == every else f'{at[word]:,} of {every:,} tests'} {says}."
    stopped = [one.result.stopped for one in campaigns]
    for how in sorted(set(stopped) - {"exhausted"}):
        yield f"{how} ended {count(stopped.count(how), 'campaign')} before everything was run."
    if set(stopped) == {"exhausted"}:
        yield "Everything that was to be run was run."


_VERDICTS = {
    "broken": "broke a law",
    "known": "broke laws only as the baseline knows",
    "held": "kept every law that came into play",
    "held so far": "kept every law so far",
    "nothing tested": "tested nothing: that is no pass",
}


def _commands(
    found: Sequence[Cause], results: Sequence[CampaignResult]
) -> Iterable[tuple[str, str]]:
    """What to type: a title and a line each."""
    if any(commands.saved(cx) for cause in found for cx in cause.findings):
        yield "All findings again", "pytest --agentfuzz-replay all"
    for cause in found[:1] if len(found) > 1 else found:
        story = cause.lead
        yield f"One of them ({story.code})", commands.replay(story)
        if kept := commands.keep(story):
            yield "Keep it as a test", kept
        yield f"Read about {story.code}", f"pytest --agentfuzz-explain {story.code}"
    for seed in sorted({result.seed for result in results}):
        yield f"The whole search again (seed {seed})", f"pytest --agentfuzz --agentfuzz-seed {seed}"


def _campaign(result: CampaignResult, name: str, found: Sequence[Cause]) -> Campaign:
    laws = {law: (n.violated > 0, n.held > 0) for law, n in sorted(result.laws.items())}
    return Campaign(
        result,
        name,
        tuple(cause for cause in found if result.nodeid in cause.tests),
        Laws(
            tuple(law for law, (broken, _) in laws.items() if broken),
            tuple(law for law, (broken, held) in laws.items() if held and not broken),
            tuple(law for law, (broken, held) in laws.items() if not broken and not held),
        ),
        grids(result, _pages(result, found)),
    )


def _pages(result: CampaignResult, found: Sequence[Cause]) -> Callable[[Row, str, str], str]:
    """The cause whose page tells best of what broke there: the same fault, or one that is the same
    trouble; by the same law, or by one that says it of the same plan."""
    mine = [
        (cx, cause.id, troubles_of(cx.plan))
        for cause in found
        for cx in cause.findings
        if cx.nodeid == result.nodeid
    ]
    elsewhere = {
        (text.partition(" ")[0], teller): cause.id
        for text, teller in result.told.items()
        for cause in found
        if teller in cause.tests and text.partition(" ")[0] in cause.codes
    }
    other = {code: page for (code, _), page in elsewhere.items()}

    def find(row: Row, kind: str, code: str) -> str:
        there = _troubles(f"{row.slot._replace(nth=1)}:{kind}")
        ranked = [
            ((cx.code != code, not _struck(cx, row.slot, kind)), page)
            for cx, page, troubles in mine
            if _struck(cx, row.slot, kind) or (cx.code == code and there & troubles)
        ]
        return min(ranked)[1] if ranked else other.get(code, "")

    return find


def _struck(cx: Counterexample, slot: Slot, kind: str) -> bool:
    fault = cx.plan.get(slot)
    return fault is not None and fault.kind == kind


@cache
def _troubles(plan: str) -> Troubles:
    try:
        return troubles_of(FaultPlan.parse(plan))
    except PlanError:  # of a boundary that is not known any more
        return frozenset()
