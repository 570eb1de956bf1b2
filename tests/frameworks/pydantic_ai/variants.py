"""Sets of Pydantic AI's own options by name."""

from collections.abc import Callable, Mapping
from typing import Any


def by_intent(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """An idempotency key of what is meant, whichever call asks for it."""
    return f"{tool}:{arguments['order_id']}"


def _whole_replies() -> dict[str, Any]:
    from pydantic_ai import UnexpectedModelBehavior
    from pydantic_ai.capabilities import AbstractCapability

    class WholeReplies(AbstractCapability[Any]):
        """No reply that was cut off, or withheld by a filter, is acted on."""

        async def after_model_request(
            self, ctx: Any, *, request_context: Any, response: Any
        ) -> Any:
            if response.finish_reason in ("length", "content_filter"):
                raise UnexpectedModelBehavior(f"the reply is not whole: {response.finish_reason}")
            return response

    return {"capabilities": [WholeReplies()]}


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "key_by_intent": lambda: {"key": by_intent},
    "finish_reason_required": lambda: {
        "profile": {"openai_chat_streaming_requires_finish_reason": True}
    },
    "no_client_retries": lambda: {"max_retries": 0},
    "soft_failures": lambda: {"failures": "soft"},
    "whole_replies": _whole_replies,
    "ends_with_a_tool": lambda: {"ends_with": ("ship",)},
    "retries": lambda: {"retries": 3},
}
