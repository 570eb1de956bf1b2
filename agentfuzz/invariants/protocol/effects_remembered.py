"""The law about what a loop remembers of what it has done (AF412).

Law: an effect whose receipt was read is in every input that follows, as its receipt or as a
record, until the task is over. Source: CATALOGUE law X1; Tian Pan, "When Your Agent Framework
Becomes the Bug" (2026).
"""

from collections.abc import Iterator
from typing import NamedTuple

from agentfuzz.core.events import (
    Called,
    Committed,
    Crashed,
    Event,
    Messaged,
    ModelInput,
    Replayed,
    Replied,
    Resumed,
    Saved,
)
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.astray import spoilt_between
from agentfuzz.invariants.queries.calls import clean, doubtful, looks_up
from agentfuzz.invariants.queries.conversations import (
    Asked,
    bound,
    conversations,
    origin,
    restarts,
    times_asked,
)
from agentfuzz.invariants.queries.texts import CUT, leaves

_FINAL = ("success", "failed", "cancelled")  # blocked and partial leave the task open


class _Read(NamedTuple):
    """An effect whose reply the agent has read, for a call that the model asked for; and the ids
    of all calls that brought it."""

    commit: Committed
    call: Called
    reply: Replied
    ask: Asked
    ids: set[str]


@law(codes={"AF412": "An effect was forgotten"}, catalogue="X1")
def effects_remembered() -> Check:
    """An effect whose reply was read is in every later input of the model, until the task is over.

    Once the reply of an effect that the model asked for has been read, every later input of that
    conversation holds it: a message that answers its id (with a value of its reply, where the
    model gave the id to another call, too), or a record (the effect's id, a value that
    only its reply gave, or the tool or the effect by name together with its scope). So does every
    input of a leg that goes on with the task (restart, follow_up, interrupt, decision), until a
    completion ends it; `blocked` and `partial` leave it open. To compact is to shorten, not to
    erase. A reply that leaves doubt is no receipt.

    Departs from the catalogue: an input whose new texts are longer than a history keeps is not
    judged, nor one after a handoff that was spoilt on its way; a restarted leg need not know what
    died unsaved with the step before it, nor what it then learns by a look-up or by a repeat that
    was recognised.

    NOT_EXERCISED when no input came after such a reply.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        exercised = False
        found: list[Violation] = []
        for thread in _threads(history):
            for read in _receipts(thread):
                for given in _inputs(thread, read):
                    exercised = True
                    if spoilt_between(history, read.reply.seq, given.seq):
                        continue
                    if not _remembered(thread, read, given):
                        found.append(_forgotten(read, given))
        return found if exercised else None

    return check


def _threads(history: History) -> list[History]:
    """The legs that go on with one another, each chain a history of its own. A second delivery
    of the trigger, another task, and a leg within another one, begin another chain."""
    chain, leg = {1: 1}, 1
    kept: dict[int, list[Event]] = {}
    for event in history.events:
        if isinstance(event, Resumed):
            if event.leg not in chain:
                apart = event.why in ("duplicate", "task") or event.after == "running"
                chain[event.leg] = event.leg if apart else chain[leg]
            leg = event.leg
        kept.setdefault(chain[leg], []).append(event)
    if len(kept) == 1:
        return [history]
    return [History(events, history.tools) for events in kept.values()]


def _receipts(thread: History) -> list[_Read]:
    commits = {commit.effect_id: commit for commit in thread.ledger}
    found: dict[str, _Read] = {}
    for event in thread.events:
        if not isinstance(event, (Committed, Replayed)) or event.effect_id not in commits:
            continue
        call, reply = thread.calls.get(event.call), thread.replies.get(event.call)
        ask = origin(thread, call) if call is not None else None
        if call is None or ask is None or reply is None or not clean(reply):
            continue
        if doubtful(thread, call):
            continue
        if reply.seq > event.seq:
            read = _Read(commits[event.effect_id], call, reply, ask, set())
            found.setdefault(event.effect_id, read).ids.add(ask.id)
    return list(found.values())


def _inputs(thread: History, read: _Read) -> Iterator[ModelInput]:
    """The inputs that have to hold an effect: of its conversation, and, in a later leg, of the
    first one there."""
    over = (d.seq for d in thread.completions if d.status in _FINAL and d.seq > read.reply.seq)
    end = next(over, None)
    openings, later_legs = _openings(thread, read), False
    for event in thread.events:
        if event.seq <= read.reply.seq or (end is not None and event.seq > end):
            continue
        if isinstance(event, Resumed) and event.why != "back":
            if event.why == "restart" and _unsaved(thread, read, event):
                return
            later_legs = True
        elif isinstance(event, ModelInput):
            if later_legs:
                openings, later_legs = [*openings, _opening(event)], False
            if _opening(event) in openings and not _learns(thread, read, event):
                yield event


def _opening(given: ModelInput) -> str:
    return next((one.text for one in given.messages if one.role == "user"), "")


def _openings(thread: History, read: _Read) -> list[str]:
    """How the inputs of the effect's conversation open: as before, or trimmed or rewritten so
    that another message of the user's stands first."""
    talks = conversations(thread)
    own = [t for t in talks if any(given.slot == read.ask.turn.slot for given in t.inputs)]
    found = [_opening(given) for talk in own for given in talk.inputs]
    known = {item for talk in own for given in talk.inputs for item in bound(given)}
    for talk in talks:
        first, opening = talk.inputs[0], _opening(talk.inputs[0])
        trimmed = not restarts(first) and known & set(bound(first))
        if trimmed or any(text and opening.startswith(text) for text in found):
            found.append(opening)
    return found


