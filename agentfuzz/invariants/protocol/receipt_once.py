"""The law that a receipt stands once in what a model is shown (AF415).

Law: two receipts are two effects to whoever reads them. Source: CATALOGUE B41.
"""

from collections.abc import Iterator

from agentfuzz.core.events import Called, ModelInput, ModelTurn, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean
from agentfuzz.invariants.queries.texts import CUT, forms

_TELLING = 8  # characters, and a digit, that a receipt is recognised by


@law(codes={"AF415": "A receipt stands twice in what the model is shown"}, catalogue="B41")
def receipt_once() -> Check:
    """The receipt of an effect stands once in an input of the model.

    Beside the result of its call, no message of the same input holds the whole receipt once more:
    as prose, in a summary of what is shown as well, or as the result of no call. What the model
    itself had said, what was said before the receipt came, and what merely names a value of it does
    not count. Two results of one call are `results_paired`'s to judge, and a receipt that two calls
    have in common (a replay) is each one's.

    NOT_EXERCISED when no input shows a receipt that can be recognised: of eight characters or more,
    with a digit, and not cut.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        receipts = list(_receipts(history))
        own = {turn.text for turn in history.of(ModelTurn) if turn.text}
        exercised = False
        found: list[Violation] = []
        for call, reply in receipts:
            before: set[str] = set()
            for given in history.of(ModelInput):
                if given.seq < reply.seq:
                    before |= {one.text for one in given.messages}
                    continue
                if not any(one.answers == call.asked for one in given.messages):
                    continue
                exercised = True
                again = [
                    one
                    for one in given.messages
                    if one.answers is None
                    and one.text not in before
                    and one.text not in own
                    and any(form in one.text for form in forms(reply.body))
                ]
                if again:
                    found.append(_twice(call, reply, given, again[0].role))
                    break
        return found if exercised else None

    return check


def _receipts(history: History) -> Iterator[tuple[Called, Replied]]:
    happened = {commit.call for commit in history.ledger}
    for call in history.of(Called):
        reply = history.replies.get(call.call)
        if call.asked is None or call.call not in happened or reply is None or not clean(reply):
            continue
        text = forms(reply.body)[0]
        if _TELLING <= len(text) < CUT and any(letter.isdigit() for letter in text):
            yield call, reply


def _twice(call: Called, reply: Replied, given: ModelInput, role: str) -> Violation:
    tool = call.slot.name
    return Violation(
        code="AF415",
        subject=tool,
        title=titled(f"{tool}: receipt shown twice"),
        sentence=(
            f"{call.slot} was executed once; {given.slot} is shown its receipt as the result of "
            f"the call, and once more in a message of the role {role}."
        ),
        says=f"two receipts at {given.slot}",
        world=f"{call.slot} took effect once",
        witness=(call.seq, reply.seq, given.seq),
        hint="when you sum up or hand over, leave out what is still shown as an item, or the item",
    )
