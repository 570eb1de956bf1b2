"""What a run was asked for, one request after the other, and what was said of each.

Law: a pure function of a history. A follow-up, and another task, begins a request of its own; a
restart, a message in the middle, a decision or a second delivery goes on with the one that it is
about. So the nth request of a run and that of the fault-free run are the same. Asked by the laws
that take a claim at its word.
"""

from typing import Any, NamedTuple

from agentfuzz.core.events import Called, Decided, Done, Ended, Interrupted, Resumed
from agentfuzz.core.history import History, query
from agentfuzz.invariants.queries.endings import passes_for_success


class Answer(NamedTuple):
    """How a leg ended (empty: it has not), and its last valid completion."""

    how: str = ""
    done: Done | None = None

    @property
    def claim(self) -> str | None:
        """The status that is claimed, or None."""
        return None if self.done is None else self.done.status

    @property
    def succeeded(self) -> bool:
        """Whether it ended well, and with a claim of success."""
        return self.how == "returned" and self.claim == "success"

    @property
    def passes(self) -> bool:
        """Whether nobody was told that something is not done."""
        return self.how == "returned" and self.claim in ("success", None)


class Request(NamedTuple):
    """One thing that was asked for: the legs that were about it with the answer of each, the calls
    made for it with the leg of each, and the answer that counts: how the last leg ended, and the
    last completion of any."""

    legs: dict[int, Answer]
    calls: dict[str, int]
    answer: Answer


def any_passes(history: History) -> bool:
    """Whether any request passes for done."""
    if history.of(Resumed):
        return any(one.answer.passes for one in requests(history))
    return passes_for_success(history) is not None


@query
def goes_on_with(history: History) -> dict[int, int]:
    """The leg that each later one goes on with: the first, for a second delivery of the trigger;
    else the one before, and where a process died within another leg the outermost."""
    found: dict[int, int] = {}
    running = [1]
    for event in history.of(Resumed):
        if event.why == "back":
            running = [event.leg]
        else:
            found[event.leg] = 1 if event.why == "duplicate" else running[0]
            running = [*(running if event.after == "running" else ()), event.leg]
    return found


@query
def requests(history: History) -> list[Request]:
    """The requests of a run, in order; there is always a first one."""
    if not history.of(Resumed):
        ended = history.ended
        answer = Answer("" if ended is None else ended.how, history.completion)
        return [Request({1: answer}, dict.fromkeys(history.calls, 1), answer)]
    found = [Request({}, {}, Answer())]
    about, asked, leg = {1: 0}, dict[str, int](), 1
    before = goes_on_with(history)

    def tell(leg: int, **known: Any) -> None:
        request = found[about[leg]]
        request.legs[leg] = request.legs.get(leg, Answer())._replace(**known)
        found[about[leg]] = request._replace(answer=request.answer._replace(**known))

    for event in history.events:
        if isinstance(event, Called):
            found[about[leg]].calls[event.call] = leg
        elif isinstance(event, Resumed):
            if event.after != "running":
                tell(leg, how=event.after)
            if event.leg not in about and event.why in ("follow_up", "task"):
                found.append(Request({}, {}, Answer()))
                about[event.leg] = len(found) - 1
            about.setdefault(event.leg, about[before.get(event.leg, leg)])
            leg = event.leg
        elif isinstance(event, Interrupted):
            asked[event.interrupt] = about[leg]
        elif isinstance(event, Decided):
            about[leg] = asked.get(event.interrupt, about[leg])
        elif isinstance(event, Done) and not event.problem:
            tell(leg, done=event)
        elif isinstance(event, Ended):
            tell(leg, how=event.how)
    return found
