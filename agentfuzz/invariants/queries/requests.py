"""What a run was asked for, one request after the other, and what was said of each.

Law: a pure function of a history. A follow-up begins a request of its own; a restart, a message in
the middle, a decision or a second delivery goes on with the one that it is about. So the nth
request of a run and that of the fault-free run are the same. Asked by the laws that take a claim
at its word.
"""

from typing import NamedTuple

from agentfuzz.core.events import Called, Decided, Done, Ended, Interrupted, Resumed
from agentfuzz.core.history import History, query


class Request(NamedTuple):
    """One thing that was asked for: the calls made for it, its last valid completion, and how the
    last of its legs ended (empty: it has not)."""

    calls: set[str]
    done: Done | None
    how: str

    @property
    def claim(self) -> str | None:
        """The status that is claimed for it, or None."""
        return None if self.done is None else self.done.status

    @property
    def succeeded(self) -> bool:
        """Whether it was ended, and with a claim of success."""
        return self.how == "returned" and self.claim == "success"

    @property
    def passes(self) -> bool:
        """Whether nobody was told that it is not done."""
        return self.how == "returned" and self.claim in ("success", None)


@query
def requests(history: History) -> list[Request]:
    """The requests of a run, in order; there is always a first one."""
    if not history.of(Resumed):  # one leg, one request
        ended = history.ended
        how = "" if ended is None else ended.how
        return [Request(set(history.calls), history.completion, how)]
    found = [Request(set(), None, "")]
    of_leg, asked, leg = {1: 0}, {}, 1
    for event in history.events:
        kind, at = type(event), of_leg[leg]
        if kind is Called:
            found[at].calls.add(event.call)
        elif kind is Resumed:
            if event.after != "running":
                found[at] = found[at]._replace(how=event.after)
            leg = event.leg
            if leg not in of_leg:
                of_leg[leg] = 0 if event.why == "duplicate" else at
                if event.why == "follow_up":
                    of_leg[leg] = len(found)
                    found.append(Request(set(), None, ""))
        elif kind is Interrupted:
            asked[event.interrupt] = at
        elif kind is Decided:
            of_leg[leg] = asked.get(event.interrupt, at)
        elif kind is Done and not event.problem:
            found[at] = found[at]._replace(done=event)
        elif kind is Ended:
            found[at] = found[at]._replace(how=event.how)
    return found
