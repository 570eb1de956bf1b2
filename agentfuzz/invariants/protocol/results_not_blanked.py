"""The law that a result is not shown as nothing (AF414).

Law: a model that is shown nothing takes nothing for the answer. Source: CATALOGUE B41.
"""

from agentfuzz.core.events import Called, ModelInput, Replied, Shown
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean, doubtful
from agentfuzz.invariants.queries.conversations import conversations, origin
from agentfuzz.invariants.queries.texts import leaves

_NOTHING = ("", "null", "none", "undefined", "{}", "[]", "()", '""', "''", "[object object]")


@law(codes={"AF414": "A result was shown as nothing"}, catalogue="B41")
def results_not_blanked() -> Check:
    """A result that holds something is not shown to the model as if it held nothing.

    A call that the model asked for was answered well, with a text or a number in the answer; in the
    next input that shows its result, what stands there is empty, or a word for nothing (`null`,
    `None`, `{}`, `[]`), and no other message shows anything of it. An answer that a fault has
    damaged may be left out. The receipt of an effect is `receipts_shown`'s to judge.

    NOT_EXERCISED when no such result was shown.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        happened = {commit.call for commit in history.ledger}
        exercised = False
        found: list[Violation] = []
        for call in history.of(Called):
            reply = history.replies.get(call.call)
            if reply is None or call.asked is None or call.call in happened:
                continue
            if not clean(reply) or doubtful(history, call) or not any(leaves(reply.body)):
                continue
            given, shown = _shown(history, call, reply)
            if given is None:
                continue
            exercised = True
            if all(_empty(one) for one in shown) and not _elsewhere(history, given, reply):
                found.append(_blanked(call, reply, given, shown[0]))
        return found if exercised else None

    return check


def _shown(history: History, call: Called, reply: Replied) -> tuple[ModelInput | None, list[Shown]]:
    """The next input of the conversation, and the results of this call in it, if there are any."""
    ask = origin(history, call)
    if ask is None:
        return None, []
    for talk in conversations(history):
        if any(given.slot == ask.turn.slot for given in talk.inputs):
            later = next((given for given in talk.inputs if given.seq > reply.seq), None)
            if later is not None:
                shown = [one for one in later.messages if one.answers == call.asked]
                return (later, shown) if shown else (None, [])
    return None, []


def _empty(shown: Shown) -> bool:
    return shown.text.strip().lower() in _NOTHING


def _elsewhere(history: History, given: ModelInput, reply: Replied) -> bool:
    """Whether a message that was not there before shows something of the answer."""
    values = [value for value in leaves(reply.body) if len(value) > 1]
    inputs = (earlier for earlier in history.of(ModelInput) if earlier.seq < reply.seq)
    before = {one.text for earlier in inputs for one in earlier.messages}
    new = [one.text for one in given.messages if one.text not in before]
    return any(value in text for value in values for text in new)


def _blanked(call: Called, reply: Replied, given: ModelInput, shown: Shown) -> Violation:
    tool = call.slot.name
    return Violation(
        code="AF414",
        subject=tool,
        title=titled(f"{tool}: shown as nothing"),
        sentence=(
            f"{call.slot} was answered with a result; at {given.slot} the model is shown "
            f"{shown.text!r} in its place."
        ),
        says=f"nothing at {given.slot}",
        world=f"{call.slot} has a result",
        witness=(call.seq, reply.seq, given.seq),
        hint="look at how the adapter turns a result into a message: structured content, several "
        "parts and falsy values are no reason to show none",
    )
