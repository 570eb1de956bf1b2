"""The law against asking the same thing for ever (AF207).

Law: the same question with the same answer, again and again, gets nowhere. Source: CATALOGUE law
L3.
"""

from bisect import bisect

from agentfuzz.core.events import Called, Resumed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import doubtful
from agentfuzz.invariants.queries.conversations import begun_after

WAIT = 0.05  # virtual seconds: whoever waits so long after an answer is no busy loop


@law(codes={"AF207": "No progress: the same call, the same reply, again"}, catalogue="L3")
def no_stuck_repeats(*, k: int = 3) -> Check:
    """No call is made again at once after k identical calls in a row each got the identical,
    complete reply.

    A call that was begun before the answers came, or that a turn of the model asked for beside them
    (a fan-out), repeats nothing.

    Whoever waits before asking again (for a twentieth of a virtual second) polls, and is not stuck:
    how long is `ends_within`'s to judge, how often `bounded`'s and `limits_hold`'s. Replies that
    raised do not count, nor do those that leave doubt (damaged, cut off, unclear): retries of those
    are `retry_budget`'s.

    NOT_EXERCISED when no tool was called twice in a row.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        replies = history.replies
        streak: list[Called] = []  # the calls that the next one may repeat
        before: Called | None = None
        exercised, leg = False, 0
        legs = [event.seq for event in history.of(Resumed)]
        for call in history.of(Called):
            if leg != (leg := bisect(legs, call.seq)):
                before = None  # whoever begins anew repeats nothing
            same = before is not None and before.slot.name == call.slot.name
            exercised, before = exercised or same, call
            if not (streak and same and streak[-1].args == call.args):
                streak = []
            elif not begun_after(history, streak[-1], call):
                continue
            elif call.t - replies[streak[-1].call].t >= WAIT:
                streak = []
            elif len(streak) >= k:
                return [_stuck(streak, call)]
            reply = replies.get(call.call)
            if reply is None or reply.raised is not None or doubtful(history, call):
                streak = []
            elif streak and replies[streak[-1].call].body != reply.body:
                streak = [call]
            else:
                streak.append(call)
        return [] if exercised else None

    return check


def _stuck(streak: list[Called], call: Called) -> Violation:
    tool = call.slot.name
    return Violation(
        code="AF207",
        subject=tool,
        title=f"{tool} {len(streak)}x same call and reply",
        sentence=(
            f"{tool} was called {len(streak)} times with the same arguments, got the same reply "
            "each time, and was called once more."
        ),
        says="asks again",
        world="the reply does not change",
        witness=(*(event.seq for event in streak), call.seq),
        hint="stop when nothing changes: another step, or an honest ending",
    )
