"""The events of a history: what can happen in a run, one frozen record each.

Law: an event is a fact with its place `seq` (from 0) and its virtual time `t` (seconds since the
run began); nothing in it is an opinion. Written by the world, kept by a `History`.

Events are NamedTuples because they lie on the hot path (a pydantic model costs seven times as
much). Compare events by type and value: two kinds of event may hold equal fields.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from agentfuzz.core.between import Between
from agentfuzz.core.faults import Fault, Slot

# `made(Called, (seq, ...))` is `Called(seq, ...)` without a Python frame: half the time.
made: Any = tuple.__new__

Json = Any  # a bounded JSON tree: None, bool, int, float, str, list, dict[str, Json]

# What a reply lets the agent conclude about the effect it asked for.
OUTCOMES = ("applied", "replayed", "in_flight", "unknown", "failed")


class Intent(NamedTuple):
    """What must happen once: an effect and its business scope. Said by the scenario's author,
    never derived from whatever arguments a model happened to send."""

    effect: str
    scope: tuple[tuple[str, Json], ...]

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={_short(value)}" for name, value in self.scope)
        return f"{self.effect}({inside})"


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


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
    fault: Fault


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
    `key_conflict`, `key_reused`, `tool_raised`, `answered_no` (the answer says so by itself),
    `effect_if` (the scenario says so of it) or `no_new_row` (an observed backend is as before)."""

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
    how it stopped: `end`, `tool_calls`, `length`, `cut`, `error` (`text` says which) or `refused`
    (by its provider: `text`). `tokens` is an estimate of what was read and written."""

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
    mapped from the answer (`via` return). `problem` says why it is not valid, or is empty;
    `detail` is what it says to people, on which nothing may be routed."""

    seq: int
    t: float
    via: str
    status: str
    reason: str
    handle: Json
    problem: str
    detail: str = ""


class Saved(NamedTuple):
    """The agent wrote something that outlives its process. `slot` is at the boundary `store`; its
    name is the key of `world.store`, or that of a store of the agent's own (then `value` is None).
    """

    seq: int
    t: float
    slot: Slot
    value: Json


class Crashed(NamedTuple):
    """The agent's process died here; what it held in memory is gone."""

    seq: int
    t: float
    slot: Slot


class Cancelled(NamedTuple):
    """Somebody stopped the task. `how` is `task` (it was cancelled) or `token` (it polls that)."""

    seq: int
    t: float
    how: str


class Messaged(NamedTuple):
    """The user said something while the agent was at work. `how` is `task` (its work is cancelled
    and a leg of the conversation begins with the message) or `inbox` (it reads them itself)."""

    seq: int
    t: float
    text: str
    how: str


class Interrupted(NamedTuple):
    """A call waits for somebody's decision. `call` is the id under which it will be made."""

    seq: int
    t: float
    interrupt: str
    call: str


class Decided(NamedTuple):
    """A decision arrived for an interrupt. `call` is the id of the call that it was made for; a
    `value` of False refuses, None says that its time is over."""

    seq: int
    t: float
    interrupt: str
    call: str
    value: Json


class Resumed(NamedTuple):
    """Another leg of the run begins. `why` is `restart` (after a crash), `decision`, `follow_up`,
    `task` (the next one), `interrupt` (the user's message), `duplicate` (the trigger was delivered
    again), or `back` (a leg within another one is over). `leg` is the number of the leg that runs
    from here on; `after` says how the one before ended, or `running`."""

    seq: int
    t: float
    why: str
    leg: int = 2
    after: str = "returned"


class Asserted(NamedTuple):
    """An assertion of the test itself failed: where, its source, and what it says of its values."""

    seq: int
    t: float
    function: str
    source: str
    text: str


class Unheard(NamedTuple):
    """A `task`, `thread` or piece of `work` in a pool, of this function, died of an exception that
    nobody asked for; or a `command` goes on that the agent waited for until an `error` came."""

    seq: int
    t: float
    kind: str
    called: str
    error: str
    detail: str


class Ended(NamedTuple):
    """The run is over. `how` is `returned`, `raised` (an Exception), `died` (any other
    BaseException), `cancelled`, `crashed` (and not restarted) or `cut_off`; `value` is what the
    agent returned; `error` and `detail` name the exception, or why the run was cut off."""

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
    | Saved
    | Crashed
    | Cancelled
    | Messaged
    | Interrupted
    | Decided
    | Resumed
    | Asserted
    | Unheard
    | Ended
    | Between
)
EVENTS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
