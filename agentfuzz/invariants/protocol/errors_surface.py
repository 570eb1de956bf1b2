"""The law about errors that must not vanish (AF411).

Law: what went wrong is told to whoever decides next: the model in its next input, or the caller in
the ending. Source: CATALOGUE law L5; Tian Pan, "When Your Agent Framework Becomes the Bug" (2026).
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from agentfuzz.core.events import Called, Crashed, Done, Ended, Event, ModelInput, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean, doubtful, logical, looks_up
from agentfuzz.invariants.queries.conversations import (
    Asked,
    conversations,
    origin,
    restarts,
)
from agentfuzz.invariants.queries.errors import quotes, reads_as_error
from agentfuzz.invariants.queries.texts import CUT, forms

_SUCCESS = re.compile(
    r"\b(ok|okay|done|success|successful|successfully|succeeded|applied|replayed|complete|completed"
    r"|confirmed|accepted|true)\b",
    re.IGNORECASE,
)
_BLANK = ("", "null", "none", "{}", "[]", '""', "''")


class _Lost(NamedTuple):
    """An error reply of a call that a model asked for."""

    call: Called
    reply: Replied
    ask: Asked


@law(codes={"AF411": "An error was swallowed"}, catalogue="L5")
def errors_surface() -> Check:
    """No error is swallowed: the model is shown it, or the ending tells it.

    Every failed or unknown reply of a call that a model asked for is in the next input of that
    conversation, as the result of its id (or told in another message), with a text that says so;
    where no input follows, the leg raises, or its completion is no success. It is never left out,
    and never replaced by nothing or by a success.

    Departs from the catalogue: a text that is neither an error's nor a success's (another
    language) is left alone; so is an error that the loop dealt with itself, by a repeat that was
    answered with a value or by a look-up of the scope. A reply that came as a value counts where
    its text reads as an error, and it leaves no doubt.

    NOT_EXERCISED when no such call failed.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        exercised = False
        found: list[Violation] = []
        for lost in _errors(history):
            place, why = _hidden(history, baseline, lost)
            exercised = exercised or why is not None
            if place is not None and why:
                found.append(_swallowed(lost, place, why))
        return found if exercised else None

    return check


def _errors(history: History) -> Iterator[_Lost]:
    for call in history.of(Called):
        ask, reply = origin(history, call), history.replies.get(call.call)
        if ask is not None and reply is not None and _failed(history, call, reply):
            yield _Lost(call, reply, ask)


def _failed(history: History, call: Called, reply: Replied) -> bool:
    if reply.outcome not in ("failed", "unknown"):
        return False
    told = isinstance(reply.body, str) and reads_as_error(reply.body)
    return reply.raised is not None or (told and not doubtful(history, call))


def _hidden(
    history: History, baseline: History | None, lost: _Lost
) -> tuple[Event | None, str | None]:
    """Where an error should have come up, and what stands there instead: nothing to say against
    it is "", and None that there is nothing to judge."""
    leg = history.leg_at(lost.reply.seq)
    given = _next_input(leg, history, lost)
    if given is None:
        end = _ending(leg, lost.reply.seq)
        if end is None or _dealt_with(history, lost, end.seq):
            return None, None
        return end, _ends_well(history, baseline, end, lost)
    if _dealt_with(history, lost, given.seq):
        return None, None
    shown = [one.text for one in given.messages if one.answers == lost.ask.id]
    others = [one.text for one in given.messages if one.answers is None]
    if any(_tells(text, lost) for text in shown):
        return given, ""
    if any(quotes(text, lost.call, lost.reply) for text in others) or any(
        len(text) >= CUT for text in shown
    ):
        return given, ""
    if not shown:
        return given, "it does not show the result"
    why = next((why for text in shown if (why := _well(history, baseline, text, lost))), "")
    return given, why and f"it shows {why}"


