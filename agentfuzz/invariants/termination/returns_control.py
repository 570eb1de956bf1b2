"""The law that control comes back (AF214).

Law: whoever started a run gets an answer or an exception, and never silence. Source: CATALOGUE law
P11, and the bugs behind it.
"""

from agentfuzz.core.events import Called
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law


@law(codes={"AF214": "Control was not returned"}, catalogue="P11")
def returns_control() -> Check:
    """The run ends by itself, by returning or by raising.

    One that hangs or spins until it is cut off breaks it; running into the budget is `bounded`'s to
    judge.

    NOT_EXERCISED when the run has not ended or ran into the budget.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        ended = history.ended
        if ended is None or (ended.how == "cut_off" and ended.error == "budget"):
            return None
        if ended.how != "cut_off":
            return []
        called = len(history.of(Called))
        return [
            Violation(
                code="AF214",
                subject="run",
                title=f"control not returned: {ended.error}",
                sentence=(
                    f"After {called} tool calls and {ended.t:g} virtual seconds the run gave "
                    "control back neither by returning nor by raising: it was cut off "
                    f"({ended.error})."
                ),
                says="still running",
                world=f"cut off ({ended.error})",
                witness=(ended.seq,),
                hint=(
                    "give every wait a deadline and every loop a count, and raise or end when it "
                    "is up"
                ),
            )
        ]

    return check
