"""Binds the reference loop to an agentfuzz world: all that is not the loop's own.

Law: here, and only here, agentfuzz is known.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from agentfuzz import Completion, KeyConflict, ModelError, Payload, Unauthorized, World

from .contract import Done, Host, Refused, Tool
from .handoff import receive


def host(world: World, ask: Callable[[list[dict[str, Any]]], Any] | None = None) -> Host:
    """A world as what the loop is run on. `ask` plans a turn; left out, the world's model does."""
    plan = ask or (lambda messages: world.model(messages, list(world.tools)))
    return Host(
        store=world.store,
        claim=lambda name: world.store.claim(name),  # type: ignore[attr-defined]
        ask=lambda messages: translated(plan, messages),
        call=lambda tool, arguments, asked: translated(world.call, tool, arguments, asked),
        approve=lambda tool, call: world.request_approval(tool, call=call),
        now=lambda: world.clock.now,
        sleep=time.sleep,
        cancelled=lambda: world.cancelled,
        inbox=lambda: world.inbox,
    )


def translated(act: Callable[..., Any], *words: Any) -> Any:
    """An act of the world, with the errors that the loop knows: what is no missing answer is a
    refusal, and a 409, a 401 or a 429 one that says nothing of what was sent before."""
    try:
        return act(*words)
    except (TimeoutError, ConnectionError):
        raise
    except (KeyConflict, Unauthorized, ModelError) as error:
        raise Refused(str(error), getattr(error, "retry_after", None) or 1.0) from error
    except Exception as error:
        after = getattr(error, "retry_after", None)
        raise Refused(f"{type(error).__name__}: {error}", after) from error


def tools_of(world: World, **more: dict[str, Any]) -> list[Tool]:
    """The tools of a world, each with what `more` says of it."""
    undone = {spec.undoes: spec.name for spec in world.gateway.specs.values() if spec.undoes}
    found = []
    for spec in world.gateway.specs.values():
        takes = tuple(name for name in spec.names if name != "idempotency_key")
        words: dict[str, Any] = {"undo": undone.get(spec.name, ""), **more.get(spec.name, {})}
        writes = spec.effect is not None
        found.append(Tool(spec.name, takes, spec.scope, writes, spec.dedup, **words))
    return found


def completion(done: Done) -> Completion:
    """A done event in the words of agentfuzz."""
    return Completion(**{**asdict(done), "handle": done.handle or None})


def hand_over(world: World, handed: dict[str, Any], attempts: int = 3) -> bool:
    """Send a handoff until its receiver has it. Without an answer it may have arrived, and the
    same one is sent again: its receiver knows it."""
    for _ in range(attempts):
        receipt = world.handoff(handed["owner"], Payload(**handed))
        collect(world, handed["owner"])
        if not world.answered(receipt, 60.0):
            collect(world, handed["owner"])
        if receipt.status == "accepted" or receipt.reason == "known":
            return True
    return False


def collect(world: World, *names: str) -> None:
    """What each of these agents makes of its mailbox."""
    for name in names:
        with world.acting(name):
            for handed in world.inbox_of(name):
                answer = receive(world.store, name, handed.payload)
                handed.accept() if answer == "accepted" else handed.reject(answer)
