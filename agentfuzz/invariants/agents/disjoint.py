"""The law that no two agents do the same piece of work (AF701).

Law: whoever divides a task says who does what; one piece has one agent at a time. What is done
twice for all that, whoever did it, is `at_most_once`'s to judge. Source: CATALOGUE law M1.
"""

from collections.abc import Iterator

from agentfuzz.core.between import HandoffAccepted, Spawned
from agentfuzz.core.events import Called, Event, Intent
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean, doubtful, refused
from agentfuzz.invariants.queries.children import children
from agentfuzz.invariants.queries.teams import agent_of
from agentfuzz.invariants.queries.undoing import undone


@law(codes={"AF701": "Two agents did the same piece of work"}, catalogue="M1")
def disjoint(effect: str | None = None) -> Check:
    """No intent is called by two agents, unless the second one takes it over.

    It takes it over when it accepted a handoff after the first one's call; when the first one had
    ended and did not return; when it had returned and no reply ever told it that the call was
    carried out; when all its calls were refused, or what they did was taken back. Counted within a
    leg. One name is one agent: a child that is begun twice does its own work twice.

    NOT_EXERCISED when fewer than two agents called for an effect (for this one, if it is named).
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        legs = [list(_calls(history, leg, effect)) for leg in history.legs]
        if len({agent for calls in legs for agent, _, _ in calls}) < 2:
            return None
        return [
            _violation(history, intent, (first, earlier), (second, later))
            for calls in legs
            for at, (second, intent, later) in enumerate(calls)
            for first, same, earlier in calls[:at]
            if first != second and same == intent
            if not _taken_over(history, first, second, earlier, later)
        ]

    return check


def _calls(
    history: History, leg: list[Event], effect: str | None
) -> Iterator[tuple[str, Intent, Called]]:
    unnamed = any(one.parent == "" for one in history.of(Spawned))  # then it is an agent, too
    for call in leg:
        if type(call) is Called and call.intent and effect in (None, call.intent.effect):
            agent = agent_of(history, call)
            if agent or unnamed:
                yield agent, call.intent, call


def _taken_over(history: History, first: str, second: str, earlier: Called, later: Called) -> bool:
    if any(
        yes.agent == second and earlier.seq < yes.seq < later.seq
        for yes in history.of(HandoffAccepted)
    ):
        return True
    answers = _answers(history, first, earlier, later)
    if answers and all(answer == "no" for answer in answers):
        return True
    return any(
        child.finished.how != "returned" or "yes" not in answers
        for child in children(history)
        if child.spawned.agent == first
        if child.finished is not None and earlier.seq < child.finished.seq < later.seq
    )


def _answers(history: History, agent: str, like: Called, later: Called) -> list[str]:
    """What an agent had learnt of its calls for one intent: `yes`, `no` (or it is undone), or
    nothing for certain."""
    gone = undone(history, later.seq)
    found = []
    for call in history.of(Called):
        if call.seq > later.seq or call.intent != like.intent or agent_of(history, call) != agent:
            continue
        did = [commit for commit in history.ledger if commit.call == call.call]
        reply = history.replies.get(call.call)
        if reply is not None and reply.seq > later.seq:
            reply = None
        taken_back = did and all(commit.seq in gone for commit in did)
        if taken_back or (reply is not None and refused(reply)):
            found.append("no")
        else:
            sure = reply is not None and clean(reply) and not doubtful(history, call)
            found.append("yes" if sure else "")
    return found


def _violation(
    history: History, intent: Intent, first: tuple[str, Called], second: tuple[str, Called]
) -> Violation:
    (one, earlier), (other, later) = first, second
    return Violation(
        code="AF701",
        subject=intent.effect,
        title=f"{intent.effect}: two agents at it"[:36],
        sentence=(
            f"{_who(one)} called for {intent} at {earlier.t:g} s and {_who(other)} did so, too, at "
            f"{later.t:g} s, without taking it over."
        ),
        says=f"{_who(other)} takes {intent} for its own work",
        world=f"{_who(one)} had called for it at {earlier.t:g} s",
        witness=(earlier.seq, later.seq),
        hint="give each piece to one agent; where another one must go on with it, stop the first "
        "one before, or hand it over",
    )


def _who(agent: str) -> str:
    return agent or "their parent"
