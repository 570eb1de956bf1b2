"""The law that no two agents do the same piece of work (AF701).

Law: whoever divides a task says who does what; one piece has one agent at a time. What is done
twice for all that, whoever did it, is `at_most_once`'s to judge. Source: CATALOGUE law M1.
"""

from collections.abc import Iterator
from typing import NamedTuple

from agentfuzz.core.between import HandoffAccepted, Spawned
from agentfuzz.core.events import Called, Event
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean, doubtful, refused
from agentfuzz.invariants.queries.children import children
from agentfuzz.invariants.queries.teams import acting, agent_of
from agentfuzz.invariants.queries.undoing import undone


@law(codes={"AF701": "Two agents did the same piece of work"}, catalogue="M1")
def disjoint(effect: str | None = None) -> Check:
    """No intent is called by two agents, unless the second one takes it over.

    It takes it over when it accepted a handoff after the first one's call (one of many behind a
    queue: in the name of them all); when the first one had ended and did not return; when it had
    returned and no reply ever told it that the call was carried out; when all its calls were
    refused, or what they did was taken back. Counted within a leg. One name is one agent: a child
    that is begun twice does its own work twice.

    NOT_EXERCISED when fewer than two agents called for an effect (for this one, if it is named).
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        legs = [list(_asked(history, leg, effect)) for leg in history.legs]
        if len({one.agent for asked in legs for one in asked}) < 2:
            return None
        return [
            _violation(first, second)
            for asked in legs
            for at, second in enumerate(asked)
            for first in asked[:at]
            if first.agent != second.agent and first.call.intent == second.call.intent
            if not _taken_over(history, first, second, asked[:at])
        ]

    return check


class Asked(NamedTuple):
    """An agent called for an effect."""

    agent: str
    call: Called


def _asked(history: History, leg: list[Event], effect: str | None) -> Iterator[Asked]:
    unnamed = any(one.parent == "" for one in history.of(Spawned))  # then it is an agent, too
    for call in leg:
        if type(call) is Called and call.intent and effect in (None, call.intent.effect):
            agent = agent_of(history, call)
            if agent or unnamed:
                yield Asked(agent, call)


def _taken_over(history: History, first: Asked, second: Asked, before: list[Asked]) -> bool:
    began, now = first.call.seq, second.call.seq
    by = acting(history)
    if any(
        second.agent in (yes.agent, by[yes.seq]) and began < yes.seq < now
        for yes in history.of(HandoffAccepted)
    ):
        return True
    same = (one.call for one in before if one.agent == first.agent)
    learnt = {_learnt(history, call, now) for call in same if call.intent == first.call.intent}
    if learnt == {"no"}:
        return True
    return any(
        child.finished.how != "returned" or "yes" not in learnt
        for child in children(history)
        if child.spawned.agent == first.agent
        if child.finished is not None and began < child.finished.seq < now
    )


def _learnt(history: History, call: Called, before: int) -> str:
    """What an agent had learnt of a call: `yes`, `no` (also when it is undone), or nothing for
    certain."""
    did = [commit.seq for commit in history.ledger if commit.call == call.call]
    if did and undone(history, before).issuperset(did):
        return "no"
    reply = history.replies.get(call.call)
    if reply is None or reply.seq > before:
        return ""
    if refused(reply):
        return "no"
    return "yes" if clean(reply) and not doubtful(history, call) else ""


def _violation(first: Asked, second: Asked) -> Violation:
    intent, earlier, later = first.call.intent, first.call, second.call
    one, other = first.agent or "their parent", second.agent or "their parent"
    assert intent is not None, "only calls for an effect are asked for"
    return Violation(
        code="AF701",
        subject=intent.effect,
        title=titled(f"{intent.effect}: two agents at it"),
        sentence=(
            f"{one} called for {intent} at {earlier.t:g} s and {other} did so, too, at "
            f"{later.t:g} s, without taking it over."
        ),
        says=f"{other} takes {intent} for its own work",
        world=f"{one} had called for it at {earlier.t:g} s",
        witness=(earlier.seq, later.seq),
        hint="give each piece to one agent; where another one must go on with it, stop the first "
        "one before, or hand it over",
    )
