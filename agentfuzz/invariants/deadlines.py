"""Laws about the time and the budget of an ending (AF215, AF308).

Law: a leg gets to an ending within its time, and an ending that a limit or a stop forced is no
success. Called by the run through `Invariant`. Source: CATALOGUE laws C7 and C10; Tian Pan,
"'Done!' Is Not a Return Code" (2026).
"""

from collections.abc import Iterator, Mapping, Sequence

from agentfuzz.core.codec import dump, plain, scope_value
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import (
    Called,
    Cancelled,
    Committed,
    Crashed,
    Delivered,
    Done,
    Ended,
    Event,
    Json,
    ModelInput,
    ModelTurn,
    Refused,
    Replayed,
    Replied,
    Resumed,
    Struck,
)
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law
from agentfuzz.invariants._talk import DONE, clean, replies
from agentfuzz.invariants.retries import logical, logical_of

# What the backend does by itself; all else is an act of the agent, or reaches it.
_BACKEND = (Delivered, Committed, Replayed, Refused, Struck)


@law()
def ends_within(*, seconds: float | None = None, turns: int | None = None) -> Check:
    """C7: from the beginning of a leg, or from its last progress, to its completion or ending pass
    at most so many virtual `seconds`, and at most so many `turns` of a model. Progress is an
    effect, or a reply that says applied and is new: the same answer to the same question is none.
    A run that hangs has no ending at all.

    Departs from the catalogue: what is asked for is any ending. Whether it is a structured one is
    `structured_termination`'s to judge, the budget `bounded`'s, and spinning `returns_control`'s.
    Time that a fault skipped (`clock_jump`), or that another leg took in between, does not count.

    NOT_EXERCISED when no leg has ended, or the run ran into its budget before its time was up.
    """
    given = {"seconds": seconds, "turns": turns}
    limits = {word: limit for word, limit in given.items() if limit is not None}
    if not limits or any(limit <= 0 for limit in limits.values()):
        raise ScenarioError(
            f"ends_within({', '.join(f'{k}={v}' for k, v in limits.items())}) declares no time "
            "that a run could keep; give at least one, as in ends_within(seconds=60), above 0."
        )

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        found: dict[tuple[str, str], Violation] = {}
        calls = {call.call: call for call in history.of(Called)}
        for leg in history.legs:
            acts = _until_the_end(leg)
            for violation in _overruns(acts, calls, seconds, turns):
                found.setdefault(violation.signature, violation)
        ended = history.ended
        if ended is not None and ended.how == "cut_off" and ended.error == "hung":
            found.setdefault(("AF215", "run"), _never(history, ended))
        over = any(isinstance(e, (Done, Ended, Crashed, Resumed)) for e in history.events)
        stopped = ended is not None and ended.how == "cut_off"
        return list(found.values()) if found or (over and not stopped) else None

    return check


def _until_the_end(leg: Sequence[Event]) -> list[Event]:
    """The events of a leg up to its ending. What arrives after the agent has answered moves the
    clock, and is no time that the agent took."""
    kept: list[Event] = []
    for event in leg:
        late = bool(kept) and isinstance(kept[-1], _BACKEND)
        if not isinstance(event, Ended) or not late:
            kept.append(event)
        if isinstance(event, (Ended, Crashed)) or (isinstance(event, Done) and not event.problem):
            break
    while kept and isinstance(kept[-1], _BACKEND):
        kept.pop()
    return kept


def _overruns(
    leg: list[Event], calls: dict[str, Called], seconds: float | None, turns: int | None
) -> Iterator[Violation]:
    if not leg:
        return
    mark, since, taken = leg[0], leg[0].t if isinstance(leg[0], Resumed) else 0.0, 0
    known: set[str] = set()
    before, jumps = leg[0], False
    for event in leg:
        jumps = jumps or _jumped(event)  # until the agent has something of it again
        if jumps or isinstance(event, Resumed):
            since += event.t - before.t
        before, jumps = event, jumps and isinstance(event, _BACKEND)
        if seconds is not None and event.t - since > seconds:
            yield _too_long(mark, event, "seconds", seconds, f"{event.t - since:g} s")
            return
        if isinstance(event, ModelTurn):
            taken += 1
            if turns is not None and taken > turns:
                yield _too_long(mark, event, "turns", turns, f"{taken} turns of a model")
                return
        elif _progress(event, calls, known):
            mark, since, taken = event, event.t, 0


