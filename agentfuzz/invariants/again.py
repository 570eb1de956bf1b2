"""Laws about a task that is begun again although it is done, or under way (AF111, AF216).

Law: a second delivery of a trigger, or a restart after the answer, changes nothing. Called by the
run through `Invariant`. Source: CATALOGUE laws C5 and R2.
"""

from collections import Counter
from collections.abc import Iterator

from agentfuzz.core.events import Called, Done, Intent, Resumed, Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law
from agentfuzz.invariants.effects import by_intent

_SAME_TASK = ("duplicate", "restart")
_NEW_WISH = ("follow_up", "interrupt", "decision")


@law()
def no_redo() -> Check:
    """C5: after a valid Done(success), a leg that begins because the trigger was delivered again
    or the process restarted calls no write for an intent that had been committed when success was
    claimed. A call that the backend answers from memory (the same key) counts too: the law is
    that the task is over, and keys expire.

    Nor does it claim success with another handle (subject: claim), unless the user has said
    something in between.

    Free are new legs of the user (follow_up, interrupt) and decisions; an intent that such a leg
    has taken up again is open again. NOT_EXERCISED when no such leg began after a success.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        found: dict[tuple[str, str], Violation] = {}
        exercised = False
        for leg in history.legs:
            begin = leg[0] if leg else None
            if not isinstance(begin, Resumed) or begin.why not in _SAME_TASK:
                continue
            done = _success_before(history, begin.seq)
            if done is None:
                continue
            exercised = True
            over = _over(history, done, begin.seq)
            calls = [event for event in leg if type(event) is Called]
            redone = [(call, over[call.intent]) for call in calls if call.intent in over]
            violations = [_redone(done, begin, call, seq) for call, seq in redone]
            violations += _claimed_anew(history, done, begin, [e for e in leg if type(e) is Done])
            for violation in violations:
                found.setdefault(violation.signature, violation)
        return list(found.values()) if exercised else None

    return check


def _success_before(history: History, seq: int) -> Done | None:
    """The last valid success before an event."""
    valid = [done for done in history.of(Done) if not done.problem and done.status == "success"]
    return next((done for done in reversed(valid) if done.seq < seq), None)


def _over(history: History, done: Done, begin: int) -> dict[Intent, int]:
    """The intents that a success covers, with the event of their commit."""
    found: dict[Intent, int] = {}
    for intent, commits in by_intent(history.ledger).items():
        if commits[0].seq < done.seq:
            found[intent] = commits[0].seq
    for leg in history.legs:
        first = leg[0] if leg else None
        if isinstance(first, Resumed) and first.why in _NEW_WISH and first.seq < begin:
            for call in (event for event in leg if isinstance(event, Called)):
                if call.intent in found and found[call.intent] < call.seq < begin:
                    del found[call.intent]
    return found


def _redone(done: Done, begin: Resumed, call: Called, commit: int) -> Violation:
    tool = call.slot.name
    assert call.intent is not None, "only writes are asked"
    return Violation(
        "AF216",
        call.intent.effect,
        f"{tool} redone after success",
        f"{call.intent} had happened and success had been claimed; then the task began again "
        f"({_WHY[begin.why]}), and {call.slot} asked for it once more.",
        f"{done.status} at {done.t:g}s",
        f"{call.slot} called at {call.t:g}s",
        (commit, done.seq, begin.seq, call.seq),
        "save the completion under the trigger's id, look for it first, and answer with it",
    )


_WHY = {"duplicate": "its trigger was delivered again", "restart": "its process was restarted"}


def _claimed_anew(
    history: History, done: Done, begin: Resumed, said: list[Done]
) -> Iterator[Violation]:
    """A success with another handle than that of the success before."""
    wishes = [e for e in history.of(Resumed) if e.why in _NEW_WISH and done.seq < e.seq < begin.seq]
    for other in said:
        anew = other.status == "success" and not other.problem and not wishes
        if anew and None not in (done.handle, other.handle) and done.handle != other.handle:
            yield Violation(
                "AF216",
                "claim",
                "success again, another handle",
                f"The task had succeeded with handle {done.handle!r}; it began again "
                f"({_WHY[begin.why]}) and claims success with {other.handle!r}.",
                f"handle {other.handle!r}",
                f"handle {done.handle!r} at {done.t:g}s",
                (done.seq, begin.seq, other.seq),
                "save the completion under the trigger's id, and answer with it",
            )


@law(needs_baseline=True)
def duplicate_trigger_ignored() -> Check:
    """R2: with nothing but second deliveries of the trigger, after the end or in the middle, the
    ledger holds what it holds in the run with one: each intent as often, nothing more and nothing
    less.

    NOT_EXERCISED when another fault struck, or none, or neither run committed anything.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        struck = history.of(Struck)
        if not struck or not all(_is_second_delivery(event) for event in struck):
            return None
        if not (history.ledger or baseline.ledger):
            return None
        now = Counter(commit.intent for commit in history.ledger)
        then = Counter(commit.intent for commit in baseline.ledger)
        tools = {commit.intent: commit.tool for commit in (*baseline.ledger, *history.ledger)}
        found: dict[tuple[str, str], Violation] = {}
        for intent, tool in tools.items():
            if now[intent] != then[intent]:
                violation = _differs(history, tool, intent, now[intent], then[intent])
                found.setdefault(violation.signature, violation)
        return list(found.values())

    return check


def _is_second_delivery(event: Struck) -> bool:
    return event.fault.axes[0] == "duplicate_trigger"


def _differs(history: History, tool: str, intent: Intent, have: int, want: int) -> Violation:
    commits = [event.seq for event in history.ledger if event.intent == intent]
    second = history.of(Struck)[0].seq
    return Violation(
        "AF111",
        intent.effect,
        f"{tool} ran {have}x, one trigger {want}x",
        f"The trigger was delivered again, and {intent} happened {have} times; with one delivery "
        f"it happens {want} times.",
        f"{intent} {want}x with one delivery",
        f"{intent} {have}x with two",
        tuple(sorted({second, *commits})),
        "make the trigger's id a key: claim it in one step before any work, and answer a second "
        "delivery with the first one's result",
    )
