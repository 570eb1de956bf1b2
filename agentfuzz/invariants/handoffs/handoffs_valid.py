"""The law that what arrives invalid is not acted on (AF601).

Law: what is declared of a payload is its type as it was sent; what is wrong with the values in it
others judge. Part of every scenario. Source: CATALOGUE law H1.
"""

from collections.abc import Iterator
from operator import attrgetter

from agentfuzz.core.between import HandoffAccepted, HandoffReceived
from agentfuzz.core.events import Called, Committed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.arguing import argued, came, handed
from agentfuzz.invariants.queries.calls import logical
from agentfuzz.invariants.queries.entitled import Unbidden, unbidden
from agentfuzz.invariants.queries.outline import KINDS, Resting
from agentfuzz.invariants.queries.teams import Arrival, Passed, callers, handoffs

_PROBLEM, _ARRIVAL = attrgetter("problem"), attrgetter("handoff", "nth")


@law(codes={"AF601": "An invalid handoff was acted on"}, catalogue="H1", always=True)
def handoffs_valid() -> Check:
    """A handoff that is not of its type is rejected before anything is done.

    It is not accepted; and an agent that has nothing else to act on causes no effect between
    getting it and rejecting it, unless the effect is taken back, or the fault-free run does not
    have it (it may be a report of what is wrong), or has it before it accepts (whatever arrives).

    NOT_EXERCISED when nothing invalid arrived.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not any(map(_PROBLEM, history.of(HandoffReceived))):
            return None
        return [*_accepted(history), *_acted(history, baseline)]

    return Resting(check, KINDS, but_for=(HandoffReceived,))


def _accepted(history: History) -> Iterator[Violation]:
    invalid = {_ARRIVAL(got) for got in history.of(HandoffReceived) if got.problem}
    if invalid.isdisjoint(map(_ARRIVAL, history.of(HandoffAccepted))):
        return
    for passed in handoffs(history):
        for arrival in passed.arrivals:
            if arrival.received.problem and arrival.accepted:
                yield _violation(passed, arrival, None)


def _acted(history: History, baseline: History | None) -> Iterator[Violation]:
    for deed in unbidden(history, baseline):
        open_ = [one for one in deed.held if not one.rejected_before(deed.call.seq)]
        known = baseline is not None and _on_arrival(baseline, deed)
        if open_ and all(one.arrival.received.problem for one in open_) and not known:
            yield _violation(open_[-1].passed, open_[-1].arrival, deed.commit)


def _on_arrival(history: History, deed: Unbidden) -> bool:
    """Whether an agent does this with whatever arrives, and the task once it has accepted it."""
    by = callers(history)
    accepts = [yes.seq for yes in history.of(HandoffAccepted) if yes.agent == deed.agent]
    acts = [call for call in history.of(Called) if call.intent and by[call.call] == deed.agent]
    same = [call.seq for call in acts if logical(call) == logical(deed.call)]
    return bool(same) and bool(accepts) and same[0] < accepts[0] < acts[-1].seq


def _violation(passed: Passed, arrival: Arrival, commit: Committed | None) -> Violation:
    sent, got = passed.sent, arrival.received
    if commit is None:
        assert arrival.accepted is not None, "without an effect it was accepted"
        deed, last = f"{got.agent} accepted it{came(sent, got)}", arrival.accepted.seq
    else:
        deed, last = f"{got.agent} did {commit.intent} on it{came(sent, got)}", commit.seq
    return Violation(
        code="AF601",
        subject=got.agent,
        title=titled(f"{got.agent}: acted on an invalid handoff"),
        sentence=argued(handed(sent), deed, f"what arrived is invalid ({got.problem})"),
        says="accepted" if commit is None else str(commit.intent),
        world=f"what arrived is invalid: {got.problem}",
        witness=(sent.seq, got.seq, last),
        hint="read every handoff as an object of its type (handed.read(); where a function or a "
        "queue brings it, your own model), reject what does not fit, and only then do anything",
    )
