"""CrewAI's own options, by the name of the set: what gauntlet and report try."""

from collections.abc import Callable, Mapping
from typing import Any


def by_intent(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """One key for every attempt at one order."""
    return f"{tool}:{arguments['order_id']}"


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "keys": lambda: {"key": by_intent},
    "no_task_retry": lambda: {"max_retry_limit": 0},
}
