"""Laws about a task that somebody stops (AF310, AF311).

Law: after Stop nothing new is begun but the undoing of what was, and the answer says what had
happened by then. Called by the run through `Invariant`. Source: CATALOGUE B16.
"""

from collections.abc import Iterator

from agentfuzz.core.codec import plain
from agentfuzz.core.events import Called, Cancelled, Committed, Done, Event, ModelTurn, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law
from agentfuzz.invariants._standing import final_leg, named, standing, undoing, words_of
from agentfuzz.invariants._talk import DONE


@law()
def no_effect_after_cancel() -> Check:
    """B16: once the task was stopped, its leg calls no write any more, except one that undoes
    (`undoes` of the tool) what an earlier call did or may have done.

    Not counted: a request that was under way, whenever it arrives; and what other tasks of the
    leg begin before the stop has reached anybody (before the next reply or turn of a model). A
    later leg is somebody's new wish. NOT_EXERCISED when nothing was cancelled.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not history.of(Cancelled):
            return None
        found: dict[tuple[str, str], Violation] = {}
        for leg in history.legs:
            for violation in _after_stop(history, leg):
                found.setdefault(violation.signature, violation)
        return list(found.values())

    return check


def _after_stop(history: History, leg: list[Event]) -> Iterator[Violation]:
    stop: Cancelled | None = None
    reached = False
    for event in leg:
        if type(event) is Cancelled:
            stop = stop or event
        elif stop is not None and isinstance(event, (Replied, ModelTurn)):
            reached = True
        elif stop is not None and reached and type(event) is Called and event.intent is not None:
            undone = undoing(history, event.slot.name)
            before = {call.slot.name for call in history.of(Called) if call.seq < event.seq}
            if undone not in before:
                yield _too_late(stop, event)


def _too_late(stop: Cancelled, call: Called) -> Violation:
    tool = call.slot.name
    assert call.intent is not None, "only writes are asked"
    return Violation(
        "AF310",
        call.intent.effect,
        f"{tool} called after the cancel",
        f"The task was cancelled ({stop.how}), and after that {call.slot} was called for "
        f"{call.intent}.",
        f"cancelled at {stop.t:g}s",
        f"{call.slot} called at {call.t:g}s",
        (stop.seq, call.seq),
        "let a cancellation through (catch it to clean up, then raise it again), and look at the "
        "token before each write",
    )


@law()
def cancel_report() -> Check:
    """B16: a leg that was stopped and ends cancelled or failed names, in the handle, the detail
    or whatever else it returns, every effect that had happened by then and was not undone: by a
    value of its scope, by its id, or by a name in its reply. `partial` and `blocked` own up to it
    by themselves; a claim of success is not this law's.

    Effects that an earlier leg has claimed (success, partial) are known. What a call of the done
    tool says in `detail` is read where a model makes the call; where nobody can see it (a leg
    that was not the last one, a done tool that the loop calls itself), an effect that the handle
    does not name is not held against it.

    NOT_EXERCISED when nothing was cancelled, or the leg ended without such a Done.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        found: dict[tuple[str, str], Violation] = {}
        exercised = False
        for leg in history.legs:
            stop = next((event for event in leg if type(event) is Cancelled), None)
            done = next((event for event in reversed(leg) if _is_valid(event)), None)
            if stop is None or not isinstance(done, Done) or done.seq < stop.seq:
                continue
            if done.status == "success":
                continue
            effects = standing(history, done.seq) if done.status in ("cancelled", "failed") else []
            said, whole = _said(history, done)
            silent = [effect for effect in effects if not named(history, effect, said)]
            if silent and not whole:
                continue
            exercised = True
            for effect in silent:
                violation = _kept_back(stop, done, effect)
                found.setdefault(violation.signature, violation)
        return list(found.values()) if exercised else None

    return check


def _is_valid(event: Event) -> bool:
    return type(event) is Done and not event.problem


def _said(history: History, done: Done) -> tuple[list[str], bool]:
    """What a completion says in words, and whether that is all of it."""
    texts, ended = [*words_of(done.handle), *words_of(done.detail)], history.ended
    if done.detail:
        return texts, True
    if done.via == "return":
        whole = ended is not None and ended.how == "returned" and done in final_leg(history)
        return [*texts, *(words_of(ended.value) if ended is not None and whole else [])], whole
    for turn in reversed(history.of(ModelTurn)):
        for _, tool, arguments in turn.calls:
            if tool == DONE and turn.seq < done.seq:
                return [*texts, *words_of(plain(arguments))], True
    return [*texts, *(words_of(ended.value) if ended is not None else [])], False


def _kept_back(stop: Cancelled, done: Done, effect: Committed) -> Violation:
    return Violation(
        "AF311",
        effect.intent.effect,
        f"{done.status}, {effect.tool} not mentioned",
        f"The task was cancelled, {effect.intent} had happened by then and stands, and the answer "
        f"({done.status}) does not mention it.",
        f"{done.status} ({done.reason})",
        f"{effect.intent} at {effect.t:g}s",
        (stop.seq, effect.seq, done.seq) if stop.seq < effect.seq else _then(effect, stop, done),
        "on the way out look up what is in doubt, and name what stands in handle or detail (or end "
        "partial)",
    )


def _then(effect: Committed, stop: Cancelled, done: Done) -> tuple[int, ...]:
    return (effect.seq, stop.seq, done.seq)
