"""Every exception that agentfuzz raises on purpose, in one tree.

Law: misuse and broken input are an `AgentfuzzError` that names the place and the cure; what a
simulated backend answers is a `ToolError`, for the agent to handle; `CutOff` ends a run and is
nobody's to catch. Called by every floor.

    Exception
      AgentfuzzError          misuse: the message says what, where and what to try
        ScenarioError         the scenario's own declaration is wrong
        PlanError             a fault plan cannot be read, or names what is not there
        SavedFileError        a file that agentfuzz saved cannot be read
          NewerFileError      a newer agentfuzz wrote it; it is left alone
        ShardError            the files of a campaign in parts do not fit together
        CassetteMiss          no cassette holds what the model was asked
        FixtureError          a fixture that is renewed for each run has failed
      ToolError               a reply of a simulated backend that is an error
        InvalidArguments      400: the arguments do not fit the tool's schema
        Unauthorized          401: what the agent may do has expired
        UnknownTool           404: no such tool (also a KeyError)
        KeyConflict           409: the idempotency key is in use by a running request
        KeyReused             422: the key came back with other parameters
        RateLimited           429: has `retry_after` in virtual seconds
      ModelError              the simulated model's API answered with an error
      NetworkRefused          a run reached beyond this machine (a ConnectionRefusedError)
    AssertionError
      InvariantViolated       one subclass per code and subject (see `violation_type`)
    BaseException
      CutOff                  the run is over: budget, watchdog, or nothing left that could act
        Crash                 the agent's process is dead; whatever still runs of it may not act
"""

import difflib
from collections.abc import Iterable
from functools import cache


class AgentfuzzError(Exception):
    """Misuse of agentfuzz, or input that it cannot read."""


class ScenarioError(AgentfuzzError):
    """A scenario declares something that cannot work."""


class PlanError(AgentfuzzError):
    """A fault plan cannot be read, or names a tool or fault that does not exist."""


class SavedFileError(AgentfuzzError):
    """A file that agentfuzz saved cannot be read any more."""


class NewerFileError(SavedFileError):
    """A file was written by a newer agentfuzz, in a format that this one does not know."""


class ShardError(AgentfuzzError):
    """Files of a campaign that was run in parts are broken, missing, or do not fit together."""


class CassetteMiss(AgentfuzzError):
    """The cassette holds no reply to what the model was asked."""


class FixtureError(AgentfuzzError):
    """What a test renews for each run could not be set up, or taken down."""


class StaleWrite(Exception):
    """A shared value has been written since the version that this write goes by."""


class ToolError(Exception):
    """What a simulated backend answers when it refuses. `status` is the HTTP status code."""

    status = 500


class InvalidArguments(ToolError):
    """400: the arguments do not fit the tool's schema."""

    status = 400


class UnknownTool(ToolError, KeyError):
    """404: the backend has no such tool."""

    status = 404

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else "unknown tool"


class KeyConflict(ToolError):
    """409: a request with this idempotency key is still running (Stripe's rules)."""

    status = 409


class KeyReused(ToolError):
    """422: this idempotency key was used with other parameters (Stripe's rules)."""

    status = 422


class Unauthorized(ToolError):
    """401: the rights under which the agent acts have expired, and no repeat brings them back."""

    status = 401


class RateLimited(ToolError):
    """429: try again after `retry_after` virtual seconds."""

    status = 429

    def __init__(self, message: str = "rate limited", retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelError(Exception):
    """The simulated model's API answered with an error. `status` is the HTTP status code,
    `retry_after` (virtual seconds) goes with a 429."""

    def __init__(self, message: str, status: int = 500, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class NetworkRefused(ConnectionRefusedError):
    """A run reached for the network beyond this machine, and was not allowed to."""


class InvariantViolated(AssertionError):
    """A law was broken. Each code and subject has a subclass of its own, so that a shrinker
    that looks at exception types never slides from one bug into another."""

    code = ""
    subject = ""

    def __reduce__(self) -> tuple[object, ...]:
        return _violated, (self.code, self.subject, self.args)


def _violated(code: str, subject: str, args: tuple[object, ...]) -> InvariantViolated:
    """A violation that comes from another process."""
    return violation_type(code, subject)(*args)


@cache
def violation_type(code: str, subject: str) -> type[InvariantViolated]:
    """The exception class of one law and one subject (a tool or an effect)."""
    word = "".join(c if c.isalnum() else "_" for c in subject)
    name = f"{code}_{word}" if word else code
    return type(name, (InvariantViolated,), {"code": code, "subject": subject})


class CutOff(BaseException):
    """The run is over. A BaseException, so that `except Exception` cannot swallow it.

    `why` is one of `budget`, `spinning`, `hung`, `crashed`; `unknown` is a run of which nobody can
    tell how it goes on, and nobody asks.
    """

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}" if detail else why)
        self.why = why
        self.detail = detail


class Crash(CutOff):
    """The simulated process of the agent is dead. Raised at the place of the crash, and at every
    crossing that anything left of that process still tries."""

    def __init__(self) -> None:
        super().__init__("crashed", "the process of the agent is dead")


def near_miss(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the nearest known word, or an empty string."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" Did you mean {found[0]!r}?" if found else ""
