"""AutoGen's own options, in the sets that its findings speak of."""

from collections.abc import Callable, Mapping
from typing import Any


def by_order(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """The key of an intent: the same for every attempt at one order."""
    return f"{tool}:{arguments.get('order_id')}"


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "key": lambda: {"key": by_order},
    "no_retries": lambda: {"max_retries": 0},
}
