"""Plain loops that call a model and its tools: one that keeps every law from the field, and the
same with one flaw each, taken from a real bug of a released framework.

Law: a loop is a class only so that a flaw is one method. Called by the tests of those laws.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agentfuzz import Completion, Invariant, ModelError, Scenario, ToolError, World, scenario
from agentfuzz.world.reply_faults import as_text

FAULTS = (TimeoutError, ConnectionError, ToolError)
CHARGE = ("charge_card", {"order_id": "A17", "amount": 42})
SHIP = ("ship", {"order_id": "A17"})
LIMITS = {"calls": 9, "turns": 7}


def shop(*laws: Invariant, parallel: bool = False, hang: bool = False) -> Scenario:
    """One order to be charged; or to be charged and shipped, side by side. Its backend recognises
    no repeat, and the laws about that are left out."""
    first = [CHARGE, SHIP] if parallel else CHARGE

    @scenario(
        *laws,
        without=("at_most_once", "replay_transparency"),
        task="Charge order A17.",
        script=[first, "Order A17 is on its way."],
    )
    def order(world: World) -> None:
        @world.tool(effect="charge", scope=("order_id",))
        def charge_card(order_id: str, amount: int) -> dict:
            return {"charge_id": f"ch_{order_id}", "amount": amount}

        @world.tool(effect="shipment", scope=("order_id",))
        def ship(order_id: str) -> dict:
            return {"parcel": f"p_{order_id}"}

        if hang:
            world.raise_as(timeout="hang")

    return order


class OverTheLimit(Exception):
    """The loop's own: no more calls."""


class Loop:
    """The survivor: a plain loop that keeps all the laws from the field."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.messages: list[dict[str, Any]] = [{"role": "user", "content": world.task}]
        self.calls = 0

    def run(self) -> Any:
        try:
            for _ in range(LIMITS["turns"]):
                turn = self.ask()
                if turn is None:
                    return Completion.blocked(reason="dependency_unavailable")
                if not self.finished(turn):
                    return Completion.partial(reason="unverified")
                if not turn["tool_calls"]:
                    return self.answer(turn)
                self.act(turn)
        except OverTheLimit:
            pass
        return self.out_of_budget()

    def ask(self) -> Any:
        try:
            return self.world.model(self.messages)
        except (ModelError, TimeoutError, ConnectionError):
            return None

    def finished(self, turn: Mapping[str, Any]) -> bool:
        return turn["stop"] in ("end", "tool_calls")

    def answer(self, turn: Mapping[str, Any]) -> Any:
        return turn["content"] or Completion.partial(reason="unverified")

    def out_of_budget(self) -> Any:
        return Completion.partial(reason="budget_exhausted")

    def wanted(self, turn: Mapping[str, Any]) -> list[dict[str, Any]]:
        return list({call["id"]: call for call in turn["tool_calls"]}.values())  # each id once

    def said(self, turn: Mapping[str, Any], calls: list[dict[str, Any]]) -> None:
        content = turn["content"]
        self.messages.append({"role": "assistant", "content": content, "tool_calls": calls})

    def result(self, call: str, text: str) -> None:
        self.messages.append({"role": "tool", "tool_call_id": call, "content": text})

    def act(self, turn: Mapping[str, Any]) -> None:
        calls = self.wanted(turn)
        self.said(turn, calls)
        for call in calls:
            self.result(call["id"], self.attempt(call))

    def attempt(self, call: dict[str, Any]) -> str:
        try:
            return self.execute(call)
        except (*FAULTS, ValueError) as error:
            return f"error: {error}"

    def execute(self, call: dict[str, Any]) -> str:
        if self.calls == LIMITS["calls"]:
            raise OverTheLimit
        if isinstance(call["arguments"], str):
            raise ValueError("the arguments are no JSON object")
        self.calls += 1
        return as_text(self.world.call(call["name"], call["arguments"], asked=call["id"]))


def plain(loop: type[Loop]) -> Callable[[World], Any]:
    """A loop as an agent."""
    return lambda world: loop(world).run()


# The victims of more than one test


class EveryCall(Loop):
    """P3: whatever stands in the turn is executed, the same id twice."""

    def wanted(self, turn):
        return list(turn["tool_calls"])


class NeverLooks(Loop):
    """P5: does not look at the stop reason, and acts on what is whole of the reply."""

    def finished(self, turn):
        return True


class Streams(Loop):
    """P5: reads a stream, and takes its end for the end of the reply."""

    def finished(self, turn):
        return turn["stop"] != "length"

    def ask(self):
        try:
            return self.world.model.turn(self.messages)
        except (ModelError, TimeoutError):
            return None


class Blank(Loop):
    """P5: the answer is what the model says, if anything."""

    def answer(self, turn):
        return turn["content"]


class CountsTurns(Loop):
    """P8: looks at its limit of calls once a turn."""

    def execute(self, call):
        self.calls = min(self.calls, LIMITS["calls"] - 1)
        return super().execute(call)
