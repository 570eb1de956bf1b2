"""Completion: the structured event that says how a task ended.

Law: completion is an event with a status, a reason code and a handle, never a mood that somebody
reads out of prose. Called by agents (which return one), by the world's done tool, and by the
termination laws. Source: Tian Pan, "'Done!' Is Not a Return Code" (2026).
"""

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, model_validator

Status = Literal["success", "partial", "blocked", "failed", "cancelled"]
STATUSES: tuple[str, ...] = get_args(Status)

# The closed set of reason codes for each status; the first is the default. Free text goes into
# `detail`, where nobody is tempted to route on it.
REASONS: dict[str, tuple[str, ...]] = {
    "success": ("completed", "already_done", "nothing_to_do"),
    "partial": ("some_effects_missing", "budget_exhausted", "unverified", "other"),
    "blocked": (
        "outcome_unknown",
        "needs_approval",
        "needs_input",
        "rate_limited",
        "dependency_unavailable",
        "other",
    ),
    "failed": (
        "tool_failed",
        "invalid_request",
        "not_found",
        "rejected",
        "budget_exhausted",
        "internal_error",
        "other",
    ),
    "cancelled": ("by_user", "by_deadline", "by_operator", "superseded", "other"),
}


class Completion(BaseModel):
    """How a task ended. Frozen.

    `handle` names the artefact or effect that a caller can route on (an order, a charge, a
    pull request); `detail` is free text for people. Raises pydantic.ValidationError when the
    reason does not belong to the status.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    reason: str = ""
    handle: str | None = None
    detail: str = ""

    @model_validator(mode="before")
    @classmethod
    def _default_reason(cls, data: Any) -> Any:
        status = data.get("status") if isinstance(data, dict) else None
        if isinstance(status, str) and status in REASONS and not data.get("reason"):
            return {**data, "reason": REASONS[status][0]}
        return data

    @model_validator(mode="after")
    def _reason_fits_status(self) -> "Completion":
        allowed = REASONS[self.status]
        if self.reason not in allowed:
            raise ValueError(
                f"reason {self.reason!r} does not go with status {self.status!r}; "
                f"one of: {', '.join(allowed)} (free text goes into detail)"
            )
        return self

    @classmethod
    def success(
        cls, *, handle: str | None = None, reason: str = "completed", detail: str = ""
    ) -> "Completion":
        """The task is done, and the world shows it."""
        return cls(status="success", reason=reason, handle=handle, detail=detail)

    @classmethod
    def partial(
        cls, *, handle: str | None = None, reason: str = "some_effects_missing", detail: str = ""
    ) -> "Completion":
        """Some of it is done; what is missing is known."""
        return cls(status="partial", reason=reason, handle=handle, detail=detail)

    @classmethod
    def blocked(
        cls, *, reason: str = "outcome_unknown", handle: str | None = None, detail: str = ""
    ) -> "Completion":
        """The loop stopped because somebody else has to find out, decide or repair."""
        return cls(status="blocked", reason=reason, handle=handle, detail=detail)

    @classmethod
    def failed(
        cls, *, reason: str = "tool_failed", handle: str | None = None, detail: str = ""
    ) -> "Completion":
        """The task is not done."""
        return cls(status="failed", reason=reason, handle=handle, detail=detail)

    @classmethod
    def cancelled(
        cls, *, reason: str = "by_user", handle: str | None = None, detail: str = ""
    ) -> "Completion":
        """Somebody stopped the task."""
        return cls(status="cancelled", reason=reason, handle=handle, detail=detail)
