"""A turn of a world's model as what the Gemini API answers.

Law: a call whose arguments are no JSON is what the API makes of it, MALFORMED_FUNCTION_CALL and no
content. Called by `model`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from google.genai import errors, types

from agentfuzz.core.errors import ModelError


def finish_of(turn: Mapping[str, Any]) -> Any:
    """Why a turn ended; None where it was cut."""
    if turn["stop"] == "cut":
        return None
    if turn["stop"] == "length":
        return types.FinishReason.MAX_TOKENS
    if any(not isinstance(one["arguments"], Mapping) for one in turn["tool_calls"]):
        return types.FinishReason.MALFORMED_FUNCTION_CALL
    return types.FinishReason.STOP


def reply(parts: Sequence[Any], finish: Any = None, turn: Mapping[str, Any] | None = None) -> Any:
    if finish == types.FinishReason.MALFORMED_FUNCTION_CALL:
        parts = []
    used = (turn or {}).get("usage")
    return types.GenerateContentResponse(
        candidates=[
            types.Candidate(
                content=types.Content(role="model", parts=list(parts)) if parts else None,
                finish_reason=finish,
            )
        ],
        usage_metadata=types.GenerateContentResponseUsageMetadata(
            prompt_token_count=used["input"],
            candidates_token_count=used["output"],
            total_token_count=used["input"] + used["output"],
        )
        if used
        else None,
    )


def api_error(error: ModelError) -> Exception:
    """What the client raises for an error of the API."""
    kind = errors.ClientError if error.status < 500 else errors.ServerError
    words = {"error": {"code": error.status, "message": str(error), "status": "UNAVAILABLE"}}
    made: Exception = kind(error.status, words)
    return made
