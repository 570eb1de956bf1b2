"""Sets of the tool runner's own options by name."""

from collections.abc import Callable, Mapping
from typing import Any


def by_intent(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """An idempotency key of what is meant, whichever call asks for it."""
    return f"{tool}:{arguments['order_id']}"


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "key_by_intent": lambda: {"key": by_intent},
    "max_iterations": lambda: {"max_iterations": 12},
    "no_client_retries": lambda: {"max_retries": 0},
    "whole_history": lambda: {"thread": False},
}
