"""Agents as people write them with the official clients, and the shop that they work in.

Law: one function talks to the real client while recording and to the world's while replaying;
it does not know which. Called by the tests of cassettes. `talk(protocol, client, world, stream)`.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from agentfuzz import Scenario, World, exactly_once, scenario

TASK = "Charge order A17, 42.00 EUR, then ship it."
CHARGE = ("call_1", "charge_card", {"order_id": "A17", "amount": 42})
SHIP = ("call_2", "ship", {"order_id": "A17"})
LINES = (
    {"text": "Let me charge that.", "calls": [CHARGE]},
    {"calls": [SHIP]},
    {"text": "Charged and shipped order A17."},
)
PROTOCOLS = ("chat", "responses", "anthropic")


@scenario(exactly_once("charge"), task=TASK)
def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str, amount: int) -> dict[str, Any]:
        """Charge a card."""
        return {"charge_id": "ch_1", "amount": amount}

    @world.tool(effect="shipment", scope=("order_id",), dedup="scope")
    def ship(order_id: str) -> dict[str, Any]:
        """Ship an order."""
        return {"parcel": "p_1"}


def taped(path: Path, on_miss: str = "auto", of: Scenario = shop) -> Scenario:
    """A scenario with the model of a cassette."""
    return replace(of, scripts=(), cassette=path, on_miss=on_miss)


def act(world: World, call_id: str, name: str, arguments: dict[str, Any]) -> str:
    """Carry out a call, and tell the model what became of it."""
    try:
        return json.dumps(world.call(name, arguments, asked=call_id))
    except Exception as error:
        return f"Error: {error}"


def plain(world: World) -> Any:
    """The loop with no client at all."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": world.task}]
    for _ in range(12):
        turn = world.model(messages, world.tools)
        messages.append(turn)
        for call in turn["tool_calls"]:
            text = act(world, call["id"], call["name"], call["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
        if not turn["tool_calls"]:
            return turn["content"]
    return None


async def plain_async(world: World) -> Any:
    """The same, async."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": world.task}]
    for _ in range(12):
        turn = await world.model.aio(messages, list(world.tools))
        messages.append(turn)
        for call in turn["tool_calls"]:
            try:
                text = json.dumps(await world.tools.aio[call["name"]](**call["arguments"]))
            except Exception as error:
                text = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
        if not turn["tool_calls"]:
            return turn["content"]
    return None


def talk(protocol: str, client: Any, world: World, stream: bool) -> Any:
    """A conversation with an official client until the model calls nothing any more."""
    return _TALKS[protocol](client, world, stream)


def _chat(client: Any, world: World, stream: bool) -> Any:
    tools = [
        {"type": "function", "function": {"name": name, "parameters": world.tools[name].schema}}
        for name in world.tools
    ]
    messages: list[Any] = [{"role": "user", "content": world.task}]
    for _ in range(12):
        asked = {"model": "m", "messages": messages, "tools": tools}
        if stream:
            with client.chat.completions.stream(**asked) as events:
                message = events.get_final_completion().choices[0].message
        else:
            message = client.chat.completions.create(**asked).choices[0].message
        calls = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for call in message.tool_calls or ()
        ]
        if not calls:
            return message.content
        messages.append({"role": "assistant", "content": message.content, "tool_calls": calls})
        for call in calls:
            said = call["function"]
            text = act(world, call["id"], said["name"], json.loads(said["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
    return None


def _responses(client: Any, world: World, stream: bool) -> Any:
    tools = [
        {"type": "function", "name": name, "parameters": world.tools[name].schema, "strict": False}
        for name in world.tools
    ]
    given: list[Any] = [{"role": "user", "content": world.task}]
    for _ in range(12):
        asked = {"model": "m", "input": given, "tools": tools}
        if stream:
            with client.responses.stream(**asked) as events:
                response = events.get_final_response()
        else:
            response = client.responses.create(**asked)
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return response.output_text
        if response.output_text:
            given.append({"role": "assistant", "content": response.output_text})
        for call in calls:
            one = {"type": "function_call", "call_id": call.call_id, "name": call.name}
            given.append({**one, "arguments": call.arguments})
        for call in calls:
            text = act(world, call.call_id, call.name, json.loads(call.arguments))
            output = {"type": "function_call_output", "call_id": call.call_id, "output": text}
            given.append(output)
    return None


def _anthropic(client: Any, world: World, stream: bool) -> Any:
    tools = [{"name": name, "input_schema": world.tools[name].schema} for name in world.tools]
    messages: list[Any] = [{"role": "user", "content": world.task}]
    for _ in range(12):
        asked = {"model": "m", "max_tokens": 99, "messages": messages, "tools": tools}
        if stream:
            with client.messages.stream(**asked) as events:
                message = events.get_final_message()
        else:
            message = client.messages.create(**asked)
        blocks = [
            {"type": "text", "text": block.text}
            if block.type == "text"
            else {"type": "tool_use", "id": block.id, "name": block.name, "input": block.input}
            for block in message.content
        ]
        results = [
            {
                "type": "tool_result",
                "tool_use_id": block["id"],
                "content": act(world, block["id"], block["name"], block["input"]),
            }
            for block in blocks
            if block["type"] == "tool_use"
        ]
        if not results:
            return "".join(block["text"] for block in blocks)
        messages.append({"role": "assistant", "content": blocks})
        messages.append({"role": "user", "content": results})
    return None


_TALKS = {"chat": _chat, "responses": _responses, "anthropic": _anthropic}