def _jumped(event: Event) -> bool:
    return isinstance(event, Struck) and event.fault.axes[0] == "clock_jump"


def _progress(event: Event, calls: dict[str, Called], known: set[str]) -> bool:
    if isinstance(event, Committed):
        return True
    if not isinstance(event, Replied) or event.outcome not in ("applied", "replayed"):
        return False
    said = dump([*logical(calls[event.call]), plain(event.body)])
    new = said not in known
    known.add(said)
    return new


def _too_long(mark: Event, event: Event, word: str, limit: float, took: str) -> Violation:
    unit = "s" if word == "seconds" else word
    return Violation(
        "AF215",
        word,
        f"no ending within {limit:g} {unit}",
        f"{took} after it had begun or last got anywhere, this leg of the run had not ended; its "
        f"declared time is {limit:g} {unit}.",
        "still at work",
        f"{took} without progress",
        (mark.seq, event.seq),
        "measure time and turns since the last progress, and end with blocked or failed",
    )


def _never(history: History, ended: Ended) -> Violation:
    return Violation(
        "AF215",
        "run",
        "waits for ever",
        f"The run waited for what cannot come, and had to be cut off{': ' * bool(ended.detail)}"
        f"{ended.detail}.",
        "still waiting",
        "nothing can come any more",
        (ended.seq,),
        "give every wait a deadline, and end with blocked or failed when it is over",
    )


@law()
def budget_is_not_success() -> Check:
    """C10: no success is claimed by a run that was stopped. Not after a cancellation with work
    still to be done (an effect of the fault-free run, or a call that the model asked for); and not
    by a loop that stops its model: its last turn asked for calls that were never made, or, other
    than in the fault-free run, whose result no model was shown; nor by a run that was cut off.

    Departs from the catalogue: no limit needs to be declared (`limits_hold` judges declared ones,
    AF212). A completion that the model itself asked for is its own claim, `truthful`'s to judge,
    and a repeat of what was already carried out is no work left.

    NOT_EXERCISED when no leg was stopped: not cancelled, not cut off, and nothing left that a
    model had asked for.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        found: dict[tuple[str, str], Violation] = {}
        exercised = False
        shows = baseline is not None and baseline is not history and not _unshown(baseline)
        for leg in history.legs:
            for stop, what, subject in _stops(history, leg, baseline, shows):
                exercised = True
                done = _success(leg, stop)
                if done is not None and what:
                    violation = _synthesised(done, stop, what, subject)
                    found.setdefault(violation.signature, violation)
        return list(found.values()) if exercised else None

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
    said = replies(history)
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
    if shows and after and (after[-1].asked if by_id else after[-1].slot.name) in wanted:
        return f"no model was shown what {after[-1].slot.name} answered"
    return ""


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
    have = {c.intent for c in history.ledger if end is None or c.seq < end}
    missing = [c.intent for c in (baseline.ledger if baseline else ()) if c.intent not in have]
    return f"{missing[0]} had not happened" if missing else ""


def _synthesised(done: Done, stop: Event, what: str, subject: str) -> Violation:
    how = "cancelled" if subject == "cancelled" else "stopped before its end"
    return Violation(
        "AF308",
        subject,
        f"{subject}: stopped, claims success",
        f"The run was {how}: {what}. The agent claims success all the same.",
        f"{done.status} ({done.reason})",
        what,
        tuple(sorted((stop.seq, done.seq))),
        "end with partial, failed (budget_exhausted) or cancelled, or raise",
    )
