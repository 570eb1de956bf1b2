"""Laws about how a run ends (AF201 to AF207, AF302).

Law: a task ends in bounded time, with exactly one well-formed completion event, after which
nothing more happens. Called by the run through `Invariant`. Source: CATALOGUE laws C1, C3, C6,
L1, L3; Tian Pan, "'Done!' Is Not a Return Code" (2026).
"""

from bisect import bisect
from collections.abc import Iterable

from agentfuzz.core.events import Called, Committed, Done, Ended, Event, ModelTurn, Replied, Resumed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law


@law()
def structured_termination(*, handle_for: Iterable[str] = ()) -> Check:
    """C1 and C3: a task that ends normally has exactly one valid Done, in each leg of its run that
    returned. `handle_for` names the statuses that must carry a handle.

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

    return check


def _unstructured(last: Event) -> Violation:
    answer = last.value if isinstance(last, Ended) else None
    text, value = isinstance(answer, str), repr(answer)
    return Violation(
        "AF204",
        "completion",
        "ended without a completion event",
        f"The agent returned {value[:120]} and no completion event: "
        f"{'somebody has to guess from prose' if text else 'nobody can tell'} how the task ended.",
        value[:60],
        "no Done event",
        (last.seq,),
        "return a Completion, call the done tool, or map the answer with outcome=",
    )


def _malformed(done: Done, problem: str) -> Violation:
    return Violation(
        "AF205",
        "completion",
        "malformed completion",
        f"The completion event cannot be routed on: {problem}.",
        f"status={done.status!r} reason={done.reason!r} handle={done.handle!r}",
        problem,
        (done.seq,),
        "use the closed set of statuses and reasons, and give a handle where one is required",
    )


def _twice(valid: list[Done]) -> Violation:
    statuses = ", ".join(done.status for done in valid)
    return Violation(
        "AF206",
        "completion",
        f"{len(valid)} completions, expected 1",
        f"The task was completed {len(valid)} times ({statuses}); only one can be true.",
        statuses,
        "one task",
        tuple(done.seq for done in valid),
        "stop at the first completion event",
    )


@law()
def bounded(*, calls: int | None = None, turns: int | None = None) -> Check:
    """L1: the run ends by itself, within `calls` tool calls and `turns` model turns if given.
    A run that was cut off (by the budget, the watchdog, or because nothing could act any more)
    breaks it. Counts iterations, not distinct errors."""

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        ended = history.ended
        if ended is None:
            return None
        if ended.how == "cut_off":
            return [_cut_off(ended, history)]
        if calls is None and turns is None:
            return []
        found = []
        for word, limit, seqs in (
            ("tool calls", calls, [event.seq for event in history.of(Called)]),
            ("model turns", turns, [event.seq for event in history.of(ModelTurn)]),
        ):
            if limit is not None and len(seqs) > limit:
                found.append(_over(word, len(seqs), limit, seqs[limit]))
        return found

    return check


_CUT_OFF = {
    "budget": (
        "AF201",
        "never ended by itself",
        "count attempts, and end with partial, blocked or failed when they are used up",
    ),
    "spinning": (
        "AF202",
        "spins without a call",
        "look at the stack: this loop waits for something that only a tool call could change",
    ),
    "hung": (
        "AF203",
        "waits for what cannot come",
        "give every wait a deadline (asyncio.timeout) and handle its expiry",
    ),
}


def _cut_off(ended: Ended, history: History) -> Violation:
    code, title, hint = _CUT_OFF.get(ended.error, _CUT_OFF["budget"])
    calls = len(history.of(Called))
    return Violation(
        code,
        "run",
        title,
        f"The run was cut off after {calls} tool calls and {ended.t:g} virtual seconds"
        f"{': ' + ended.detail if ended.detail else ''}.",
        "still busy",
        f"cut off ({ended.error})",
        (ended.seq,),
        hint,
    )


def _over(word: str, have: int, limit: int, seq: int) -> Violation:
    return Violation(
        "AF201",
        word,
        f"{have} {word}, limit {limit}",
        f"The run made {have} {word}; its declared limit is {limit}.",
        "ended by itself",
        f"{have} {word}",
        (seq,),
        "count attempts, and end with partial, blocked or failed when they are used up",
    )


@law()
def no_stuck_repeats(*, k: int = 3) -> Check:
    """L3: no call is made again after k identical calls in a row each got the identical,
    complete reply. Replies that raised do not count: retries of those are `bounded`'s to judge.

    NOT_EXERCISED when no tool was called twice in a row.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        replies = {reply.call: reply for reply in history.of(Replied)}
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
        "AF207",
        tool,
        f"{tool} {len(streak)}x same call and reply",
        f"{tool} was called {len(streak)} times with the same arguments, got the same reply each "
        "time, and was called once more.",
        "asks again",
        "the reply does not change",
        (*(event.seq for event in streak), call.seq),
        "stop when nothing changes: another step, or an honest ending",
    )


@law()
def no_effect_after_completion() -> Check:
    """C6: nothing called after the first valid Done of a leg takes effect. A request that was
    already under way at the Done is `truthful`'s to judge.

    NOT_EXERCISED when the done tool was not called: after a return nothing of the loop runs.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        legs = list(filter(None, map(_called_after_done, history.legs)))
        late = {call: done for done, calls in legs for call in calls}
        if not legs:
            return None
        return [
            Violation(
                "AF302",
                commit.intent.effect,
                f"{commit.tool} ran after done",
                f"{commit.intent} took effect after the agent had completed the task.",
                f"{late[commit.call].status} at {late[commit.call].t:g}s",
                f"{commit.intent} at {commit.t:g}s",
                (late[commit.call].seq, commit.seq),
                "stop calling tools once the completion event is out",
            )
            for commit in history.of(Committed)
            if commit.call in late
        ]

    return check


def _called_after_done(leg: list[Event]) -> tuple[Done, list[str]] | None:
    done = next((event for event in leg if isinstance(event, Done) and not event.problem), None)
    if done is None or done.via == "return":
        return None
    return done, [e.call for e in leg if isinstance(e, Called) and e.seq > done.seq]
