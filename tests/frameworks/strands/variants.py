"""Strands' own options, by the name of the set: what gauntlet and report try."""

from collections.abc import Callable, Mapping
from typing import Any


def by_intent(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """One key for every attempt at one order."""
    return f"{tool}:{arguments['order_id']}"


def asks_again() -> dict[str, Any]:
    """A hook that has a reply without any content asked for again."""
    from strands.hooks import AfterModelCallEvent, HookProvider, HookRegistry

    class Again(HookProvider):
        def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
            registry.add_callback(AfterModelCallEvent, self.look)

        def look(self, event: AfterModelCallEvent) -> None:
            reply = event.stop_response
            if reply is not None and not reply.message["content"]:
                event.retry = True

    return {"hooks": [Again()]}


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "asks_again": asks_again,
    "audited": lambda: {"audit": True},
    "keys": lambda: {"key": by_intent},
    "ten_turns": lambda: {"turns": 10},
}
