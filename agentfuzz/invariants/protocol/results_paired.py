"""The law that every call has one result, and every result its call (AF404, AF405).

Law: what a model was shown of its own calls is whole, in order, and stays. A model that does not
see a result asks again. Source: CATALOGUE law P1, and the bugs behind it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from agentfuzz.core.events import Called, ModelInput, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import Logical, doubtful, logical
from agentfuzz.invariants.queries.conversations import Asked, asked_for, bound, conversations
from agentfuzz.invariants.queries.texts import forms, leaves


class _Said(NamedTuple):
    """A reply, and whether it leaves doubt."""

    reply: Replied
    doubtful: bool


@law(
    codes={
        "AF404": "A call without its result, or a result without its call",
        "AF405": "What the model was shown has vanished",
    },
    catalogue="P1",
)
def results_paired(*, forgets: bool = False) -> Check:
    """In every input of the model each call has one result, and each result its call.

    Each call has exactly one result after it, each result its own call (AF404), and what was shown
    once is still there in the next input of the same conversation, in the same order (AF405), also
    where the model gives an id that it gave before. Two different calls to which it gives one id in
    one turn may have a result each.
    `forgets=True` allows the latter: a loop that shortens its context on purpose. A reply that
    leaves doubt (damaged, cut off, unclear) may be taken back.

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
                    found.append(_not_a_pair(history, given, tools.get(call, ""), call, problem))
                if before is not None and not forgets:
                    found.extend(_changes(before, given, tools, said))
                    found.extend(_displaced(before, given, asks, said))
                before = given
        return found if exercised else None

    return check


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
                if results[call] == 1 + _different(given, asks, call):
                    yield call, "result shown twice"
        if message.role == "tool" and message.answers is None:
            yield "", "result without call"
    yield from ((call, "call without result") for call, n in results.items() if n == 0)
    for call, shown in times.items():
        turns = {ask.turn.seq for ask in asks if ask.id == call and ask.turn.seq < given.seq}
        if 0 < len(turns) < shown:
            yield call, "call shown twice"


def _different(given: ModelInput, asks: list[Asked], call: str) -> int:
    """How many different calls the model asked for under one id in one turn: one, mostly."""
    turns: dict[int, list[Asked]] = {}
    for ask in asks:
        if ask.id == call and ask.turn.seq < given.seq:
            alike = turns.setdefault(ask.turn.seq, [])
            if not any((ask.tool, ask.arguments) == (one.tool, one.arguments) for one in alike):
                alike.append(ask)
    return max(map(len, turns.values()), default=1)


def _said(history: History) -> dict[str, list[_Said]]:
    """The replies by the id under which the model asked for the call. A repeat that bears no id is
    one of each like it."""
    answered = history.replies
    found: dict[str, list[_Said]] = {}
    like: dict[Logical, set[str]] = {}
    for call in history.of(Called):
        ids = like.setdefault(logical(call), set())
        if call.asked is not None:
            ids.add(call.asked)
        if call.call in answered:
            said = _Said(answered[call.call], doubtful(history, call))
            for name in ids if call.asked is None else (call.asked,):
                found.setdefault(name, []).append(said)
    return found


def _exchanged(given: ModelInput, said: dict[str, list[_Said]]) -> Iterator[tuple[str, str]]:
    """Results that are, word for word, the reply of another call shown here, and nothing that
    their own call was answered."""

    def of(call: str) -> list[Replied]:
        return [one.reply for one in said.get(call, ()) if one.reply.seq < given.seq]

    shown = {one.answers: one.text.strip() for one in given.messages if one.answers is not None}
    for call, text in shown.items():
        own = [form for reply in of(call) for form in forms(reply.body) if form]
        if not own or not text or _in_doubt(said, call, given.seq):
            continue
        if any(form in text for form in own):
            continue
        others = [reply for other in shown if other != call for reply in of(other)]
        if any(text in forms(reply.body) and _tell_apart(reply, own) for reply in others):
            yield call, "result of another call"


