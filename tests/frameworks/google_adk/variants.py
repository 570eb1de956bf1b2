"""Sets of ADK's own options, by name."""

from collections.abc import Callable, Mapping
from typing import Any


def by_intent(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """A key that is the same for every attempt at one order."""
    return f"{tool}:{arguments['order_id']}"


def told(tool: Any, args: Any, tool_context: Any, error: Exception) -> dict[str, str]:
    """An `on_tool_error_callback`: the model is told of the failure."""
    return {"error": str(error)}


def only_whole(callback_context: Any, llm_response: Any) -> Any:
    """An `after_model_callback`: a reply that did not finish is an error, and nothing of it is
    carried out; of two calls with one id the first is."""
    reason = str(llm_response.finish_reason)
    if not llm_response.partial and not reason.endswith("STOP"):
        return llm_response.model_copy(
            update={"content": None, "error_code": "UNFINISHED", "error_message": reason}
        )
    return None


def once_each(callback_context: Any, llm_response: Any) -> Any:
    """An `after_model_callback`: of two calls with one id the first is carried out."""
    content, seen, kept = llm_response.content, set(), []
    for part in (content.parts if content else None) or []:
        name = part.function_call and part.function_call.id
        if not name or name not in seen:
            kept.append(part)
        seen.add(name)
    if content is None or len(kept) == len(content.parts or []):
        return None
    return llm_response.model_copy(update={"content": content.model_copy(update={"parts": kept})})


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "keyed": lambda: {"key": by_intent},
    "told": lambda: {"on_tool_error_callback": told, "key": by_intent},
    "only_whole": lambda: {"after_model_callback": only_whole},
    "once_each": lambda: {"after_model_callback": once_each},
    "no_contents": lambda: {"include_contents": "none"},
}
