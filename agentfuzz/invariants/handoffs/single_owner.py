"""The law that one agent at a time acts for a task (AF602).

Law: who first hands a task over owns it, until whoever it is handed to accepts it. An agent may
have tasks of its own that no handoff names, so what it does is held against it only where another
agent did, or goes on to do, the very same. Part of every scenario. Source: CATALOGUE law H2.
"""

from collections.abc import Iterator
from itertools import combinations

from agentfuzz.core.between import HandoffAccepted, HandoffReceived
from agentfuzz.core.events import Called, Committed
from agentfuzz.core.history import History, query
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.arguing import argued, handed
from agentfuzz.invariants.queries.entitled import Held, Unbidden, unbidden
from agentfuzz.invariants.queries.outline import KINDS, Resting
from agentfuzz.invariants.queries.teams import (
    Passed,
    callers,
    handoffs,
    owned_by,
    owners,
    task_of,
)
from agentfuzz.invariants.queries.undoing import at_once, undoing


@law(codes={"AF602": "Somebody who did not own the task acted"}, catalogue="H2", always=True)
def single_owner() -> Check:
    """An effect of a task is caused by its owner, and by no second one.

    Broken by an agent that came to work by a handoff alone, has one in hand, accepts none and
    causes an effect (not where it acts before it accepts in the fault-free run, too); by one that
    causes an effect of a task after another agent has accepted it, which then asks for the same
    effect (unless it asks for it in the fault-free run, too); and by two owners of a task that
    cause the same effect, the second without having been handed the task after the first one's.
    A repeat of what was begun as the owner, an undo and what was undone are none of these.

    NOT_EXERCISED when nothing was handed over, or nobody who takes part caused an effect.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not history.of(HandoffReceived) or not history.ledger:
            return None
        team = {owned.agent for owned in owners(history)}
        team |= {got.agent for got in history.of(HandoffReceived)}
        if not any(callers(history)[commit.call] in team - {""} for commit in history.ledger):
            return None
        meddled = [*_meddled(history, baseline)] if baseline is not None else []
        return [*_unaccepted(history, baseline), *(meddled or _doubled(history))]

    return Resting(check, KINDS, but_for=(HandoffReceived,))


def _unaccepted(history: History, baseline: History | None) -> Iterator[Violation]:
    for deed in unbidden(history, baseline):
        valid = [
            one
            for one in deed.held
            if not one.rejected_before(deed.call.seq) and not one.arrival.received.problem
        ]
        if valid and not (baseline is not None and _acts_first(baseline, deed.agent)):
            yield _not_taken(deed, valid[-1])


def _acts_first(history: History, agent: str) -> bool:
    """Whether an agent acknowledges what it was handed when its work is done."""
    by = callers(history)
    acts = [call.seq for call in history.of(Called) if call.intent and by[call.call] == agent]
    accepts = [yes.seq for yes in history.of(HandoffAccepted) if yes.agent == agent]
    return bool(acts) and bool(accepts) and acts[0] < accepts[0]


def _meddled(history: History, baseline: History) -> Iterator[Violation]:
    """Effects of a former owner, which owns nothing, between the acceptance of the new one and its
    call for the same."""
    for commit in history.ledger:
        call = history.calls[commit.call]
        agent = callers(history)[call.call]
        if not agent or undoing(history, commit.tool) or _asks(baseline, agent, call):
            continue
        for task in _lost(history, agent, call.seq):
            passed, yes = _taken(history, task, call.seq)
            theirs = next(_asked_on(history, yes, call), None)
            if theirs is not None and not _began_as_owner(history, agent, task, call):
                yield _two(passed, yes, agent, commit, theirs)


def _asked_on(history: History, yes: HandoffAccepted, call: Called) -> Iterator[Called]:
    """The later calls for the same, of an agent that has accepted nothing since."""
    accepts = [one.seq for one in history.of(HandoffAccepted) if one.agent == yes.agent]
    for one in history.of(Called):
        if one.intent == call.intent and one.seq > call.seq:
            by = callers(history)[one.call]
            if by == yes.agent and max(seq for seq in accepts if seq < one.seq) == yes.seq:
                yield one


def _asks(history: History, agent: str, call: Called) -> bool:
    return any(
        one.intent == call.intent and callers(history)[one.call] == agent
        for one in history.of(Called)
    )


def _lost(history: History, agent: str, seq: int) -> list[str]:
    """The tasks that an agent has owned and that others have accepted since, if it owns none."""
    had = {owned.task for owned in owners(history) if owned.agent == agent and owned.seq < seq}
    return [] if owned_by(history, agent, seq) else sorted(had)


def _taken(history: History, task: str, seq: int) -> tuple[Passed, HandoffAccepted]:
    """The handoff by which a task came to its owner at an event."""
    every = _acceptances(history)[task]
    return [(passed, yes) for passed, yes in every if yes.seq < seq][-1]


@query
def _acceptances(history: History) -> dict[str, list[tuple[Passed, HandoffAccepted]]]:
    """By task, in order."""
    found: dict[str, list[tuple[Passed, HandoffAccepted]]] = {}
    for passed in handoffs(history):
        for yes in passed.accepted:
            found.setdefault(task_of(passed.sent), []).append((passed, yes))
    for each in found.values():
        each.sort(key=lambda one: one[1].seq)
    return found


def _began_as_owner(history: History, agent: str, task: str, call: Called) -> bool:
    return any(
        one.intent == call.intent
        and one.seq < call.seq
        and callers(history)[one.call] == agent
        and task in owned_by(history, agent, one.seq)
        for one in history.of(Called)
    )


def _doubled(history: History) -> Iterator[Violation]:
    """One effect, twice, by two owners of one task of whom none followed upon the other."""
    by = callers(history)
    for commits in history.effects.values():
        if len({by[commit.call] for commit in commits}) < 2:
            continue
        for one, other in combinations(at_once(history, commits), 2):
            for task in _both(history, by[one.call], by[other.call]):
                found = _beside(history, task, one, other)
                if found is not None:
                    yield found


def _both(history: History, first: str, second: str) -> list[str]:
    had = {who: {o.task for o in owners(history) if o.agent == who} for who in (first, second)}
    both = had[first] & had[second] & _acceptances(history).keys()
    return sorted(both) if first and second and first != second else []


def _beside(history: History, task: str, one: Committed, other: Committed) -> Violation | None:
    """Whether two acted side by side: the second one on a handoff that was sent before the first
    one acted, or without ever having been handed what the first one had accepted."""
    first, second = callers(history)[one.call], callers(history)[other.call]
    last = history.calls[other.call].seq
    every = [each for each in _acceptances(history)[task] if each[1].seq < last]
    own = [each for each in every if each[1].agent == second]
    if own:
        beside = own[-1][0].sent.seq < history.calls[one.call].seq
        return _two(*own[-1], first, one, other) if beside else None
    theirs = [each for each in every if each[1].agent == first]
    return _two(*theirs[-1], second, other, one) if theirs else None


def _not_taken(deed: Unbidden, held: Held) -> Violation:
    sent, got = held.passed.sent, held.arrival.received
    return Violation(
        code="AF602",
        subject=deed.agent,
        title=titled(f"{deed.agent}: acted without accepting"),
        sentence=argued(
            handed(sent),
            f"{deed.agent} did {deed.commit.intent} at {deed.commit.t:.1f} s",
            f"{deed.agent} had not accepted it",
        ),
        says=f"{deed.agent} did {deed.commit.intent}",
        world=f"{sent.sender or 'its sender'} owns {task_of(sent)}",
        witness=(sent.seq, got.seq, deed.commit.seq),
        hint="accept a handoff before the first effect of its task (handed.accept())",
    )


def _two(
    passed: Passed, yes: HandoffAccepted, agent: str, mine: Committed, owned: Called | Committed
) -> Violation:
    """Of an agent and its effect, and of the one that accepted the task and what it asked for."""
    sent, owner = passed.sent, yes.agent
    verb = "asked for" if isinstance(owned, Called) else "did"
    if yes.seq < mine.seq:
        deed = f"{agent} did {mine.intent} at {mine.t:.1f} s"
        objection = f"{owner} had accepted it at {yes.t:.1f} s and {verb} the same at"
        blamed, objection = agent, f"{objection} {owned.t:.1f} s"
    else:
        deed = f"{owner} accepted it at {yes.t:.1f} s and {verb} {mine.intent}"
        blamed, objection = owner, f"{agent} had done the same at {mine.t:.1f} s"
    return Violation(
        code="AF602",
        subject=blamed,
        title=titled(f"{task_of(sent)}: two owners acted"),
        sentence=argued(handed(sent), deed, objection),
        says=f"{owner} owns {task_of(sent)}",
        world=f"{agent} and {owner} both acted: {mine.intent}",
        witness=tuple(sorted((sent.seq, yes.seq, mine.seq, owned.seq))),
        hint="do nothing more for a task that was handed over until it is rejected or handed back, "
        "and ask first whether it is done when accepting one",
    )