def _in_doubt(said: dict[str, list[_Said]], call: str, before: int) -> bool:
    """Whether the last reply to this id leaves doubt: the loop need not show it."""
    earlier = [one for one in said.get(call, ()) if one.reply.seq < before]
    return bool(earlier) and earlier[-1].doubtful


def _tell_apart(reply: Replied, own: list[str]) -> bool:
    """Whether a reply says anything that is not in these texts too."""
    return any(all(value not in text for text in own) for value in leaves(reply.body))


_PAIRS = {
    "call without result": "its call of {} and no result: it cannot know what came of it",
    "result without call": "a result of {} whose call is not there before it",
    "result shown twice": "two results of one call of {}",
    "call shown twice": "a call of {} more often than it had asked for it",
    "result of another call": "as the result of {} the reply of another call",
}


def _not_a_pair(
    history: History, given: ModelInput, tool: str, call: str, problem: str
) -> Violation:
    name = tool or call or "a tool"
    who = f"the model {given.slot.name}" if given.slot.name else "the model"
    shown = _PAIRS[problem].format(f"{name} (id {call or 'none'})")
    return Violation(
        code="AF404",
        subject=tool or "conversation",
        title=f"{name}: {problem}",
        sentence=f"At turn {given.slot.nth} {who} was shown {shown}.",
        says=f"{name}: {problem} at {given.slot}",
        world=_fate(history, given, call),
        witness=(given.seq,),
        hint="append the results of a turn together, one for each call, by id, failures included",
    )


def _fate(history: History, given: ModelInput, call: str) -> str:
    """What had come of a call when the model was asked."""
    made = [called for called in history.calls.values() if called.asked == call]
    last = next((called for called in reversed(made) if called.seq < given.seq), None)
    if last is None:
        return "no such call was made"
    reply = next((one for one in history.of(Replied) if one.call == last.call), None)
    if reply is None or reply.seq > given.seq:
        return f"{last.slot} was made, and not answered yet"
    return f"{last.slot} was made, and came back with {reply.raised or 'a value'}"


def _changes(
    before: ModelInput, given: ModelInput, tools: dict[str, str], said: dict[str, list[_Said]]
) -> Iterator[Violation]:
    was, now = list(dict.fromkeys(bound(before))), list(dict.fromkeys(bound(given)))
    gone = [item for item in was if item not in now and not _in_doubt(said, item[1], given.seq)]
    for kind, call in gone:
        yield _vanished(before, given, tools.get(call, ""), call, f"{kind} vanished")
    stayed = [item for item in was if item in now]
    for (_, call), item in zip(stayed, [one for one in now if one in was], strict=True):
        if item[1] != call:
            yield _vanished(before, given, tools.get(call, ""), call, "moved from its place")
            return


def _displaced(
    before: ModelInput, given: ModelInput, asks: list[Asked], said: dict[str, list[_Said]]
) -> Iterator[Violation]:
    """Results that gave way to one of another call, to which the model gave the same id."""
    again = {ask.id: ask.tool for ask in asks if before.seq < ask.turn.seq < given.seq}
    for call, tool in again.items():
        was, now = (
            [one.text for one in each.messages if one.answers == call] for each in (before, given)
        )
        gave_way = was and now and len(now) <= len(was) and now[-1] != was[-1]
        if gave_way and not _in_doubt(said, call, before.seq):
            yield _vanished(before, given, tool, call, "result vanished")


def _vanished(
    before: ModelInput, given: ModelInput, tool: str, call: str, problem: str
) -> Violation:
    name = tool or call
    return Violation(
        code="AF405",
        subject=tool or "conversation",
        title=f"{name}: {problem}",
        sentence=(
            f"{before.slot} was shown {name} (id {call}); in the input of {given.slot}, in the "
            f"same conversation, it has {'moved' if problem.startswith('moved') else 'vanished'}."
        ),
        says=f"shown at {before.slot}",
        world=f"{problem} at {given.slot}",
        witness=(before.seq, given.seq),
        hint="only append to a conversation; shorten it by a record that keeps ids and receipts",
    )
