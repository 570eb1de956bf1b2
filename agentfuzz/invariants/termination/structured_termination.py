"""The law that a task ends with a completion event (AF204 to AF206).

Law: one well-formed event says how a task ended, so that nobody has to guess it from prose.
Source: CATALOGUE laws C1 and C3; Tian Pan, "'Done!' Is Not a Return Code" (2026).
"""

from collections.abc import Iterable

from agentfuzz.core.events import Done, Ended, Event, Resumed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.outline import ENDING, Resting


@law(
    codes={
        "AF204": "The run ended without a completion event",
        "AF205": "Malformed completion",
        "AF206": "Several completions of one task",
    },
    catalogue="C1 C3",
)
def structured_termination(*, handle_for: Iterable[str] = ()) -> Check:
    """A task that ends normally has exactly one valid completion event.

    That is one valid Done in each leg of its run that returned. `handle_for` names the statuses
    that must carry a handle.

    NOT_EXERCISED when every leg raised, died or was cut off (that is `bounded`'s to judge).
    """
    need_handle = frozenset(handle_for)

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not history.of(Resumed):  # one leg
            ended = history.ended
            if ended is None or ended.how != "returned":
                return None
            done = history.of(Done)
            if len(done) == 1 and not done[0].problem and done[0].status not in need_handle:
                return []
        elif "returned" not in history.endings:
            return None
        return [
            violation
            for leg, how in zip(history.legs, history.endings, strict=True)
            if how == "returned"
            for violation in _of_leg(leg)
        ]

    def _of_leg(leg: list[Event]) -> list[Violation]:
        done = [event for event in leg if isinstance(event, Done)]
        if not done:
            return [_unstructured(leg[-1])]
        found = [_malformed(event, event.problem) for event in done if event.problem]
        valid = [event for event in done if not event.problem]
        found += [
            _malformed(event, f"status {event.status!r} needs a handle")
            for event in valid
            if event.status in need_handle and event.handle is None
        ]
        if len(valid) > 1:
            found.append(_twice(valid))
        return found

    return check if need_handle else Resting(check, ENDING)


def _unstructured(last: Event) -> Violation:
    answer = last.value if isinstance(last, Ended) else None
    text, value = isinstance(answer, str), repr(answer)
    return Violation(
        code="AF204",
        subject="completion",
        title="ended without a completion event",
        sentence=f"The agent returned {value[:120]} and no completion event: "
        f"{'somebody has to guess from prose' if text else 'nobody can tell'} how the task ended.",
        says=value[:60],
        world="nothing that says success, partial, blocked or failed",
        witness=(last.seq,),
        hint="return a Completion, call the done tool, or map the answer with outcome=",
    )


def _malformed(done: Done, problem: str) -> Violation:
    return Violation(
        code="AF205",
        subject="completion",
        title="malformed completion",
        sentence=f"The completion event cannot be routed on: {problem}.",
        says=f"status={done.status!r} reason={done.reason!r} handle={done.handle!r}",
        world=problem,
        witness=(done.seq,),
        hint="use the closed set of statuses and reasons, and give a handle where one is required",
    )


def _twice(valid: list[Done]) -> Violation:
    statuses = ", ".join(done.status for done in valid)
    return Violation(
        code="AF206",
        subject="completion",
        title=f"{len(valid)} completions, expected 1",
        sentence=f"The task was completed {len(valid)} times ({statuses}); only one can be true.",
        says=statuses,
        world="one task",
        witness=tuple(done.seq for done in valid),
        hint="stop at the first completion event",
    )