def _next_input(leg: list[Event], history: History, lost: _Lost) -> ModelInput | None:
    """The next input of the conversation in the leg, unless the conversation began anew."""
    inputs = [event for event in leg if isinstance(event, ModelInput)]
    for talk in conversations(History(inputs, history.tools)):
        if any(given.slot == lost.ask.turn.slot for given in talk.inputs):
            later = [given for given in talk.inputs if given.seq > lost.reply.seq]
            if later:
                return None if restarts(later[0]) else later[0]
    return None


def _ending(leg: list[Event], after: int) -> Event | None:
    """The completion that follows, or the end of the run; None where the leg stopped short or
    goes on with another conversation."""
    later = [event for event in leg if event.seq > after]
    if any(isinstance(event, (ModelInput, Crashed)) for event in later):
        return None
    done = [event for event in later if isinstance(event, Done) and not event.problem]
    ended = [event for event in later if isinstance(event, Ended)]
    return done[-1] if done else next(iter(ended), None)


def _dealt_with(history: History, lost: _Lost, before: int) -> bool:
    """Whether the loop itself repeated the call and got another answer, or looked up what
    happened. What a repeat under the same id was answered is the result of the call: if that is an
    error again, it is judged in its place."""
    intent = lost.call.intent
    for call in history.of(Called):
        reply = history.replies.get(call.call)
        if reply is None or not lost.reply.seq < reply.seq < before:
            continue
        again = call.intent == intent if intent is not None else logical(call) == logical(lost.call)
        if again and call.slot.name == lost.call.slot.name:
            same_id = call.asked == lost.call.asked and origin(history, call) == lost.ask
            if same_id or not _failed(history, call, reply):
                return True
        looked = intent is not None and looks_up(history, call, intent)
        if looked and call.seq > lost.reply.seq and clean(reply):
            return True
    return False


def _tells(text: str, lost: _Lost) -> bool:
    return reads_as_error(text) or quotes(text, lost.call, lost.reply)


def _well(history: History, baseline: History | None, text: str, lost: _Lost) -> str:
    """What is wrong with a text that stands for an error: it is nothing, or a success."""
    if text.strip().lower() in _BLANK:
        return "nothing in its place"
    if _SUCCESS.search(text) or text.strip() in _answers(history, baseline, lost.call):
        return f"{text.strip()[:40]!r} in its place"
    return ""


def _answers(history: History, baseline: History | None, call: Called) -> set[str]:
    """Every way in which a good answer of the same tool may be written."""
    found: set[str] = set()
    for each in (history, *([baseline] if baseline is not None else [])):
        names = {one.call for one in each.of(Called) if one.slot.name == call.slot.name}
        for reply in each.of(Replied):
            if reply.call in names and clean(reply):
                found.update(forms(reply.body))
    return found


def _ends_well(history: History, baseline: History | None, end: Event, lost: _Lost) -> str:
    """What an ending says in place of an error, or nothing."""
    if isinstance(end, Done):
        return f"the completion says {end.status}" if end.status == "success" else ""
    if not isinstance(end, Ended) or end.how != "returned":
        return ""
    text = end.value if isinstance(end.value, str) else json.dumps(end.value, ensure_ascii=False)
    if _tells(text, lost):
        return ""
    why = _well(history, baseline, text, lost)
    return why and f"the run returned {why}"


def _swallowed(lost: _Lost, place: Event, why: str) -> Violation:
    tool = lost.call.slot.name
    error = lost.reply.raised or "an error"
    where = "the ending"
    if isinstance(place, ModelInput):
        where = f"the next input of the model ({place.slot})"
    return Violation(
        code="AF411",
        subject=tool,
        title=f"{tool}: error swallowed",
        sentence=f"{lost.call.slot} was answered with {error}; in {where}: {why}.",
        says=why,
        world=f"{lost.call.slot} was answered {lost.reply.outcome} ({error})",
        witness=(lost.call.seq, lost.reply.seq, place.seq),
        hint=(
            "give the model every error as the result of its call, in words that say so, or raise "
            "it"
        ),
    )
