"""The law that a task that is done is not done again (AF216).

Law: a second delivery of a trigger, or a restart after the answer, finds the task over. Source:
CATALOGUE law C5.
"""

from collections.abc import Iterator

from agentfuzz.core.events import Called, Decided, Done, Intent, Resumed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law

_SAME_TASK = ("duplicate", "restart")
_NEW_WISH = ("follow_up", "task", "interrupt", "decision")


@law(codes={"AF216": "Done again after it was done"}, catalogue="C5")
def no_redo() -> Check:
    """A task that has ended in success is not done again.

    After a valid Done(success), a leg that begins because the trigger was delivered again or the
    process restarted calls no write for an intent that had been committed when success was claimed.
    A call that the backend answers from memory (the same key) counts too: the law is that the task
    is over, and keys expire.

    Nor does it claim success with another handle (subject: claim), unless the user has said
    something in between.

    Free are new legs of the user (follow_up, task, interrupt) and decisions, also one that died
    with its leg and is brought again; an intent that such a leg has taken up again is open again.
    NOT_EXERCISED when no such leg began after a success.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        found: list[Violation] = []
        exercised = False
        for leg in history.legs:
            begin = leg[0] if leg else None
            if not isinstance(begin, Resumed) or begin.why not in _SAME_TASK:
                continue
            if any(isinstance(event, Decided) for event in leg[1:2]):
                continue
            done = _success_before(history, begin.seq)
            if done is None:
                continue
            exercised = True
            over = _over(history, done, begin.seq)
            calls = [event for event in leg if type(event) is Called]
            redone = [(call, over[call.intent]) for call in calls if call.intent in over]
            found += [_redone(done, begin, call, seq) for call, seq in redone]
            found += _claimed_anew(history, done, begin, [e for e in leg if type(e) is Done])
        return found if exercised else None

    return check


def _success_before(history: History, seq: int) -> Done | None:
    """The last valid success before an event."""
    before = [done for done in history.completions if done.seq < seq and done.status == "success"]
    return before[-1] if before else None


def _over(history: History, done: Done, begin: int) -> dict[Intent, int]:
    """The intents that a success covers, with the event of their commit."""
    found: dict[Intent, int] = {}
    for intent, commits in history.effects.items():
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
        code="AF216",
        subject=call.intent.effect,
        title=f"{tool} redone after success",
        sentence=(
            f"{call.intent} had happened and success had been claimed; then the task began again "
            f"({_WHY[begin.why]}), and {call.slot} asked for it once more."
        ),
        says=f"{done.status} at {done.t:g}s",
        world=f"{call.slot} called at {call.t:g}s",
        witness=(commit, done.seq, begin.seq, call.seq),
        hint="save the completion under the trigger's id, look for it first, and answer with it",
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
                code="AF216",
                subject="claim",
                title="success again, another handle",
                sentence=f"The task had succeeded with handle {done.handle!r}; it began again "
                f"({_WHY[begin.why]}) and claims success with {other.handle!r}.",
                says=f"handle {other.handle!r}",
                world=f"handle {done.handle!r} at {done.t:g}s",
                witness=(done.seq, begin.seq, other.seq),
                hint="save the completion under the trigger's id, and answer with it",
            )