def _unsaved(thread: History, read: _Read, restart: Resumed) -> bool:
    """Whether the process died in the step of the reply, and had written nothing down since."""
    between = [e for e in thread.events if read.reply.seq < e.seq < restart.seq]
    crash = next((e.seq for e in between if isinstance(e, Crashed)), restart.seq)
    return not any(isinstance(e, (Saved, ModelInput)) for e in between if e.seq < crash)


def _leg_start(thread: History, seq: int) -> Resumed | None:
    legs = [event for event in thread.of(Resumed) if event.seq < seq and event.why != "back"]
    return legs[-1] if legs else None


def _learns(thread: History, read: _Read, given: ModelInput) -> bool:
    """Whether a restarted leg finds out by itself: by a look-up, or a repeat that is recognised."""
    leg = _leg_start(thread, given.seq)
    if leg is None or leg.seq < read.reply.seq or leg.why != "restart":
        return False
    said = thread.replies
    for event in thread.of(Replayed):
        if event.seq > leg.seq and event.effect_id == read.commit.effect_id:
            return True
    return any(
        looks_up(thread, call, read.commit.intent) and call.call in said and clean(said[call.call])
        for call in thread.of(Called)
        if call.seq > leg.seq
    )


def _remembered(thread: History, read: _Read, given: ModelInput) -> bool:
    values = [value for value in leaves(read.reply.body) if len(value) > 2]
    old = _before(thread, read)
    for one in given.messages:
        if one.answers not in read.ids or (values and not one.text.strip()):
            continue
        if times_asked(thread, str(one.answers), given.seq) < 2 or _holds(one.text, values):
            return True
    for one in given.messages:
        if one.text in old or not one.text:
            continue
        if len(one.text) >= CUT:
            return True  # nobody knows what else it says
        text = one.text
        for known in old:
            text = text.replace(known, " ")
        fresh = (value for value in values if not any(value in known for known in old))
        if read.commit.effect_id in text or any(value in text for value in fresh):
            return True
        if _named(read, text):
            return True
    return False


def _holds(text: str, values: list[str]) -> bool:
    return len(text) >= CUT or not values or any(value in text for value in values)


def _before(thread: History, read: _Read) -> list[str]:
    """The texts that were there before the effect, or that are the user's own: no record of it.
    The longest first."""
    first = thread.calls.get(read.commit.call, read.call)
    shown = [g for g in thread.of(ModelInput) if g.seq < first.seq]
    texts = {one.text for given in shown for one in given.messages if one.text}
    texts |= {event.text for event in thread.of(Messaged) if event.text}
    return sorted(texts, key=lambda text: (-len(text), text))


def _named(read: _Read, text: str) -> bool:
    """Whether a text names the tool or the effect, and all of the scope."""
    low, intent = text.lower(), read.commit.intent
    scope = all(str(value).lower() in low for _, value in intent.scope)
    return scope and any(name.lower() in low for name in (read.commit.tool, intent.effect))


def _forgotten(read: _Read, given: ModelInput) -> Violation:
    commit = read.commit
    return Violation(
        code="AF412",
        subject=commit.intent.effect,
        title=f"{commit.tool}: effect forgotten",
        sentence=f"{commit.intent} took effect and was answered {read.reply.outcome}; the input of "
        f"{given.slot} holds neither its result nor a record of it, and the model has to take it "
        "for undone.",
        says=f"nothing of it at {given.slot}",
        world=f"{commit.intent} is in the ledger",
        witness=(commit.seq, read.reply.seq, given.seq),
        hint="when you shorten or rebuild a conversation, keep a line for each effect, with its id",
    )
