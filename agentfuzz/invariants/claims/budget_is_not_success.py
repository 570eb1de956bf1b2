"""The law that a run that was stopped is no success (AF308).

Law: an ending that a limit or a stop forced is not the one that the task was to have. Source:
CATALOGUE law C10; Tian Pan, "'Done!' Is Not a Return Code" (2026).
"""

from collections.abc import Iterator, Mapping

from agentfuzz.core.codec import scope_value
from agentfuzz.core.events import Called, Cancelled, Done, Ended, Event, Json, ModelInput, ModelTurn
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean, logical, logical_of
from agentfuzz.invariants.queries.conversations import DONE


@law(codes={"AF308": "A run that was stopped claims success"}, catalogue="C10")
def budget_is_not_success() -> Check:
    """No success is claimed by a run that was stopped.

    Not after a cancellation with work still to be done (an effect of the fault-free run, or a call
    that the model asked for); and not by a loop that stops its model: its last turn asked for calls
    that were never made, or, other than in the fault-free run, whose result no model was shown; nor
    by a run that was cut off.

    Departs from the catalogue: no limit needs to be declared (`limits_hold` judges declared ones,
    AF212). A completion that the model itself asked for is its own claim, `truthful`'s to judge,
    and a repeat of what was already carried out is no work left.

    NOT_EXERCISED when no leg was stopped: not cancelled, not cut off, and nothing left that a
    model had asked for.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        found: list[Violation] = []
        exercised = False
        shows = baseline is not None and baseline is not history and not _unshown(baseline)
        for leg in history.legs:
            for stop, what, subject in _stops(history, leg, baseline, shows):
                exercised = True
                done = _success(leg, stop)
                if done is not None and what:
                    found.append(_synthesised(done, stop, what, subject))
        return found if exercised else None

    return check


def _success(leg: list[Event], stop: Event) -> Done | None:
    """The last completion of a leg, if it claims success, and (before an ending by force) if the
    agent did nothing more."""
    said = [event for event in leg if isinstance(event, Done) and not event.problem]
    if not said or said[-1].status != "success":
        return None
    if isinstance(stop, Ended):
        acts = (e for e in leg if isinstance(e, (Called, ModelInput)) and e.seq > said[-1].seq)
        return None if any(acts) else said[-1]
    return said[-1] if said[-1].seq > stop.seq else None


def _stops(
    history: History, leg: list[Event], baseline: History | None, shows: bool
) -> Iterator[tuple[Event, str, str]]:
    """What stopped a leg: the event, why that is no success (or nothing), and the subject."""
    end = next((e.seq for e in reversed(leg) if isinstance(e, Done) and not e.problem), None)
    upto = [event for event in leg if end is None or event.seq < end]
    left = _left(history, upto, shows, end)
    cancelled = next((event for event in upto if isinstance(event, Cancelled)), None)
    turn = next((event for event in reversed(upto) if isinstance(event, ModelTurn)), None)
    if cancelled is not None:
        yield cancelled, left or _not_happened(history, baseline, end), "cancelled"
    elif turn is not None and left:
        yield turn, left, "limit"
    for event in leg:
        if isinstance(event, Ended) and event.how == "cut_off":
            yield event, f"the run was cut off ({event.error})", "limit"


def _left(history: History, leg: list[Event], shows: bool, end: int | None) -> str:
    """What the last turn of a model asked for and did not get, or nothing."""
    turn = next((event for event in reversed(leg) if isinstance(event, ModelTurn)), None)
    if turn is None or turn.stop != "tool_calls" or any(one[1] == DONE for one in turn.calls):
        return ""
    said = history.replies
    made = [call for call in history.of(Called) if end is None or call.seq < end]
    carried_out = [call for call in made if call.call in said and clean(said[call.call])]
    after = [call for call in made if call.seq > turn.seq]
    by_id = any(call.asked is not None for call in made)  # else the loop hands no ids on
    ran = {call.asked if by_id else call.slot.name for call in after}
    wanted = {asked if by_id else tool for asked, tool, _ in turn.calls}
    for asked, tool, arguments in turn.calls:
        if (asked if by_id else tool) in ran or isinstance(arguments, str):
            continue
        if not any(_same(call, tool, arguments) for call in carried_out):
            return f"the last turn of the model asked for {tool}, which was never called"
    known = [call for call in carried_out if call.seq < turn.seq]
    news = after and not any(_again(call, after[-1]) for call in known)
    if shows and news and (after[-1].asked if by_id else after[-1].slot.name) in wanted:
        return f"no model was shown what {after[-1].slot.name} answered"
    return ""


def _again(call: Called, later: Called) -> bool:
    """Whether a later call is about what an earlier one did."""
    if call.intent is None:
        return logical(call) == logical(later)
    return call.intent == later.intent


def _same(call: Called, tool: str, arguments: Mapping[str, Json]) -> bool:
    """Whether a call is what the model asks for again: the same scope, or the same arguments."""
    if call.slot.name != tool:
        return False
    if call.intent is None:
        return logical(call) == logical_of(tool, arguments)
    return all(scope_value(arguments.get(name)) == value for name, value in call.intent.scope)


def _unshown(history: History) -> bool:
    """Whether a run ends without showing its last results to a model."""
    turns, called = history.of(ModelTurn), history.of(Called)
    return not turns or any(call.seq > turns[-1].seq for call in called)


def _not_happened(history: History, baseline: History | None, end: int | None) -> str:
    if baseline is None:
        return ""
    have = {c.intent for c in history.ledger if end is None or c.seq < end}
    besides = {intent.effect for intent in have if intent not in baseline.effects}
    missing = [
        intent
        for intent in baseline.effects
        if intent not in have and not besides & set(baseline.instead.get(intent.effect, ()))
    ]
    return f"{missing[0]} had not happened" if missing else ""


def _synthesised(done: Done, stop: Event, what: str, subject: str) -> Violation:
    how = "cancelled" if subject == "cancelled" else "stopped before its end"
    return Violation(
        code="AF308",
        subject=subject,
        title=f"{subject}: stopped, claims success",
        sentence=f"The run was {how}: {what}. The agent claims success all the same.",
        says=f"{done.status} ({done.reason})",
        world=what,
        witness=tuple(sorted((stop.seq, done.seq))),
        hint="end with partial, failed (budget_exhausted) or cancelled, or raise",
    )
