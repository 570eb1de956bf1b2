"""The law that a stopped task says what it did (AF311).

Law: whoever said Stop learns what had happened by then. Source: CATALOGUE B16.
"""

from agentfuzz.core.codec import plain
from agentfuzz.core.events import Cancelled, Committed, Done, Event, ModelTurn
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.conversations import DONE
from agentfuzz.invariants.queries.texts import words_of
from agentfuzz.invariants.queries.undoing import named, standing


@law(codes={"AF311": "A cancelled run keeps an effect to itself"}, catalogue="B16")
def cancel_report() -> Check:
    """A stopped task names every effect that had happened by then and stands.

    A leg that was stopped and ends cancelled or failed names, in the handle, the detail or whatever
    else it returns, every effect that had happened by then and was not undone: by a value of its
    scope, by its id, or by a name in its reply. `partial` and `blocked` own up to it by themselves;
    a claim of success is not this law's.

    Effects that an earlier leg has claimed (success, partial) are known. What a call of the done
    tool says in `detail` is read where a model makes the call; where nobody can see it (a leg
    that was not the last one, a done tool that the loop calls itself), an effect that the handle
    does not name is not held against it.

    NOT_EXERCISED when nothing was cancelled, or the leg ended without such a Done.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        found: list[Violation] = []
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
            found += [_kept_back(stop, done, effect) for effect in silent]
        return found if exercised else None

    return check


def _is_valid(event: Event) -> bool:
    return type(event) is Done and not event.problem


def _said(history: History, done: Done) -> tuple[list[str], bool]:
    """What a completion says in words, and whether that is all of it."""
    texts, ended = [*words_of(done.handle), *words_of(done.detail)], history.ended
    if done.detail:
        return texts, True
    if done.via == "return":
        whole = ended is not None and ended.how == "returned" and done in history.final_leg
        return [*texts, *(words_of(ended.value) if ended is not None and whole else [])], whole
    for turn in reversed(history.of(ModelTurn)):
        for _, tool, arguments in turn.calls:
            if tool == DONE and turn.seq < done.seq:
                return [*texts, *words_of(plain(arguments))], True
    return [*texts, *(words_of(ended.value) if ended is not None else [])], False


def _kept_back(stop: Cancelled, done: Done, effect: Committed) -> Violation:
    return Violation(
        code="AF311",
        subject=effect.intent.effect,
        title=f"{done.status}, {effect.tool} not mentioned",
        sentence=(
            f"The task was cancelled, {effect.intent} had happened by then and stands, and the "
            f"answer ({done.status}) does not mention it."
        ),
        says=f"{done.status} ({done.reason})",
        world=f"{effect.intent} at {effect.t:g}s",
        witness=(*sorted((stop.seq, effect.seq)), done.seq),
        hint=(
            "on the way out look up what is in doubt, and name what stands in handle or detail "
            "(or end partial)"
        ),
    )
