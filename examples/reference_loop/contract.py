"""The words of the loop: outcomes, tools, limits, how a task ends, and what it is run on.

Law: whatever decides is one of these; prose is none of them.
"""

from collections.abc import Callable, Mapping, MutableMapping, MutableSequence
from dataclasses import dataclass
from typing import Any

REASONS: Mapping[str, tuple[str, ...]] = {
    "success": ("completed", "already_done", "nothing_to_do"),
    "partial": ("some_effects_missing", "budget_exhausted", "unverified", "other"),
    "blocked": ("outcome_unknown", "needs_approval", "dependency_unavailable", "other"),
    "failed": ("tool_failed", "rejected", "other"),
    "cancelled": ("by_user",),
}
Step = dict[str, Any]  # plain data, for it is written down
Args = Mapping[str, Any]


class Outcome:
    """The closed set of answers, and none yet: nothing of a planned step can have happened."""

    APPLIED, REPLAYED, IN_FLIGHT = "applied", "replayed", "in_flight"
    UNKNOWN, FAILED, PLANNED = "unknown", "failed", ""


class Refused(Exception):
    """A backend said no: nothing was done. `after` seconds later it may say yes; None: never."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


@dataclass(frozen=True)
class Done:
    """The only thing that ends a task: programs route on it; `detail` is for people."""

    status: str
    reason: str
    handle: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Tool:
    """A tool, and what may be relied on. `takes` are its parameters without the key, `scope` those
    that name the business object; `dedup` is how its backend knows a repeat: none, key or scope.
    `receipt` finds the proof in a reply ("": none). `look_up` names the tool that reads the truth
    by scope, `found` what it says: a receipt, "" for not there, None for unclear. `after` names
    the tool on whose effect this one rests, `undo` the one that takes it back."""

    name: str
    takes: tuple[str, ...]
    scope: tuple[str, ...] = ()
    writes: bool = False
    dedup: str = "none"
    receipt: Callable[[Args, Any], str] = lambda arguments, reply: ""
    look_up: str = ""
    found: Callable[[Args, Any], str | None] = lambda arguments, reply: None
    after: str = ""
    undo: str = ""
    approval: bool = False
    settles: float = 60.0  # seconds after which a request cannot arrive any more
    keys_last: float = 23 * 3600.0  # seconds for which the backend knows a key


@dataclass(frozen=True)
class Limits:
    """Budgets. One of attempts for each step, shared by every layer."""

    turns: int = 16
    calls: int = 60
    attempts: int = 3
    seconds: float = 6 * 3600.0
    silent: int = 2  # turns that say neither a call nor done
    window: int = 8  # turns that are shown whole
    approval: float = 24 * 3600.0  # seconds for which a yes is good
    pause: float = 1.0  # seconds between two attempts, if nobody says how long


@dataclass(frozen=True)
class Host:
    """What the loop is run on. `ask` and `call` raise Refused, TimeoutError or ConnectionError;
    `store` is durable, each write in one step, and `claim` inserts a name that is not there yet."""

    store: MutableMapping[str, Any]
    claim: Callable[[str], bool]
    ask: Callable[[list[dict[str, Any]]], dict[str, Any]]
    call: Callable[[str, Args, str | None], Any]  # the tool, its arguments, the model's id
    approve: Callable[[str, str], str]  # asks a person about a call of a tool
    now: Callable[[], float]
    sleep: Callable[[float], None]
    cancelled: Callable[[], bool]
    inbox: Callable[[], MutableSequence[str]]
