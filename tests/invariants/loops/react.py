"""The plainest honest loop with a model, and the one that makes its calls side by side; and the
shop that they are in.

Law: a loop claims success only after the receipts that it knows. Called by the test that runs it,
and its `shapes`, under all laws of protocol and endings.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from agentfuzz import Completion, ModelError, Scenario, ToolError, World, scenario
from agentfuzz.world.reply_faults import as_text

FAULTS = (TimeoutError, ConnectionError, ToolError)
MODEL_FAULTS = (ModelError, TimeoutError, ConnectionError)
DONE = Completion.success(handle="A17")
UNKNOWN = Completion.blocked(reason="outcome_unknown", handle="A17")
NOTE = "leave it with the neighbours on the second floor, please"
ONE = [
    ("find_order", {"order_id": "A17"}),
    ("charge", {"order_id": "A17"}),
    ("ship", {"order_id": "A17"}),
    "Order A17 is on its way.",
]
THREE = [[("charge", {"order_id": name}) for name in ("A17", "B18", "C19")], "All are charged."]


def shop(
    *laws: Any, script: Any = ONE, by_text: bool = False, resume: bool = False, **more: Any
) -> Scenario:
    """Orders that are looked up, charged and shipped."""

    @scenario(*laws, task="See to the order.", script=script, resume=resume, **more)
    def story(world: World) -> None:
        @world.tool
        def find_order(order_id: str) -> dict:
            return good("find_order", order_id)

        @world.tool(effect="charge", scope=("order_id",), dedup="key")
        def charge(order_id: str, idempotency_key: str | None = None) -> dict:
            return good("charge", order_id)

        @world.tool(effect="shipment", scope=("order_id",), dedup="key")
        def ship(order_id: str, idempotency_key: str | None = None) -> dict:
            return good("ship", order_id)

        if by_text:
            world.raise_as(timeout="text", error="text", rate_limited="text")

    return story


def good(tool: str, order: Any) -> dict:
    made = {"find_order": "order_id", "charge": "charge_id", "ship": "parcel"}
    return {made.get(tool, "id"): f"{tool}_{order}", "amount": 42, "open": True, "note": NOTE}


class Plain:
    """Keeps the whole conversation, tries once, and shows whatever it gets."""

    turns, calls, tries = 8, 40, 1

    def __init__(self, world: World) -> None:
        self.world = world
        self.messages: list[dict[str, Any]] = [{"role": "user", "content": world.task}]
        self.receipts: set[str] = set()
        self.made = 0

    def run(self) -> Any:
        for _ in range(self.turns):
            try:
                turn = self.world.model(self.shown(), list(self.world.tools))
            except MODEL_FAULTS:
                return Completion.blocked(reason="dependency_unavailable")
            if turn["stop"] not in ("end", "tool_calls"):
                return Completion.partial(reason="unverified")
            if not turn["tool_calls"]:
                whole = self.receipts >= {"charge", "ship"} and turn["content"]
                return DONE if whole else UNKNOWN
            self.act(turn)
            if self.made >= self.calls:
                break
        return Completion.partial(reason="budget_exhausted")

    def shown(self) -> list[dict[str, Any]]:
        return self.messages

    def act(self, turn: Mapping[str, Any]) -> None:
        calls = list({one["id"]: one for one in turn["tool_calls"]}.values())
        self.messages.append({**turn, "tool_calls": calls})
        for one in calls:
            text = self.result(one)
            self.messages.append({"role": "tool", "tool_call_id": one["id"], "content": text})

    def result(self, one: Mapping[str, Any]) -> str:
        if not isinstance(one["arguments"], dict):
            return "Error: the arguments are no JSON object"
        order, arguments = one["arguments"].get("order_id"), dict(one["arguments"])
        if one["name"] in ("charge", "ship"):
            arguments["idempotency_key"] = f"{one['name']}-{order}"
        text = "Error: no attempt is left"
        for nth in range(self.tries):
            if self.made >= self.calls:
                break
            self.made += 1
            try:
                reply = self.send(one, arguments, nth)
            except FAULTS as error:
                text = self.tell(error)
                continue
            if reply == good(one["name"], order):
                self.receipts.add(one["name"])
            elif self.tries > 1:
                text = self.distrust(one["name"], reply)
                continue
            return self.show(reply)
        return text

    def send(self, one: Mapping[str, Any], arguments: Mapping[str, Any], nth: int) -> Any:
        return self.world.call(one["name"], arguments, asked=one["id"])

    def tell(self, error: Exception) -> str:
        return f"Error: {error}"

    def distrust(self, tool: str, reply: Any) -> str:
        return f"Error: {tool} gave an answer that makes no sense"

    def show(self, reply: Any) -> str:
        return as_text(reply)


def loop(kind: type[Plain]) -> Callable[[World], Any]:
    """A loop as an agent."""
    return lambda world: kind(world).run()


def gathers(tries: int) -> Callable[[World], Any]:
    """The calls of a turn side by side, each tried so often."""

    async def agent(world: World) -> Completion:
        known: set[str] = set()

        async def result(one: Mapping[str, Any]) -> dict[str, Any]:
            text = "Error: the arguments are no JSON object"
            order = one["arguments"].get("order_id") if isinstance(one["arguments"], dict) else None
            for nth in range(tries if order is not None else 0):
                try:
                    keyed = {**one["arguments"], "idempotency_key": f"{one['name']}-{order}"}
                    reply = await world.acall(one["name"], keyed, asked=one["id"])
                except FAULTS as error:
                    text = f"Error: {error}"
                    await asyncio.sleep(nth + 1)
                    continue
                text = as_text(reply)
                if reply == good(one["name"], order):
                    known.add(order)
                    break
            return {"role": "tool", "tool_call_id": one["id"], "content": text}

        messages: list[dict[str, Any]] = [{"role": "user", "content": world.task}]
        for _ in range(8):
            try:
                turn = await world.model.aio(messages, list(world.tools))
            except MODEL_FAULTS:
                return Completion.blocked(reason="dependency_unavailable")
            if turn["stop"] not in ("end", "tool_calls"):
                return Completion.partial(reason="unverified")
            calls = list({one["id"]: one for one in turn["tool_calls"]}.values())
            if not calls:
                return DONE if known >= {"A17", "B18", "C19"} and turn["content"] else UNKNOWN
            results = await asyncio.gather(*map(result, calls))
            messages += [{**turn, "tool_calls": calls}, *results]
        return Completion.partial(reason="budget_exhausted")

    return agent
