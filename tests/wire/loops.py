"""The same small agent over every protocol, sync and async, plain, streamed and by helper.

Each takes a client and a task and converses until the model calls nothing more; every call is
answered with `ok:<name>`. They return the last text and the calls in order, as (id, name,
arguments).
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

Said = tuple[str | None, list[tuple[str, str, Any]]]
SCHEMA = {"type": "object", "properties": {"order_id": {"type": "string"}}}
NAMES = ("charge", "ship")
CHAT_TOOLS: list[Any] = [
    {"type": "function", "function": {"name": n, "description": f"to {n}", "parameters": SCHEMA}}
    for n in NAMES
]
RESPONSES_TOOLS: list[Any] = [
    {"type": "function", "name": n, "description": f"to {n}", "parameters": SCHEMA, "strict": False}
    for n in NAMES
]
MESSAGES_TOOLS: list[Any] = [
    {"name": n, "description": f"to {n}", "input_schema": SCHEMA} for n in NAMES
]


def chat(client: Any, mode: str, task: str = "Pay.") -> Said:
    messages: list[Any] = [{"role": "system", "content": "Be brief."}]
    messages.append({"role": "user", "content": task})
    made: list[tuple[str, str, Any]] = []
    while True:
        message = chat_turn(client, mode, messages)
        messages.append(message)
        if not message.get("tool_calls"):
            return message.get("content"), made
        for call in message["tool_calls"]:
            name = call["function"]["name"]
            made.append((call["id"], name, json.loads(call["function"]["arguments"])))
            answer = {"role": "tool", "tool_call_id": call["id"], "content": f"ok:{name}"}
            messages.append(answer)


def chat_turn(client: Any, mode: str, messages: list[Any]) -> dict[str, Any]:
    given: dict[str, Any] = {"model": "m", "messages": messages, "tools": CHAT_TOOLS}
    completions = client.chat.completions
    if mode == "plain":
        found = completions.create(**given).choices[0].message
    elif mode == "helper":
        with completions.stream(**given) as stream:
            found = stream.get_final_completion().choices[0].message
    else:
        return gathered(list(completions.create(stream=True, **given)))
    return found.model_dump(exclude_none=True, include={"role", "content", "tool_calls"})


def gathered(chunks: list[Any]) -> dict[str, Any]:
    """A message from its chunks, as people write it who use no helper."""
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    calls: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            message["content"] += choice.delta.content or ""
            for part in choice.delta.tool_calls or ():
                if part.id:
                    function = {"name": part.function.name, "arguments": ""}
                    calls[part.index] = {"id": part.id, "type": "function", "function": function}
                calls[part.index]["function"]["arguments"] += part.function.arguments or ""
    if calls:
        message["tool_calls"] = [calls[i] for i in sorted(calls)]
    return message


def responses(client: Any, mode: str, task: str = "Pay.") -> Said:
    items: list[Any] = [{"role": "user", "content": task}]
    made: list[tuple[str, str, Any]] = []
    while True:
        found = responses_turn(client, mode, items)
        items += [item.model_dump(exclude_none=True) for item in found.output]
        calls = [item for item in found.output if item.type == "function_call"]
        if not calls:
            return found.output_text, made
        for call in calls:
            made.append((call.call_id, call.name, json.loads(call.arguments)))
            output = f"ok:{call.name}"
            items.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": output}
            )


def responses_turn(client: Any, mode: str, items: list[Any]) -> Any:
    given: dict[str, Any] = {"model": "m", "input": items, "tools": RESPONSES_TOOLS}
    given["instructions"] = "Be brief."
    if mode == "plain":
        return client.responses.create(**given)
    if mode == "helper":
        with client.responses.stream(**given) as stream:
            return stream.get_final_response()
    return list(client.responses.create(stream=True, **given))[-1].response


def messages(client: Any, mode: str, task: str = "Pay.") -> Said:
    shown: list[Any] = [{"role": "user", "content": task}]
    made: list[tuple[str, str, Any]] = []
    while True:
        found = messages_turn(client, mode, shown)
        content = [block.model_dump(exclude_none=True) for block in found.content]
        shown.append({"role": "assistant", "content": content})
        calls = [block for block in found.content if block.type == "tool_use"]
        if not calls:
            return found.content[0].text if found.content else None, made
        results = []
        for call in calls:
            made.append((call.id, call.name, call.input))
            result = {"type": "tool_result", "tool_use_id": call.id, "content": f"ok:{call.name}"}
            results.append(result)
        shown.append({"role": "user", "content": results})


def messages_turn(client: Any, mode: str, shown: list[Any]) -> Any:
    given: dict[str, Any] = {"model": "m", "max_tokens": 99, "messages": shown}
    given |= {"tools": MESSAGES_TOOLS, "system": "Be brief."}
    if mode == "plain":
        return client.messages.create(**given)
    if mode == "helper":
        with client.messages.stream(**given) as stream:
            return stream.get_final_message()
    from anthropic.lib.streaming._messages import accumulate_event

    snapshot, buffers = None, dict[int, bytes]()
    for event in client.messages.create(stream=True, **given):
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot


SYNC: dict[str, Callable[..., Said]] = {
    "chat": chat,
    "responses": responses,
    "messages": messages,
}


class Awaited:
    """An async client that reads like a sync one, on one loop: the loops above serve both."""

    def __init__(self, target: Any, runner: asyncio.Runner) -> None:
        self._target, self._runner = target, runner

    def __getattr__(self, name: str) -> Any:
        return Awaited(getattr(self._target, name), self._runner)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = self._target(*args, **kwargs)
        if hasattr(found, "__await__"):
            found = self._runner.run(_awaited(found))
        if hasattr(found, "__aiter__") or hasattr(found, "__aenter__"):
            return Awaited(found, self._runner)
        return found

    def __iter__(self) -> Any:
        return iter(self._runner.run(_listed(self._target)))

    def __enter__(self) -> Any:
        return Awaited(self._runner.run(_awaited(self._target.__aenter__())), self._runner)

    def __exit__(self, *exc: object) -> None:
        self._runner.run(_awaited(self._target.__aexit__(*exc)))


async def _awaited(found: Any) -> Any:
    return await found


async def _listed(found: Any) -> list[Any]:
    return [item async for item in found]
