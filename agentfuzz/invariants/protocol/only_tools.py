"""The law that a task keeps to the tools that it may use (AF417).

Law: what a tool is there for, and whose task may use it, are two questions; under trouble a model
asks for whatever is there. Source: CATALOGUE B12.
"""

from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Called, Delivered
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.conversations import DONE, asked_for


@law(codes={"AF417": "A tool that this task may not use was used"}, catalogue="B12")
def only_tools(*names: str) -> Check:
    """No call of another tool than those that the task may use reaches a backend.

    `names` are the tools that it may use; whoever asked for the call, and whatever came of it. To
    ask for another one, to be refused and to be told so is no breach, nor is a request that was
    lost. A tool that does not exist is `valid_calls`' to judge.

    NOT_EXERCISED when no tool was called, and no model asked for another one.
    """
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ScenarioError(
            "only_tools('find_order', 'charge_card'): give the names of the tools that the task "
            f"may use, as texts; not {names!r}."
        )

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        made = history.of(Called)
        tempted = any(ask.tool not in names and ask.tool != DONE for ask in asked_for(history))
        if not made and not tempted:
            return None
        arrived: dict[str, Delivered] = {}
        for delivery in history.of(Delivered):
            arrived.setdefault(delivery.call, delivery)
        return [
            _used(call, arrived[call.call], names)
            for call in made
            if call.slot.name not in names and call.call in arrived
        ]

    return check


def _used(call: Called, arrived: Delivered, names: tuple[str, ...]) -> Violation:
    tool = call.slot.name
    return Violation(
        code="AF417",
        subject=tool,
        title=titled(f"{tool}: not for this task"),
        sentence=f"{call.slot} reached its backend; this task may use {', '.join(names)}.",
        says=f"the task may use {', '.join(names)}",
        world=f"{tool} was called",
        witness=(call.seq, arrived.seq),
        hint="give each task the tools that it may use and no others, and check the name again "
        "where the call is carried out: what the model was not offered it may ask for",
    )
