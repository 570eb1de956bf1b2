"""Binds the reference loop to an agentfuzz world: all that is not the loop's own.

Law: here, and only here, agentfuzz is known.
"""

import time
from collections.abc import Callable
from typing import Any

from agentfuzz import Completion, KeyConflict, ModelError, Unauthorized, World
from .contract import Done, Refused, Tool


class Host:
    """A world as what the loop is run on. `ask` takes a turn; left out, the world's model does."""

    def __init__(self, world: World, ask: Callable[[list[dict]], dict] | None = None) -> None:
        self.world, self.store = world, world.store
        self._ask = ask or (lambda messages: world.model(messages, list(world.tools)))

    def ask(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        return translated(lambda: self._ask(messages))

    def call(self, tool: str, arguments: Any, asked: str | None) -> Any:
        return translated(lambda: self.world.call(tool, arguments, asked=asked))

    def claim(self, name: str) -> bool:
        return self.world.store.claim(name)

    def approve(self, tool: str, call: str) -> str:
        return self.world.request_approval(tool, call=call)

    def now(self) -> float:
        return self.world.clock.now

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def cancelled(self) -> bool:
        return self.world.cancelled

    def inbox(self) -> Any:
        return self.world.inbox


def translated(act: Callable[[], Any]) -> Any:
    """An act of the world whose errors are those that the loop knows: a 409 is a request that
    still runs; any other error of a backend is a refusal."""
    try:
        return act()
    except (TimeoutError, ConnectionError):
        raise
    except (KeyConflict, Unauthorized, ModelError) as error:
        raise Refused(str(error), getattr(error, "retry_after", None) or 1.0) from error
    except Exception as error:
        after = getattr(error, "retry_after", None)
        raise Refused(f"{type(error).__name__}: {error}", after) from error


def tools_of(world: World, **more: dict[str, Any]) -> list[Tool]:
    """The tools of a world, each with what `more` says of it."""
    specs = world.gateway.specs.values()
    undone = {spec.undoes: spec.name for spec in specs if spec.undoes}
    return [
        Tool(
            name=spec.name, takes=tuple(n for n in spec.names if n != "idempotency_key"),
            scope=spec.scope, writes=spec.effect is not None, dedup=spec.dedup,
            undo=undone.get(spec.name, ""), **more.get(spec.name, {}),
        )  # fmt: skip
        for spec in specs
    ]


def completion(done: Done) -> Completion:
    """A done event in the words of agentfuzz."""
    return Completion(
        status=done.status, reason=done.reason, handle=done.handle or None, detail=done.detail
    )
