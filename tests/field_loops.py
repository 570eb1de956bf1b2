"""Plain loops that call a model and its tools: one that keeps every law from the field, and the
same with one flaw each, taken from a real bug of a released framework.

Law: a loop is a class only so that a flaw is one method. Called by the tests of those laws.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz import Completion, Invariant, ModelError, Scenario, ToolError, World, scenario
from agentfuzz.world.reply_faults import as_text

FAULTS = (TimeoutError, ConnectionError, ToolError)
CHARGE = ("charge_card", {"order_id": "A17", "amount": 42})
SHIP = ("ship", {"order_id": "A17"})
LIMITS = {"calls": 9, "turns": 7}


def shop(*laws: Invariant, parallel: bool = False, hang: bool = False) -> Scenario:
    """One order to be charged; or to be charged and shipped, side by side."""
    first = [CHARGE, SHIP] if parallel else CHARGE

    @scenario(*laws, task="Charge order A17.", script=[first, "Order A17 is on its way."])
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


# The victims


class Dangles(Loop):
    """P1: a call that failed gets no result."""

    def act(self, turn):
        calls = self.wanted(turn)
        self.said(turn, calls)
        for call in calls:
            text = self.attempt(call)
            if not text.startswith("error"):
                self.result(call["id"], text)


class Zips(Loop):
    """P1: what came and what failed are collected apart, and matched to the calls by position."""

    def act(self, turn):
        calls = self.wanted(turn)
        self.said(turn, calls)
        texts = sorted(map(self.attempt, calls), key=lambda text: text.startswith("error"))
        for call, text in zip(calls, texts, strict=True):
            self.result(call["id"], text)


class TidiesUp(Loop):
    """P1: the model has seen its errors; they are taken out of the conversation."""

    def ask(self):
        turn = super().ask()
        bad = [m["tool_call_id"] for m in self.messages if (m["content"] or "").startswith("error")]
        self.messages = [
            message
            for message in self.messages
            if message.get("tool_call_id") not in bad
            and not any(call["id"] in bad for call in message.get("tool_calls", ()))
        ]
        return turn


class AllOrNothing(Loop):
    """P2: one failed call, and the whole turn is taken back: the receipt beside it is lost."""

    def act(self, turn):
        before = len(self.messages)
        try:
            calls = self.wanted(turn)
            self.said(turn, calls)
            for call in calls:
                self.result(call["id"], self.execute(call))
        except (*FAULTS, ValueError):
            del self.messages[before:]


class OneForAll(Loop):
    """P2: one failed call, and every call of the turn is reported as failed."""

    def act(self, turn):
        calls = self.wanted(turn)
        self.said(turn, calls)
        texts = [self.attempt(call) for call in calls]
        failed = any(text.startswith("error") for text in texts)
        for call, text in zip(calls, texts, strict=True):
            self.result(call["id"], "error: a tool failed" if failed else text)


class EveryCall(Loop):
    """P3: whatever stands in the turn is executed, the same id twice."""

    def wanted(self, turn):
        return list(turn["tool_calls"])


class TriesAgain(Loop):
    """P3: a hidden retry, which the model knows nothing about."""

    def attempt(self, call):
        try:
            return self.execute(call)
        except TimeoutError:
            return as_text(self.world.call(call["name"], call["arguments"]))
        except (*FAULTS, ValueError) as error:
            return f"error: {error}"


class FirstThree(Loop):
    """P3: a cap on parallel calls, kept in silence."""

    def wanted(self, turn):
        return super().wanted(turn)[:3]


class Hasty(Loop):
    """P4: the text beside the calls is the answer, whatever comes of them."""

    def run(self):
        turn = self.ask()
        while turn is not None and self.finished(turn) and turn["tool_calls"]:
            try:
                self.act(turn)
            except OverTheLimit:
                return self.out_of_budget()
            if turn["content"]:
                return turn["content"]
            turn = self.ask()
        return super().run() if turn is None else self.answer(turn)


class AnyText(Loop):
    """P4: where the model says nothing, the last message will do."""

    def answer(self, turn):
        return turn["content"] or self.messages[-1]["content"]


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


class Outbox(Loop):
    """P6: reports a failure, and sends the call again at the end, when nobody looks."""

    def __init__(self, world):
        super().__init__(world)
        self.failed = []

    def attempt(self, call):
        text = super().attempt(call)
        if text.startswith("error") and call["name"] in self.world.tools:
            self.failed.append(call)
        return text

    def answer(self, turn):
        for call in self.failed:
            super().attempt(call)
        return super().answer(turn)


class CountsTurns(Loop):
    """P8: looks at its limit of calls once a turn."""

    def execute(self, call):
        self.calls = min(self.calls, LIMITS["calls"] - 1)
        return super().execute(call)


class Sorry(Loop):
    """P8: the limit is a sentence."""

    def out_of_budget(self):
        return "Sorry, need more steps to process this request."
