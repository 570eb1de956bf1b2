"""The law that a fan-out is bounded (AF702).

Law: a limit holds at every moment, and what counts is who is at work, not who was ever begun.
Source: CATALOGUE law M2.
"""

from agentfuzz.core.between import Finished, Spawned
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Crashed, Resumed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law


@law(codes={"AF702": "More agents at once than allowed"}, catalogue="M2")
def fan_out(*, limit: int = 5) -> Check:
    """At every moment at most `limit` spawned agents are at work.

    One is at work from its beginning until it ends, or the process dies; children of children
    count. Counted for each leg: who handles a trigger that comes twice has a team for each.

    NOT_EXERCISED when nobody was spawned.
    """
    if limit < 1:
        raise ScenarioError(
            f"fan_out(limit={limit}): no child could ever begin; give at least 1, as in "
            "fan_out(limit=5)."
        )

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not history.of(Spawned):
            return None
        crowd = _largest(history)
        return [_violation(crowd, limit)] if len(crowd) > limit else []

    return check


def _largest(history: History) -> list[Spawned]:
    """The children of one leg that were at work when most of them were, for the first time."""
    live: dict[str, tuple[int, Spawned]] = {}
    largest: list[Spawned] = []
    leg = 1
    for event in history.events:
        if type(event) is Resumed:
            leg = event.leg
        elif type(event) is Spawned:
            live[event.agent] = (leg, event)
            crowd = [one for its, one in live.values() if its == leg]
            if len(crowd) > len(largest):
                largest = crowd
        elif type(event) is Finished:
            live.pop(event.agent, None)
        elif type(event) is Crashed:
            live.clear()
    return largest


def _violation(crowd: list[Spawned], limit: int) -> Violation:
    first_too_many = crowd[limit]
    return Violation(
        code="AF702",
        subject="children",
        title=f"{len(crowd)} agents at once, {limit} allowed",
        sentence=(
            f"{len(crowd)} agents were at work at once; {first_too_many.agent}, begun at "
            f"{first_too_many.t:g} s, was the first one beyond the {limit} that are allowed."
        ),
        says=f"at most {limit} at once",
        world=f"{len(crowd)} were at work",
        witness=tuple(one.seq for one in crowd[: limit + 1]),
        hint="begin children behind a semaphore, and let a plan with too many parts be cut or "
        "refused before anybody is begun",
    )
