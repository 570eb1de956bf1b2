"""Sets of Agno's own options, by name."""

from collections.abc import Callable, Mapping
from typing import Any


def by_intent(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """A key that is the same for every attempt at one order."""
    return f"{tool}:{arguments['order_id']}"


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "keyed": lambda: {"key": by_intent},
    "retries": lambda: {"retries": 1},
    "run_retries": lambda: {"retries": 1, "max_retries": 0},
    "run_retries_keyed": lambda: {"retries": 1, "max_retries": 0, "key": by_intent},
}
