"""Laws about what a model is shown of its own calls (AF404, AF405, AF406).

Law: every call has one result, every result its call, and what was executed is seen. A model
that does not see its receipt asks again: a lost result is a second effect on its way. Called by
the run through `Invariant`. Source: CATALOGUE laws P1 and P2, and the bugs behind them.
"""

from collections.abc import Iterable, Iterator

from agentfuzz.core.events import Called, Committed, ModelInput, Replayed, Replied, Shown
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law
from agentfuzz.invariants._talk import (
    CUT,
    Asked,
    Conversation,
    asked_for,
    bound,
    clean,
    conversations,
    forms,
    leaves,
    origin,
    replies,
    restarts,
)


@law()
def results_paired(*, forgets: bool = False) -> Check:
    """P1: in every model input each call has exactly one result after it, each result its own
    call (AF404), and what was shown once is still there in the next input of the same
    conversation, in the same order (AF405). `forgets=True` allows the latter: a loop that
    shortens its context on purpose.

    NOT_EXERCISED when no input held a call or a result.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        asks, said = asked_for(history), _said(history)
        tools = {ask.id: ask.tool for ask in asks}
        found: list[Violation] = []
        exercised = False
        for conversation in conversations(history):
            before: ModelInput | None = None
            for given in conversation.inputs:
                exercised = exercised or any(True for _ in bound(given))
                for call, problem in (*_unpaired(given, asks), *_exchanged(given, said)):
                    found.append(_not_a_pair(given, tools.get(call, ""), call, problem))
                if before is not None and not forgets:
                    found.extend(_changes(before, given, tools))
                before = given
        return _once(found) if exercised else None

    return check


def _once(found: Iterable[Violation]) -> list[Violation]:
    """The first of each signature: what is broken once stays broken in every later input."""
    kept: dict[tuple[str, str], Violation] = {}
    for violation in found:
        kept.setdefault(violation.signature, violation)
    return list(kept.values())


def _unpaired(given: ModelInput, asks: list[Asked]) -> Iterator[tuple[str, str]]:
    results: dict[str, int] = {}  # since the call was last asked for
    times: dict[str, int] = {}
    group: set[str] = set()  # a model's turn may stand in several messages
    for message in given.messages:
        if message.role != "assistant":
            group.clear()
        for kind, call in bound(ModelInput(0, 0.0, given.slot, (message,))):
            if kind == "call" and call not in group:
                if results.get(call) == 0:
                    yield call, "call without result"
                group.add(call)
                results[call] = 0
                times[call] = times.get(call, 0) + 1
            elif kind == "result":
                if call not in results:
                    yield call, "result without call"
                    continue
                results[call] += 1
                if results[call] == 2:
                    yield call, "result shown twice"
        if message.role == "tool" and message.answers is None:
            yield "", "result without call"
    yield from ((call, "call without result") for call, n in results.items() if n == 0)
    for call, shown in times.items():
        turns = {ask.turn.seq for ask in asks if ask.id == call and ask.turn.seq < given.seq}
        if 0 < len(turns) < shown:
            yield call, "call shown twice"


def _said(history: History) -> dict[str, list[Replied]]:
    """The replies by the id under which the model asked for the call."""
    answered = replies(history)
    found: dict[str, list[Replied]] = {}
    for call in history.of(Called):
        if call.asked is not None and call.call in answered:
            found.setdefault(call.asked, []).append(answered[call.call])
    return found


def _exchanged(given: ModelInput, said: dict[str, list[Replied]]) -> Iterator[tuple[str, str]]:
    """Results that are, word for word, the reply of another call shown here."""

    def of(call: str) -> list[str]:
        earlier = [reply for reply in said.get(call, ()) if reply.seq < given.seq]
        return [form for reply in earlier for form in forms(reply.body) if form]

    shown = {one.answers: one.text.strip() for one in given.messages if one.answers is not None}
    for call, text in shown.items():
        own = of(call)
        if not own or not text or any(form in text for form in own):
            continue
        if any(text in of(other) for other in shown if other != call):
            yield call, "result of another call"


_PAIRS = {
    "call without result": "asks for a call and shows no result of it",
    "result without call": "shows a result whose call is not there before it",
    "result shown twice": "shows two results of one call",
    "call shown twice": "shows a call more often than the model asked for it",
    "result of another call": "shows, as the result of one call, the reply of another",
}


def _not_a_pair(given: ModelInput, tool: str, call: str, problem: str) -> Violation:
    name = tool or call or "a tool"
    return Violation(
        "AF404",
        tool or "conversation",
        f"{name}: {problem}",
        f"The input of {given.slot} {_PAIRS[problem]} ({name}, id {call or 'none'}).",
        f"{problem} at {given.slot}",
        "one call, one result",
        (given.seq,),
        "append the results of a turn together, one for each call, by id, failures included",
    )


def _changes(before: ModelInput, given: ModelInput, tools: dict[str, str]) -> Iterator[Violation]:
    was, now = list(dict.fromkeys(bound(before))), list(dict.fromkeys(bound(given)))
    gone = [item for item in was if item not in now]
    for kind, call in gone:
        yield _vanished(before, given, tools.get(call, ""), call, f"{kind} vanished")
    stayed = [item for item in was if item in now]
    for (_, call), item in zip(stayed, [one for one in now if one in was], strict=True):
        if item[1] != call:
            yield _vanished(before, given, tools.get(call, ""), call, "moved from its place")
            return


def _vanished(
    before: ModelInput, given: ModelInput, tool: str, call: str, problem: str
) -> Violation:
    name = tool or call
    return Violation(
        "AF405",
        tool or "conversation",
        f"{name}: {problem}",
        f"{before.slot} was shown {name} (id {call}); in the input of {given.slot}, in the same "
        f"conversation, it has {'moved' if problem.startswith('moved') else 'vanished'}.",
        f"shown at {before.slot}",
        f"{problem} at {given.slot}",
        (before.seq, given.seq),
        "only append to a conversation; shorten it by a record that keeps ids and receipts",
    )


@law()
def receipts_shown() -> Check:
    """P2: the result of every executed call that the model asked for stands in the next input of
    the conversation, whatever happened to the calls beside it. The receipt of an effect must be
    recognisable in it (one of its values), and must not be lost when the loop begins the
    conversation again; the result of a look-up may.

    NOT_EXERCISED when no such call was followed by a model input.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        asks, talks, answered = asked_for(history), conversations(history), replies(history)
        happened = {event.call for event in history.of(Committed)}
        happened |= {event.call for event in history.of(Replayed)}
        last: dict[tuple[str, int], tuple[Called, Replied, Asked]] = {}
        for call in history.of(Called):
            ask, reply = origin(asks, call), answered.get(call.call)
            if call.asked is not None and ask is not None and reply is not None:
                last[call.asked, ask.turn.seq] = (call, reply, ask)
        exercised = False
        found: list[Violation] = []
        for call, reply, ask in last.values():
            given = _next(talks, ask, reply, began_again=call.call in happened)
            if given is None:
                continue
            exercised = True
            shown = [one for one in given.messages if one.answers == call.asked]
            effect = call.call in happened and clean(reply)
            if not shown or (effect and not any(_recognised(one, reply) for one in shown)):
                found.append(_unseen(call, reply, given, bool(shown)))
        return _once(found) if exercised else None

    return check


