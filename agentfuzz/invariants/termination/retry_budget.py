"""The law about how often one thing is tried (AF217).

Law: all the layers of a loop share one budget of attempts: three times three is nine. Source:
CATALOGUE law L2; Tian Pan, "When Your Agent Framework Becomes the Bug" (2026).
"""

from collections.abc import Iterator

from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Called, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import Logical, logical, logical_of
from agentfuzz.invariants.queries.conversations import asked_for, begun_after, origin


@law(codes={"AF217": "Too many attempts at one call"}, catalogue="L2")
def retry_budget(*, attempts: int = 3, factor: float | None = None) -> Check:
    """A call that fails is tried at most `attempts` times, over all layers of the loop.

    An attempt is the same tool for the same intent (for a tool that only reads: with the same
    arguments), begun after the one before it had been answered, and not as applied; counted within
    a leg, from the last applied or replayed reply on. With `factor`, a call that failed is made at
    most so many times as often as the model asked for it, over the whole run.

    Departs from the catalogue: it counts what the loop sends, not what arrives, for a network that
    delivers a request twice is nobody's retry; and a fan-out is no retry: calls side by side, and
    calls that one turn of the model asks for under an id each, are no attempts at one another.

    NOT_EXERCISED when no call failed.
    """
    if attempts < 1 or (factor is not None and factor < 1):
        raise ScenarioError(
            f"retry_budget(attempts={attempts}, factor={factor}): the first attempt counts, so "
            "both are 1 or more, as in retry_budget(attempts=3)."
        )

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        failed = {
            logical(history.calls[reply.call])
            for reply in history.of(Replied)
            if not _applied(reply)
        }
        if not failed:
            return None
        rows = (_in_a_row(history, streak) for streak in _streaks(history))
        found = [_too_often(row, attempts) for row in rows if len(row) > attempts]
        if factor is not None:
            found += _amplified(history, failed, factor)
        return found

    return check


def _streaks(history: History) -> Iterator[list[Called]]:
    """The calls about each thing, from one success (or the first of them) to the next."""
    for leg in history.legs:
        calls: dict[str, Called] = {}
        tries: dict[object, list[Called]] = {}
        for event in leg:
            if isinstance(event, Called):
                calls[event.call] = event
                tries.setdefault(_about(event), []).append(event)
            elif isinstance(event, Replied) and event.call in calls and _applied(event):
                yield tries.pop(_about(calls[event.call]), [])
        yield from tries.values()


def _applied(reply: Replied) -> bool:
    return reply.outcome in ("applied", "replayed")


def _about(call: Called) -> object:
    return logical(call) if call.intent is None else (call.slot.name, call.intent)


def _in_a_row(history: History, streak: list[Called]) -> list[Called]:
    """The longest row of calls, each begun after the one before it had been answered, and asked
    for at another time."""
    length: list[int] = []  # of the longest row that ends with this call
    before: list[int] = []  # the place of the call before it there, or -1
    for at, call in enumerate(streak):
        best, longest = -1, max(length, default=0)
        for place in range(at - 1, -1, -1):
            longer = best < 0 or length[place] > length[best]
            if longer and begun_after(history, streak[place], call):
                best = place
                if length[best] == longest:
                    break
        before.append(best)
        length.append(1 if best < 0 else length[best] + 1)
    row: list[Called] = []
    at = length.index(max(length)) if length else -1
    while at >= 0:
        row.append(streak[at])
        at = before[at]
    return row[::-1]


def _too_often(streak: list[Called], attempts: int) -> Violation:
    tool = streak[0].slot.name
    return Violation(
        code="AF217",
        subject=tool,
        title=f"{tool} tried {len(streak)}x, budget {attempts}",
        sentence=(
            f"{tool} was tried {len(streak)} times for the same thing, and none of the attempts "
            f"before the last was answered as applied; the budget is {attempts}."
        ),
        says=f"at most {attempts} attempts",
        world=f"{len(streak)} calls",
        witness=tuple(call.seq for call in streak[: attempts + 1]),
        hint="retry in one layer, and switch the retries of all others off (max_retries=0)",
    )


def _amplified(history: History, failed: set[Logical], factor: float) -> Iterator[Violation]:
    wanted: dict[Logical, int] = {}
    for one in asked_for(history):
        if not isinstance(one.arguments, str):
            about = logical_of(one.tool, one.arguments)
            wanted[about] = wanted.get(about, 0) + 1
    made: dict[Logical, list[Called]] = {}
    missed: dict[Logical, bool] = {}
    for call in history.of(Called):
        ask = origin(history, call)
        about = logical(call)
        if ask is not None and ask.tool == call.slot.name and not isinstance(ask.arguments, str):
            about = logical_of(ask.tool, ask.arguments)
        made.setdefault(about, []).append(call)
        missed[about] = missed.get(about, False) or logical(call) in failed
    for about, calls in made.items():
        times = wanted.get(about, 0)
        if not missed[about] or not times or len(calls) <= factor * times:
            continue
        tool = about[0]
        yield Violation(
            code="AF217",
            subject=f"{tool} factor",
            title=f"{tool} {len(calls)}x for {times}, factor {factor:g}",
            sentence=(
                f"The model asked for {tool} {times} times, and it was called {len(calls)} times: "
                f"more than {factor:g} calls for each."
            ),
            says=f"at most {factor:g} calls for each that was asked for",
            world=f"{len(calls)} calls for {times}",
            witness=tuple(call.seq for call in calls),
            hint="retry in one layer, and switch the retries of all others off (max_retries=0)",
        )
