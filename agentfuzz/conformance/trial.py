"""A trial: one loop in one story, and in all of them.

Law: the search is that of a campaign, to the depth that is asked for and without random plans; a
verdict counts all of its runs, and a broken law is told with a plan that broke it twice. Called by
the plugin and by `tools/`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from agentfuzz.conformance.loop import Loop
from agentfuzz.conformance.stories import Story, ready
from agentfuzz.conformance.table import Cell, Row
from agentfuzz.core.findings import CampaignResult, Counterexample, LawCount, Level
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import FOREVER, Real
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.space import Space, size

BUDGET = Budget(depth=1, deep_runs=0)
HANGS = 2  # stories in a row that a loop spins in without a fault, and no other is tried


def trials(
    loop: Loop,
    stories: Iterable[Story],
    simulate: Callable[[Story], AbstractContextManager[Simulation]],
    *,
    budget: Budget = BUDGET,
    seconds: float = FOREVER,
    root: Path | None = None,
) -> Iterator[Row]:
    """A loop in stories, one after the other, for so many real seconds. A loop that spins in story
    after story is not tried in the others."""
    began, hangs = Real.monotonic(), 0
    for story in stories:
        rest = seconds - (Real.monotonic() - began)
        if rest <= 0 or hangs >= HANGS:
            why = "it spins without faults in the stories before" if rest > 0 else "the time was up"
            yield Row(story.name, why=f"not tried: {why}", untried=(why,))
            continue
        with simulate(story) as simulation:
            some = replace(budget, max_seconds=min(budget.max_seconds, rest))
            row = trial(loop, story, simulation, budget=some, root=root)
        spun = "(spinning)" in row.why or "(hung)" in row.why
        hangs = hangs + 1 if spun else 0
        yield row


def trial(
    loop: Loop,
    story: Story,
    simulation: Simulation,
    *,
    budget: Budget = BUDGET,
    root: Path | None = None,
) -> Row:
    """A loop in one story."""
    made = ready(story, loop, simulation)
    if made.why:
        return Row(story.name, why=made.why)
    campaign = Campaign(
        made.scenario,
        made.agent,
        simulation,
        nodeid=f"{loop.name}, {story.name}",
        space=Space(faults=made.scenario.faults),
        budget=budget,
        root=root,
    )
    campaign.search()
    return row(made.scenario, campaign.result())


def row(scenario: Scenario, result: CampaignResult) -> Row:
    """What a campaign came to, law by law."""
    broken = _broken(scenario, result)
    cells = [_cell(law, count, broken.pop(law, None)) for law, count in result.laws.items()]
    others = [replace(cell, runs=LawCount(violated=1)) for cell in broken.values()]
    return Row(
        scenario.name,
        cells=(*cells, *others),
        runs=result.runs,
        stopped=result.stopped,
        covered=result.covered(),
        levels=result.levels,
        untried=tuple(_untried(result, cells)),
    )


def _cell(law: str, count: LawCount, shown: Cell | None) -> Cell:
    if count.violated:
        return replace(shown or Cell(law, VIOLATED), runs=count)
    return Cell(law, HELD if count.held else NOT_EXERCISED, runs=count)


def _broken(scenario: Scenario, result: CampaignResult) -> dict[str, Cell]:
    """Every law that breaks under the plan of a finding, with the smallest of these. A finding is
    told by one law; others may see the same."""
    found: dict[str, Cell] = {}
    for one in sorted(result.findings, key=lambda one: size(one.plan)):
        for law, code, title in _laws(scenario, one):
            found.setdefault(law, Cell(law, VIOLATED, code, title, str(one.plan)))
    return found


def _laws(scenario: Scenario, one: Counterexample) -> Iterator[tuple[str, str, str]]:
    """The laws that break in a finding, its own first."""
    yield one.law, one.code, one.title
    if one.history.ended is not None:  # none, if the process died
        for verdict in scenario.judge(one.history, one.baseline):
            for violation in verdict.violations[:1]:
                yield verdict.law, violation.code, violation.title


def _untried(result: CampaignResult, cells: Iterable[Cell]) -> Iterator[str]:
    """What was left out of what could have been tried, or came to nothing."""
    for level in result.levels:
        if level.total is not None and level.done + level.skipped < level.total:
            yield f"{_rest(level)}: stopped by {result.stopped}"
    yield from (text for text in result.untested if text.startswith(("AF801", "AF803")))
    for cell in cells:
        if cell.status == VIOLATED and not cell.plan:
            yield f"{cell.law} was broken in {cell.runs.violated:,} runs, and not confirmed"


def _rest(level: Level) -> str:
    return f"{(level.total or 0) - level.done - level.skipped:,} of {level.total:,} {level.name}"