def _next(
    talks: list[Conversation], ask: Asked, reply: Replied, *, began_again: bool
) -> ModelInput | None:
    """The input in which the result of a call must stand: the next one of the conversation, or
    the first of one that began over with the same words."""
    own = [talk for talk in talks if any(one.slot == ask.turn.slot for one in talk.inputs)]
    for talk in own:
        later = [given for given in talk.inputs if given.seq > reply.seq]
        if later:
            return later[0] if began_again or not restarts(later[0]) else None
    if began_again:
        for talk in talks:
            first = talk.inputs[0]
            if own and talk.opening == own[0].opening and first.seq > reply.seq and restarts(first):
                return first
    return None


def _recognised(shown: Shown, reply: Replied) -> bool:
    values = list(leaves(reply.body))
    return len(shown.text) >= CUT or not values or any(value in shown.text for value in values)


def _unseen(call: Called, reply: Replied, given: ModelInput, other: bool) -> Violation:
    tool = call.slot.name
    instead = "something else stands in its place" if other else "it does not show the result"
    return Violation(
        "AF406",
        tool,
        f"{tool}: receipt not shown",
        f"{call.slot} was executed and answered {reply.outcome}; {instead} in the next input of "
        f"the model ({given.slot}), which has to take the call for undone.",
        f"no receipt at {given.slot}",
        f"{call.slot} answered {reply.outcome}",
        (call.seq, reply.seq, given.seq),
        "append every result that came, one by one, before you handle the failure of another",
    )
