"""Watched runs, and those that nobody watches: what a campaign does so that it makes no difference.

Law: watching error paths makes no finding and hides none. What confirms a finding, and what is run
again to see whether it comes out the same, is run unwatched; where runs differ only because they
are watched, watching ends, nothing of what was run so counts, and a line says so. Called by the
campaign and by what runs plans again.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from agentfuzz.core.history import History
from agentfuzz.core.parting import first_difference, parting
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.maker import Maker
from agentfuzz.search.memo.memo import Doubted

NOTHING = FaultPlan()


class Seen(Doubted):
    """An agent comes out otherwise while its error paths are watched."""


def unwatched(maker: Maker) -> AbstractContextManager[None]:
    """In this block runs of the agent are made with the code that it has."""
    return nullcontext() if maker.watch is None else maker.watch.turned(on=False)


def begin(maker: Maker, plain: History) -> str:
    """From now on runs are watched, if anybody asked for it: one without faults first, which counts
    nowhere. Where it does not come out as `plain` did, and two that nobody watched were the same,
    none is, and this says why."""
    watch = maker.watch
    if watch is None:
        return ""
    watch.put_in(maker.agent, maker.other)  # what the agent imports in a run is there now
    if not (watch.changes and maker.steady) or not _differ(plain, history := _run(maker, NOTHING)):
        return ""
    with unwatched(maker):
        if _differ(plain, _run(maker, NOTHING)):
            return ""  # nor does it unwatched: it will be told of that
    return f"its error paths were not watched: {_end(maker, NOTHING, plain, history)}"


def others(maker: Maker) -> Iterator[str]:
    """What the runs that others have made left counts as what runs here leave; a line where nobody
    watched some of them."""
    watch, marks = maker.watch, maker.dealing.marks
    if watch is None:
        return
    for left in marks.values():
        watch.add(left or ())
    if without := [part for part, left in marks.items() if left is None]:
        watch.take_out()
        maker.watch = None
        yield (
            f"its error paths are not known: {', '.join(without)} did not watch them. Make all "
            "shards with --agentfuzz-paths"
        )


def left(maker: Maker) -> Sequence[str] | None:
    """The marks that the runs of a campaign have left; None where nobody watched."""
    return None if maker.watch is None else maker.watch.marks.seen


def doubt(maker: Maker, plan: FaultPlan) -> None:
    """Two runs under a plan differ. Raises Seen if that is so because runs are watched: two that
    are not come out the same, and one that is does not."""
    if maker.watch is None or not maker.watch.changes:
        return
    with unwatched(maker):
        one, other = _run(maker, plan), _run(maker, plan)
    with maker.watch.turned(on=True):
        history = _run(maker, plan)
    if not _differ(one, other) and _differ(one, history):
        raise Seen(f"begun anew, error paths unwatched: {_end(maker, plan, one, history)}")


def _end(maker: Maker, plan: FaultPlan, one: History, other: History) -> str:
    """Nobody watches any more: why."""
    assert maker.watch is not None, "it was asked"
    maker.watch.give_up()
    maker.watch = None
    under = f"under {plan}" if plan or plan.given else "without faults"
    said = first_difference(one, other) or ""
    return f"the agent comes out otherwise {under} while they are watched. {said}".rstrip()


def _run(maker: Maker, plan: FaultPlan) -> History:
    scenario = maker.stories.of(plan)[0] if plan.given else maker.scenario
    maker.crash_log.begin(plan)
    return maker.simulation.execute(scenario, maker.agent, maker.under(plan))


def _differ(one: History, other: History) -> bool:
    """Where a run was cut off is the machine's doing: that says nothing."""
    ends = (one.ended, other.ended)
    cut_off = any(end is not None and end.how == "cut_off" for end in ends)
    return not cut_off and parting(one, other) is not None
