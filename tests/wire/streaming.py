"""Loops that stream from the official OpenAI client: an honest one, and others with one flaw each.

Law: a flaw is one method; nothing here knows a plan. Called by the tests of endings.
"""

import json
from typing import Any

import openai

from agentfuzz import Completion, Scenario, World, at_most_once, no_act_on_cut_reply, scenario
from agentfuzz.wire import openai_client

TURNS = 12


def order() -> Scenario:
    """One order to be charged and shipped, side by side; a key recognises a repeat."""

    @scenario(
        no_act_on_cut_reply(),
        at_most_once(),
        task="Charge and ship order A17.",
        script=[
            [("charge", {"order_id": "A17"}), ("ship", {"order_id": "A17"})],
            "Order A17 is charged and on its way.",
        ],
    )
    def charge_and_ship(world: World) -> None:
        @world.tool(effect="charge", scope=("order_id",), dedup="key")
        def charge(order_id: str, idempotency_key: str | None = None) -> str:
            return "ok"

        @world.tool(effect="shipment", scope=("order_id",), dedup="key")
        def ship(order_id: str, idempotency_key: str | None = None) -> str:
            return "ok"

    return charge_and_ship


class Broken(Exception):
    """A stream that did not come to its end."""


class Streams:
    """The survivor: a reply counts when its finish reason has come; one that broke off is asked
    for again, and whatever is called has the key of its order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = openai_client(world, max_retries=0)
        self.messages: list[Any] = [{"role": "user", "content": world.task}]
        self.content = ""
        self.calls: dict[int, dict[str, Any]] = {}
        self.reason: str | None = None

    def run(self) -> Completion:
        for _ in range(TURNS):
            try:
                self.read()
            except (openai.APIError, Broken):
                continue
            if not self.calls:
                return Completion.success(detail=self.content)
            self.messages.append(
                {"role": "assistant", "content": self.content, "tool_calls": self.made()}
            )
            for call in self.made():
                answer = self.execute(call)
                self.messages.append(
                    {"role": "tool", "tool_call_id": call["id"], "content": answer}
                )
        return Completion.blocked(reason="dependency_unavailable")

    def read(self) -> None:
        """One reply. Raises what breaks it."""
        self.content, self.calls, self.reason = "", {}, None
        given: Any = {"model": "m", "messages": self.messages, "stream": True}
        for chunk in self.client.chat.completions.create(**given):
            self.take(chunk.choices[0])
        self.ended()

    def take(self, choice: Any) -> None:
        self.content += choice.delta.content or ""
        for part in choice.delta.tool_calls or ():
            function = {"name": part.function.name, "arguments": ""}
            call = {"id": part.id, "type": "function", "function": function}
            kept = self.calls.setdefault(part.index, call)
            kept["function"]["arguments"] += part.function.arguments or ""
        self.reason = choice.finish_reason or self.reason

    def ended(self) -> None:
        """The stream is over, and nothing was raised."""
        if self.reason not in ("stop", "tool_calls"):
            raise Broken

    def made(self) -> list[dict[str, Any]]:
        """The calls that can be read."""
        return [call for call in self.calls.values() if read(call) is not None]

    def execute(self, call: dict[str, Any]) -> str:
        name = call["function"]["name"]
        given = {**(read(call) or {}), "idempotency_key": f"{name} A17"}
        try:
            return str(self.world.call(name, given, asked=call["id"]))
        except Exception as error:
            return f"error: {error}"


def read(call: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments of a call, None where they are no JSON yet."""
    try:
        found: dict[str, Any] = json.loads(call["function"]["arguments"])
    except ValueError:
        return None
    return found


class TakesTheEnd(Streams):
    """The end of the stream is the end of the reply; nobody looks at the finish reason."""

    def ended(self) -> None:
        pass


class Swallows(Streams):
    """What has come when the stream breaks is the whole reply."""

    breaks: type[Exception] = openai.APIError

    def read(self) -> None:
        try:
            super().read()
        except openai.APIError as error:
            if type(error) is not self.breaks:
                raise


class SwallowsResets(Swallows):
    """A connection that breaks has brought what there was to say."""

    breaks = openai.APIConnectionError


class SwallowsErrors(Swallows):
    """An error in the stream is the provider's business; the text is there."""

    breaks = openai.APIError


class SwallowsTimeouts(Swallows):
    """Nothing more comes, so that was all."""

    breaks = openai.APITimeoutError


class Eager(Streams):
    """A call is executed as soon as it can be read, under the key of its id; then the stream
    breaks, and the model asks again, under another one."""

    def take(self, choice: Any) -> None:
        for part in choice.delta.tool_calls or ():
            before = self.calls.get(part.index - 1)
            if part.id and before is not None:
                self.early(before)
        super().take(choice)

    def early(self, call: dict[str, Any]) -> None:
        given = {**(read(call) or {}), "idempotency_key": call["id"]}
        call["answer"] = str(self.world.call(call["function"]["name"], given, asked=call["id"]))

    def execute(self, call: dict[str, Any]) -> str:
        return str(call["answer"]) if "answer" in call else super().execute(call)
