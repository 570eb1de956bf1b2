"""The history of a run: an ordered list of frozen events, and nothing else.

Law: everything that happened is an event, every event has its place `seq` (from 0) and its
virtual time `t` (seconds since the run began), and nothing is added once the run has ended.
Written by the world, read by every invariant and report. The shape is Jepsen's: history first,
judged afterwards.

Events are NamedTuples because they lie on the hot path (a pydantic model costs seven times as
much). Compare events by type and value: two kinds of event may hold equal fields.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from agentfuzz.faults import Slot

Json = Any  # a bounded JSON tree: None, bool, int, float, str, list, dict[str, Json]

# What a reply lets the agent conclude about the effect it asked for.
OUTCOMES = ("applied", "replayed", "in_flight", "unknown", "failed")


class Intent(NamedTuple):
    """What must happen once: an effect and its business scope. Said by the scenario's author,
    never derived from whatever arguments a model happened to send."""

    effect: str
    scope: tuple[tuple[str, Json], ...]

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.scope)
        return f"{self.effect}({inside})"


class Called(NamedTuple):
    """The agent called a tool. `intent` is None for a tool that only reads; `asked` is the id
    under which the simulated model asked for the call, if it did."""

    seq: int
    t: float
    call: str
    slot: Slot
    args: Mapping[str, Json]
    key: str | None
    intent: Intent | None
    where: str | None  # "path:line function" of the caller, in traced runs only
    asked: str | None = None


class Struck(NamedTuple):
    """A fault of the plan really happened here."""

    seq: int
    t: float
    slot: Slot
    fault: str


class Delivered(NamedTuple):
    """The request arrived at the backend. `nth` counts the arrivals of this one call."""

    seq: int
    t: float
    call: str
    nth: int


class Committed(NamedTuple):
    """The backend carried out an effect. The ledger is the list of these."""

    seq: int
    t: float
    effect_id: str
    call: str
    nth: int
    tool: str
    intent: Intent
    key: str | None
    args: Mapping[str, Json]


class Replayed(NamedTuple):
    """The backend recognised a repeat and answered it with an earlier effect's reply."""

    seq: int
    t: float
    effect_id: str
    call: str
    nth: int


class Refused(NamedTuple):
    """The backend said no, without an effect. `kind` is `unknown_tool`, `invalid_arguments`,
    `key_conflict`, `key_reused` or `tool_raised`."""

    seq: int
    t: float
    call: str
    kind: str
    detail: str


class Replied(NamedTuple):
    """What reached the agent. `raised` is the exception's type name, or None for a value."""

    seq: int
    t: float
    call: str
    outcome: str
    complete: bool
    body: Json
    raised: str | None


class Shown(NamedTuple):
    """One message as a model was shown it: its role, its text (cut at 500 characters), the ids
    of the calls it asks for, and the id of the call that it answers."""

    role: str
    text: str
    calls: tuple[str, ...]
    answers: str | None


class ModelInput(NamedTuple):
    """What the simulated model was shown, before it took its turn."""

    seq: int
    t: float
    slot: Slot
    messages: tuple[Shown, ...]


class ModelTurn(NamedTuple):
    """One turn of the simulated model: how many messages it had been shown, what it said, and
    how it stopped: `end`, `tool_calls`, `length`, `cut` or `error` (then `text` says which).
    `tokens` is an estimate of what was read and written."""

    seq: int
    t: float
    slot: Slot
    shown: int
    text: str | None
    calls: tuple[tuple[str, str, Mapping[str, Json] | str], ...]  # (id, tool, arguments)
    stop: str
    tokens: int = 0


class Done(NamedTuple):
    """A completion event: the done tool was called (`via` tool), or a Completion was returned or
    mapped from the answer (`via` return). `problem` says why it is not valid, or is empty."""

    seq: int
    t: float
    via: str
    status: str
    reason: str
    handle: Json
    problem: str


class Ended(NamedTuple):
    """The run is over. `how` is `returned`, `raised` (an Exception), `died` (any other
    BaseException) or `cut_off`; `value` is what the agent returned; `error` and `detail` name
    the exception, or why the run was cut off."""

    seq: int
    t: float
    how: str
    value: Json
    error: str
    detail: str


Event = (
    Called
    | Struck
    | Delivered
    | Committed
    | Replayed
    | Refused
    | Replied
    | ModelInput
    | ModelTurn
    | Done
    | Ended
)
EVENTS: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        Called,
        Struck,
        Delivered,
        Committed,
        Replayed,
        Refused,
        Replied,
        ModelInput,
        ModelTurn,
        Done,
        Ended,
    )
}
E_ = TypeVar("E_", bound=NamedTuple)


class ToolFacts(NamedTuple):
    """What a law may know about a tool: declared by the scenario, not observed."""

    name: str
    effect: str | None
    scope: tuple[str, ...]
    dedup: str
    undoes: str | None = None  # the tool whose effect this one takes back


class History:
    """The events of one run and the facts about its tools. Treat it as frozen."""

    __slots__ = ("_of", "events", "tools")

    def __init__(self, events: Iterable[Event], tools: Mapping[str, ToolFacts] | None = None):
        self.events: tuple[Event, ...] = tuple(events)
        self.tools: Mapping[str, ToolFacts] = tools or {}
        self._of: dict[type, list[Any]] | None = None

    def of(self, kind: type[E_]) -> list[E_]:
        """The events of one kind, in order. Do not change the list."""
        if self._of is None:
            index: dict[type, list[Any]] = {}
            for event in self.events:
                index.setdefault(type(event), []).append(event)
            self._of = index
        return self._of.get(kind, [])

    @property
    def ledger(self) -> list[Committed]:
        """What really happened: the committed effects, in order."""
        return self.of(Committed)

    @property
    def ended(self) -> Ended | None:
        """How the run ended, or None for a prefix."""
        found = self.of(Ended)
        return found[-1] if found else None

    @property
    def claim(self) -> str | None:
        """The status that the agent claims: that of its last valid Done, or None."""
        valid = [done for done in self.of(Done) if not done.problem]
        return valid[-1].status if valid else None

    def call(self, call: str) -> Called:
        """The Called event of a call id."""
        return next(event for event in self.of(Called) if event.call == call)

    def __len__(self) -> int:
        return len(self.events)
