"""The law that a completed task is over (AF302).

Law: the completion event is the last thing that an agent does. Source: CATALOGUE law C6; Tian Pan,
"'Done!' Is Not a Return Code" (2026).
"""

from agentfuzz.core.events import Called, Done, Event
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law


@law(codes={"AF302": "An effect after the completion"}, catalogue="C6")
def no_effect_after_completion() -> Check:
    """Nothing that is called after the completion takes effect.

    The completion is the first valid Done of a leg. A request that was already under way at the
    Done is `truthful`'s to judge.

    NOT_EXERCISED when the done tool was not called: after a return nothing of the loop runs.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        legs = list(filter(None, map(_called_after_done, history.legs)))
        late = {call: done for done, calls in legs for call in calls}
        if not legs:
            return None
        return [
            Violation(
                code="AF302",
                subject=commit.intent.effect,
                title=f"{commit.tool} ran after done",
                sentence=f"{commit.intent} took effect after the agent had completed the task.",
                says=f"{late[commit.call].status} at {late[commit.call].t:g}s",
                world=f"{commit.intent} at {commit.t:g}s",
                witness=(late[commit.call].seq, commit.seq),
                hint="stop calling tools once the completion event is out",
            )
            for commit in history.ledger
            if commit.call in late
        ]

    return check


def _called_after_done(leg: list[Event]) -> tuple[Done, list[str]] | None:
    done = next((event for event in leg if isinstance(event, Done) and not event.problem), None)
    if done is None or done.via == "return":
        return None
    return done, [e.call for e in leg if isinstance(e, Called) and e.seq > done.seq]
