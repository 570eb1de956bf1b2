"""The law against asking the same thing for ever (AF207).

Law: the same question with the same answer, again and again, gets nowhere. Source: CATALOGUE law
L3.
"""

from bisect import bisect

from agentfuzz.core.events import Called, Resumed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law


@law(codes={"AF207": "No progress: the same call, the same reply, again"}, catalogue="L3")
def no_stuck_repeats(*, k: int = 3) -> Check:
    """No call is made again after k identical calls in a row each got the identical,
    complete reply. Replies that raised do not count: retries of those are `bounded`'s to judge.

    NOT_EXERCISED when no tool was called twice in a row.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        replies = history.replies
        streak: list[Called] = []
        exercised, leg = False, 0
        legs = [event.seq for event in history.of(Resumed)]
        for call in history.of(Called):
            if leg != (leg := bisect(legs, call.seq)):
                streak = []
            same = streak and streak[-1].slot.name == call.slot.name
            exercised = exercised or bool(same)
            if same and streak[-1].args == call.args:
                if len(streak) >= k:
                    return [_stuck(streak, call)]
            else:
                streak = []
            reply = replies.get(call.call)
            if reply is None or reply.raised is not None or not reply.complete:
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
