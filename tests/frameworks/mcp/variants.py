"""The words of the plain loop over MCP, in the sets that its findings speak of."""

from collections.abc import Callable, Mapping
from typing import Any


def by_order(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """The key of an intent: the same for every attempt at one order."""
    return f"{tool}:{arguments.get('order_id')}"


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "key": lambda: {"key": by_order},
    "patient": lambda: {"patience": 30},
    "patient_with_key": lambda: {"patience": 30, "key": by_order},
    "retries": lambda: {"patience": 30, "retries": 1},
    "cancels": lambda: {"patience": 30, "cancels": True},
    "reconnects": lambda: {"patience": 30, "reconnects": True},
}
