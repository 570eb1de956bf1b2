"""The law that what was executed is seen (AF406).

Law: a model that does not see its receipt asks again: a lost result is a second effect on its way.
Source: CATALOGUE law P2, and the bugs behind it.
"""

from agentfuzz.core.events import Called, ModelInput, Replayed, Replied, Shown
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.astray import spoilt_between
from agentfuzz.invariants.queries.calls import clean, died_between, doubtful
from agentfuzz.invariants.queries.conversations import (
    Asked,
    Conversation,
    bound,
    conversations,
    origin,
    restarts,
)
from agentfuzz.invariants.queries.errors import quotes
from agentfuzz.invariants.queries.texts import CUT, leaves


@law(codes={"AF406": "The receipt of an executed call was not shown"}, catalogue="P2")
def receipts_shown() -> Check:
    """The model is shown the result of every call that was executed for it.

    The result of every executed call that the model asked for stands in the next input of the
    conversation, whatever happened to the calls beside it. The receipt of an effect must be
    recognisable in it (one of its values), and must not be lost when the loop begins the
    conversation again; the result of a look-up may. An error may be told in another message. A
    reply that leaves doubt (damaged, cut off, unclear) need not be shown, and what died with the
    process, or was spoilt on its way from agent to agent, cannot be.

    NOT_EXERCISED when no such call was followed by a model input.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        talks = conversations(history)
        happened = {event.call for event in history.ledger}
        happened |= {event.call for event in history.of(Replayed)}
        last: dict[tuple[str, int], tuple[Called, Replied, Asked]] = {}
        for call in history.of(Called):
            ask, reply = origin(history, call), history.replies.get(call.call)
            if call.asked is not None and ask is not None and reply is not None:
                last[call.asked, ask.turn.seq] = (call, reply, ask)
        exercised = False
        found: list[Violation] = []
        for call, reply, ask in last.values():
            given = _next(talks, ask, reply, began_again=call.call in happened)
            if given is None or doubtful(history, call):
                continue
            if died_between(history, reply.seq, given.seq):
                continue
            if spoilt_between(history, reply.seq, given.seq):
                continue
            exercised = True
            shown = [one for one in given.messages if one.answers == call.asked]
            effect = call.call in happened and clean(reply)
            if not shown and reply.raised is not None and _told(given, call, reply):
                continue
            if not shown and (_passed_on(given, call, reply) or _in_doubt(given, call)):
                continue
            if not shown or (effect and not any(_recognised(one, reply) for one in shown)):
                found.append(_unseen(call, reply, given, bool(shown)))
        return found if exercised else None

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


def _told(given: ModelInput, call: Called, reply: Replied) -> bool:
    """Whether an error is told in a message of its own, and its call is not left open."""
    if any(kind == "call" and name == call.asked for kind, name in bound(given)):
        return False
    return any(quotes(one.text, call, reply) for one in given.messages if one.answers is None)


def _passed_on(given: ModelInput, call: Called, reply: Replied) -> bool:
    """Whether the call is not spoken of, and its whole result is that of another one: of an agent
    that is a tool."""
    if any(name == call.asked for _, name in bound(given)):
        return False
    values = list(leaves(reply.body))
    told = [one.text for one in given.messages if one.answers is not None]
    return bool(values) and any(all(value in text for value in values) for text in told)


def _in_doubt(given: ModelInput, call: Called) -> bool:
    """Whether the call is not left open, and a message that is kept in part alone speaks of its
    tool: what another agent did is quoted in such a one, behind a preamble."""
    if any(name == call.asked for _, name in bound(given)):
        return False
    return any(
        one.role != "system" and len(one.text) >= CUT and call.slot.name in one.text
        for one in given.messages
    )


def _recognised(shown: Shown, reply: Replied) -> bool:
    values = list(leaves(reply.body))
    return len(shown.text) >= CUT or not values or any(value in shown.text for value in values)


def _unseen(call: Called, reply: Replied, given: ModelInput, other: bool) -> Violation:
    tool = call.slot.name
    instead = "something else stands in its place" if other else "it does not show the result"
    return Violation(
        code="AF406",
        subject=tool,
        title=f"{tool}: receipt not shown",
        sentence=(
            f"{call.slot} was executed and answered {reply.outcome}; {instead} in the next input "
            f"of the model ({given.slot}), which has to take the call for undone."
        ),
        says=f"no receipt at {given.slot}",
        world=f"{call.slot} answered {reply.outcome}",
        witness=(call.seq, reply.seq, given.seq),
        hint="append every result that came, one by one, before you handle the failure of another",
    )
