"""Honest loops around a model: what they claim rests on receipts.

Law: a loop is deterministic; one key for each intent, errors are shown to the model, and what it
says last is no more than words. Called by the tests of this folder.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from agentfuzz import Completion, World, scenario


def counter(closing: Any, dedup: Any = "key") -> Any:
    script = [("charge_card", {"order": "A17"}), ("send_mail", {"order": "A17"}), closing]

    @scenario(task="Charge A17 and send the invoice.", script=script)
    def counter(world: World) -> None:
        @world.tool(effect="charge", scope=("order",), dedup=dedup)
        def charge_card(order: str, idempotency_key: str | None = None) -> dict:
            return {"order": order, "receipt": f"ch_{order}"}

        @world.tool(effect="invoice", scope=("order",), dedup=dedup)
        def send_mail(order: str, idempotency_key: str | None = None) -> dict:
            return {"order": order, "receipt": f"in_{order}"}

        @world.tool
        def log(text: str) -> dict:
            return {"logged": text}

    return counter


def models(world: World, finish: Callable[..., Completion | str]) -> Completion | str:
    """A plain loop: one key for each intent, errors shown to the model, receipts kept."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    receipts: dict[str, str] = {}
    for _ in range(12):
        try:
            turn = world.model(messages)
        except Exception:
            continue
        messages.append({k: turn[k] for k in ("role", "content", "tool_calls")})
        if turn["stop"] == "length":
            messages.append({"role": "user", "content": "Go on."})
            cut = [result(call, "Error: cut off, not executed") for call in turn["tool_calls"]]
            messages[-1:-1] = cut
            continue
        if not turn["tool_calls"]:
            return finish(world, receipts, turn["content"])
        said = [(call, carried_out(world, call, receipts)) for call in turn["tool_calls"]]
        messages += [result(call, text) for call, text in said]
    return finish(world, receipts, None)


def result(call: dict, text: str) -> dict:
    return {"role": "tool", "tool_call_id": call["id"], "content": text}


def carried_out(world: World, call: dict, receipts: dict[str, str]) -> str:
    name, arguments = call["name"], call["arguments"]
    known = name in ("charge_card", "send_mail")
    if not known or not isinstance(arguments, dict) or arguments.get("order") != "A17":
        return "Error: not executed"
    arguments = {"order": "A17", "idempotency_key": f"task:{name}"}
    try:
        reply = world.call(name, arguments, asked=call["id"])
    except Exception as error:
        return f"Error: {error}"
    wanted = {"charge_card": "ch_A17", "send_mail": "in_A17"}[name]
    if reply == {"order": "A17", "receipt": wanted}:
        receipts[name] = wanted
    return json.dumps(reply)


def by_receipts(world: World, receipts: dict[str, str], text: str | None) -> Completion:
    """Success is what the receipts say."""
    handle = ", ".join(receipts.values())
    if len(receipts) == 2:
        return Completion.success(handle=handle)
    return Completion.partial(reason="unverified", handle=handle)


def logs_last(world: World, receipts: dict[str, str], text: str | None) -> Completion:
    """The loop writes a log by itself, after the model's last word, and answers with that word."""
    with suppress(Exception):
        world.tools.log(text=str(sorted(receipts)))
    handle = ", ".join(receipts.values())
    if len(receipts) == 2:
        return Completion.success(handle=handle, detail=text or "")
    return Completion.partial(reason="unverified", handle=handle, detail=text or "")


def with_model(finish: Callable[..., Completion | str]) -> Callable[[World], Any]:
    def agent(world: World) -> Any:
        return models(world, finish)

    agent.__name__ = finish.__name__
    return agent
