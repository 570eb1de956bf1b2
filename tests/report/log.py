"""A history written by hand, event by event, in the order and shape in which the world writes it.

Called by the samples and by tests that need a history of their own.
"""

from agentfuzz.core.events import (
    Called,
    Committed,
    Delivered,
    Done,
    Ended,
    Event,
    Intent,
    Replied,
    Struck,
)
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import History, ToolFacts
from agentfuzz.core.plan import FaultPlan

TOOLS = {
    "charge_card": ToolFacts("charge_card", "charge", ("order_id",), "none"),
    "ship": ToolFacts("ship", "shipment", ("order_id",), "key"),
    "lookup": ToolFacts("lookup", None, (), "none"),
}
ARGS = {"order_id": "A17", "amount": 4200}
CHARGE = Intent("charge", (("order_id", "A17"),))
SHIP = Intent("shipment", (("order_id", "A17"),))
RECEIPT = {"charge_id": "ch_1", "amount": 4200}


class Log:
    """A history under construction: numbers the events."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.t = 0.0
        self.effects = 0

    def add(self, kind: type, *fields: object) -> int:
        self.events.append(kind(len(self.events), self.t, *fields))
        return len(self.events) - 1

    def call(self, n: int, tool: str = "charge_card", args: object = None, key: str | None = None,
             nth: int | None = None, asked: str | None = None) -> int:  # fmt: skip
        intent = {"charge_card": CHARGE, "ship": SHIP}.get(tool)
        slot = Slot("tool", tool, nth or n)
        shown = ARGS if args is None else args
        return self.add(Called, f"call_{n}", slot, shown, key, intent, None, asked)

    def strike(self, plan: str) -> int:
        slot, fault = next(iter(FaultPlan.parse(plan)))
        return self.add(Struck, slot, fault)

    def commit(self, n: int, nth: int = 1, tool: str = "charge_card", deliver: bool = True) -> int:
        self.effects += 1
        intent = SHIP if tool == "ship" else CHARGE
        if deliver:
            self.add(Delivered, f"call_{n}", nth)
        effect_id = f"{intent.effect}-{self.effects}"
        return self.add(Committed, effect_id, f"call_{n}", nth, tool, intent, None, ARGS)

    def reply(self, n: int, outcome: str = "applied", body: object = None,
              raised: str | None = None, complete: bool = True) -> int:  # fmt: skip
        shown = RECEIPT if body is None and raised is None else body
        return self.add(Replied, f"call_{n}", outcome, complete, shown, raised)

    def success(self, via: str = "return") -> int:
        done = self.add(Done, via, "success", "completed", "ch_1", "")
        self.add(Ended, "returned", {"status": "success", "handle": "ch_1"}, "", "")
        return done

    def history(self) -> History:
        return History(self.events, TOOLS)
