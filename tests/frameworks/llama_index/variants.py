"""Sets of LlamaIndex's own options, by name."""

from collections.abc import Callable, Mapping
from typing import Any


def by_intent(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """A key that is the same for every attempt at one order."""
    return f"{tool}:{arguments['order_id']}"


def three_attempts() -> dict[str, Any]:
    """The retry policy of a step."""
    from llama_index.core.workflow.retry_policy import ConstantDelayRetryPolicy

    policy = ConstantDelayRetryPolicy(delay=1, maximum_attempts=3)
    return {"retry_policy": policy, "max_retries": 0}


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "keyed": lambda: {"key": by_intent},
    "direct": lambda: {"return_direct": ("charge_card",)},
    "three_attempts": three_attempts,
}
