"""The history of a run: an ordered list of frozen events, and what it can be asked.

Law: everything that happened is an event, every event has its place `seq` (from 0) and its
virtual time `t` (seconds since the run began), and nothing is added once the run has ended.
Written by the world, read by every invariant and report. The shape is Jepsen's: history first,
judged afterwards.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from agentfuzz.core import escaping, lanes
from agentfuzz.core.events import (
    Called,
    Committed,
    Done,
    Ended,
    Event,
    Intent,
    Json,
    Replied,
    Resumed,
)

_INTENT, _DEED = attrgetter("intent"), attrgetter("intent", "args")
E_ = TypeVar("E_", bound=NamedTuple)
Answer = TypeVar("Answer")


# What a run has beside its events; what it `breaks`, and what stands `instead`, is asked anew.
_OF_THE_RUN = ("asked", "questions", "data", "agents", "waited")


class _Once:
    """A property that is worked out once; `functools.cached_property` takes a lock each time."""

    def __init__(self, ask: Callable[[Any], Any]) -> None:
        self._ask = ask
        self.__doc__ = ask.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, asked: Any, owner: type | None = None) -> Any:
        if asked is None:
            return self
        found = self._ask(asked)
        setattr(asked, self._name, found)  # its `__dict__` is not made for this
        return found


if TYPE_CHECKING:
    from functools import cached_property as _once
else:
    _once = _Once


class ToolFacts(NamedTuple):
    """What a law may know about a tool: declared by the scenario, not observed.

    `derived` says that nobody named the scope: it is every argument but the key. `observed` that
    the backend is the user's own, whose rows are the effects.
    """

    name: str
    effect: str | None
    scope: tuple[str, ...]
    dedup: str
    undoes: str | None = None  # the tool whose effect this one takes back
    derived: bool = False
    observed: bool = False


class History:
    """The events of one run and the facts about its tools. Treat it as frozen, and what it
    answers, too: an answer is worked out once and lives as long as the history does.

    Of a run without faults, to which others are compared, it is known which laws it `breaks`, and
    what may stand there `instead` of an effect. `asked` is what the scenario has the user say: its
    tasks and follow-ups. `questions` are how many a cassette was asked, and how many of them nobody
    had recorded. `data` are the inputs of the run, for laws of your own; `agents` those
    that were named for it (`world.agents`), also where it is a slice. `waited` says of a traced run
    where Ctrl-C interrupted it first."""

    asked: tuple[str, ...] = ()
    questions: tuple[int, int] = (0, 0)
    data: Mapping[str, Any] = MappingProxyType({})
    agents: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    waited: str | None = None
    instead: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    def __init__(self, events: Iterable[Event], tools: Mapping[str, ToolFacts] | None = None):
        self.events: tuple[Event, ...] = tuple(events)
        self.tools: Mapping[str, ToolFacts] = tools or {}

    @_once
    def index(self) -> Mapping[type, list[Any]]:
        """The events by their kinds, in the order in which these first came."""
        index: defaultdict[type, list[Any]] = defaultdict(list)
        for event in self.events:
            index[type(event)].append(event)
        index.default_factory = None  # nothing comes in by asking
        return index

    def of(self, kind: type[E_]) -> list[E_]:
        """The events of one kind, in order."""
        return self.index.get(kind, [])

    def derived(self, tool: str) -> bool:
        """Whether nobody named the scope of a tool: it is every argument then."""
        facts = self.tools.get(tool)
        return facts is not None and facts.derived

    # What was called, and what came of it ---------------------------------------------------

    @_once
    def calls(self) -> Mapping[str, Called]:
        """Every call of a tool by its id, in order."""
        return {call.call: call for call in self.of(Called)}

    def call(self, call: str) -> Called:
        """The call with an id."""
        return self.calls[call]

    @_once
    def replies(self) -> Mapping[str, Replied]:
        """The reply of each call that got one, by the id of the call."""
        return {reply.call: reply for reply in self.of(Replied)}

    @_once
    def ledger(self) -> list[Committed]:
        """What really happened: the committed effects, in order."""
        return self.of(Committed)

    @_once
    def intents(self) -> list[Intent]:
        """The intent of each effect, in the order of the ledger."""
        return [*map(_INTENT, self.of(Committed))]

    @_once
    def deeds(self) -> list[tuple[Intent, Mapping[str, Json]]]:
        """The intent and the arguments of each effect, in the order of the ledger."""
        return [*map(_DEED, self.of(Committed))]

    @_once
    def effects(self) -> Mapping[Intent, list[Committed]]:
        """The ledger by intent, in order of the first commit of each."""
        found: dict[Intent, list[Committed]] = {}
        for commit in self.of(Committed):
            found.setdefault(commit.intent, []).append(commit)
        return found

    @_once
    def repeats(self) -> bool:
        """Whether any intent took effect more than once."""
        return len(set(self.intents)) < len(self.intents)

    # How it ended ---------------------------------------------------------------------------

    @_once
    def ended(self) -> Ended | None:
        """How the run ended, or None for a prefix."""
        last = self.events[-1] if self.events else None
        if type(last) is Ended:
            return last
        found = self.of(Ended)
        return found[-1] if found else None

    @property
    def completions(self) -> list[Done]:
        """The valid completion events, in order."""
        return [done for done in self.of(Done) if not done.problem]

    @_once
    def completion(self) -> Done | None:
        """The last valid completion event, or None: what the run is taken at its word for."""
        for done in reversed(self.of(Done)):
            if not done.problem:
                return done
        return None

    @property
    def claim(self) -> str | None:
        """The status that the agent claims: that of its last valid completion, or None."""
        done = self.completion
        return None if done is None else done.status

    @_once
    def success(self) -> Done | None:
        """The last valid completion, if it claims success."""
        for done in reversed(self.of(Done)):
            if not done.problem:
                return done if done.status == "success" else None
        return None

    # Legs -----------------------------------------------------------------------------------

    @_once
    def _legs(self) -> Mapping[int, list[Event]]:
        """The events of each leg by its number, in the order in which the legs began."""
        if not self.of(Resumed):
            return {1: list(self.events)}
        found: dict[int, list[Event]] = {1: []}
        now = 1
        for event in self.events:
            if type(event) is Resumed:
                now = event.leg
            found.setdefault(now, []).append(event)
        return found

    @property
    def legs(self) -> list[list[Event]]:
        """The events of each leg, in the order in which the legs began. A run has one, and one
        more for each restart, decision, message or second delivery of its trigger; the Resumed
        that begins a leg is its first event."""
        return list(self._legs.values())

    @property
    def endings(self) -> list[str]:
        """How each leg ended, in the order of `legs`; empty for one that has not."""
        if not self.of(Resumed):
            return [self.ended.how if self.ended else ""]
        found: dict[int, str] = {1: ""}
        now = 1
        for event in self.events:
            if type(event) is Resumed:
                if event.after != "running":
                    found[now] = event.after
                now = event.leg
                found.setdefault(now, "")
            elif type(event) is Ended:
                found[now] = event.how
        return list(found.values())

    def leg_at(self, seq: int) -> list[Event]:
        """The events of the leg that ran at an event."""
        begun = [event.leg for event in self.of(Resumed) if event.seq <= seq]
        return self._legs[begun[-1] if begun else 1]

    @property
    def final_leg(self) -> list[Event]:
        """The events of the leg that ran last: it said the last word."""
        begun = self.of(Resumed)
        return self._legs[begun[-1].leg if begun else 1]

    def __reduce__(self) -> tuple[Any, ...]:
        told = vars(self)
        more = {name: told[name] for name in _OF_THE_RUN if name in told}
        return History, (self.events, dict(self.tools)), more

    def __len__(self) -> int:
        return len(self.events)

    def __str__(self) -> str:
        """Its sequence, as a terminal shows it."""
        return lanes.printed(self, ascii_only=lanes.shows_ascii_only())

    def __repr__(self) -> str:
        how = escaping.visible(self.ended.how) if self.ended else "not ended"
        return f"<History of {len(self.events)} events, {how}>"


def query(ask: Callable[[History], Answer]) -> Callable[[History], Answer]:
    """Turn a function of a history into one that is answered once for each history, and keeps
    its answer there."""
    name = f"{ask.__module__}.{ask.__qualname__}"

    @wraps(ask)
    def answer(history: History) -> Answer:
        known = vars(history)
        if name not in known:
            known[name] = ask(history)
        found: Answer = known[name]
        return found

    return answer
