"""The law about what is executed of what was asked for (AF407).

Law: a call is made because a model asked for it, once for each time that it asked. Source:
CATALOGUE law P3, and the bugs behind it.
"""

from collections.abc import Iterator, Mapping

from agentfuzz.core.between import Acts, HandoffSent
from agentfuzz.core.codec import scope_value
from agentfuzz.core.events import Called, Ended, Json, ModelInput, ModelTurn
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean, died_between, doubtful
from agentfuzz.invariants.queries.conversations import DONE, UNFINISHED, Asked, asked_for, origin
from agentfuzz.invariants.queries.endings import closed_by_tool, passes_for_success


@law(codes={"AF407": "Executed otherwise than asked"}, catalogue="P3")
def executed_as_asked() -> Check:
    """What the model asked for is executed once, as it asked, and no other effect is called for.

    Each call that a model asked for is executed once, as the tool and for the intent that it named;
    a call that stands twice in a turn under one id counts once. Repeating a call with its key, or
    one whose reply failed, leaves doubt or died with the process, is no second execution
    (`no_blind_repeat` judges that). No effect is called for that no model asked for, apart from
    such repeats, and no call is dropped in silence by a run that passes for a success; a last call
    of a tool of the loop's own is none, if the run returns what it says.

    NOT_EXERCISED when no model asked for a call, or when the loop does not say which of its calls
    were asked for (`asked`).
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        called = history.of(Called)
        if not asked_for(history) or (called and not any(call.asked for call in called)):
            return None
        return [*_executions(history), *_dropped(history)]

    return check


def _executions(history: History) -> Iterator[Violation]:
    before: dict[int, list[Called]] = {}  # by what was asked
    for call in history.of(Called):
        tool, ask = call.slot.name, origin(history, call) or _repeats(history, call)
        if ask is None:
            if call.intent is not None:
                yield _otherwise(call, None, f"{tool}: not asked for", "no model asked for it")
            continue
        if tool != ask.tool:
            yield _otherwise(call, ask, f"{tool} ran for {ask.tool}", f"it asked for {ask.tool}")
        elif wrong := _other_scope(call, ask):
            yield _otherwise(call, ask, f"{tool}: another {wrong[0]}", f"it asked for {wrong[1]}")
        earlier = before.setdefault(id(ask), [])
        done = [one for one in earlier if _stands(history, one, call)]
        if done:
            title = f"{tool} ran {len(earlier) + 1}x, asked 1x"
            yield _otherwise(call, ask, title, "it asked for it once", done[0])
        earlier.append(call)


def _repeats(history: History, call: Called) -> Asked | None:
    """What a call without an id goes back to that repeats, with its key, one that has an id."""
    if call.key is None:
        return None
    for one in reversed(history.of(Called)):
        same = (one.slot.name, one.key) == (call.slot.name, call.key)
        if same and one.seq < call.seq and one.asked is not None:
            return origin(history, one)
    return None


def _stands(history: History, earlier: Called, call: Called) -> bool:
    """Whether an earlier execution is under way at a call, or was answered so that it may be
    trusted; the process that knows of it still lives, and the backend takes the two for two."""
    if call.key is not None and call.key == earlier.key:
        return False
    if died_between(history, earlier.seq, call.seq):
        return False
    reply = history.replies.get(earlier.call)
    if reply is None or reply.seq > call.seq:
        return True
    return clean(reply) and not doubtful(history, earlier)


def _other_scope(call: Called, ask: Asked) -> tuple[str, str] | None:
    if call.intent is None or isinstance(ask.arguments, str):
        return None
    for name, value in call.intent.scope:
        if name in ask.arguments and scope_value(ask.arguments[name]) != scope_value(value):
            return name, f"{name}={ask.arguments[name]!r}"
    return None


def _otherwise(
    call: Called, ask: Asked | None, title: str, asked: str, first: Called | None = None
) -> Violation:
    witness = [] if ask is None else [ask.turn.seq]
    witness += [call.seq] if first is None else [first.seq, call.seq]
    who = "" if ask is None else f" (id {ask.id}, {ask.turn.slot})"
    return Violation(
        code="AF407",
        subject=call.slot.name,
        title=title,
        sentence=f"{call.slot} was executed, and the model asked otherwise: {asked}{who}.",
        says=asked,
        world=f"{call.slot} was executed",
        witness=tuple(witness),
        hint=(
            "execute each id of a turn once, as it stands there; refuse what you cannot tell apart"
        ),
    )


def _returned(ended: Ended, arguments: Mapping[str, Json] | str) -> bool:
    """Whether the arguments of a call are what the run came to."""
    value = ended.value
    if not arguments or not isinstance(arguments, Mapping) or not isinstance(value, Mapping):
        return False
    return arguments.items() <= value.items()


def _another_acts(history: History, turn: int) -> bool:
    """Whether another agent acts next than at this event, or something is handed over before the
    model speaks again."""
    turns = (one.seq for one in history.of(ModelTurn) if one.seq > turn)
    until = min(turns, default=len(history.events))
    if any(turn < one.seq < until for one in history.of(HandoffSent)):
        return True
    acts = history.of(Acts)
    here = next((one.agent for one in reversed(acts) if one.seq < turn), "")
    following = next((one.agent for one in acts if one.seq > turn and one.agent), here)
    return following != here


def _dropped(history: History) -> Iterator[Violation]:
    ended, closed = passes_for_success(history), closed_by_tool(history)
    if ended is None:
        return
    executed = {
        (ask.id, ask.turn.seq) for call in history.of(Called) if (ask := origin(history, call))
    }
    asks = asked_for(history)
    for ask in asks:
        turn = ask.turn
        if ask.tool == DONE or turn.stop in UNFINISHED or (ask.id, turn.seq) in executed:
            continue
        if closed is not None and closed.seq > turn.seq:
            continue  # the rest of a turn is dropped at the completion event
        later = [given for given in history.of(ModelInput) if given.seq > turn.seq]
        if any(one.answers == ask.id for given in later for one in given.messages):
            continue  # refused, and the model was told
        if not later and ask.tool not in history.tools and _returned(ended, ask.arguments):
            continue  # the loop's own tool, by which the model gives its typed answer
        if ask.tool not in history.tools and _another_acts(history, turn.seq):
            continue  # a handoff of the framework's own, carried out
        if died_between(history, turn.seq, later[0].seq if later else ended.seq):
            continue  # whoever knew of it is no more
        if later and not any((other.id, turn.seq) in executed for other in asks):
            continue  # the whole turn was refused and asked for again
        yield Violation(
            code="AF407",
            subject=f"{ask.tool} dropped",
            title=f"{ask.tool}: asked for, never ran",
            sentence=(
                f"The model asked for {ask.tool} (id {ask.id}, {turn.slot}); it was neither "
                "executed nor refused, and the run passes for a success."
            ),
            says="returned as if all were done",
            world=f"{ask.tool} never ran",
            witness=(turn.seq, ended.seq),
            hint=(
                "execute every call of a turn, or answer it with a refusal that the model can read"
            ),
        )
