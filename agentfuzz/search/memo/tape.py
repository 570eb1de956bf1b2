"""The tape of one leg of a real run: what the agent did to its world, when, and what it saw.

Law: what cannot be remembered is a reason (`bad`), and a tape that has one is not learnt. Written
by the recorder, read by the tree. A `Book` holds what the tapes of one run share.
"""

import asyncio
from _thread import get_ident
from collections.abc import Callable
from typing import Any, NamedTuple

from agentfuzz.core.errors import Crash, CutOff
from agentfuzz.core.events import Struck
from agentfuzz.search.memo.fitness import (
    AFTERWARDS,
    ANOTHER_WAY,
    CHANGES,
    DEADLINE,
    DRAWS,
    LEAVES,
    LOOPS,
    NEVER_ENDED,
    OVERLAP,
    STATE,
    THREADS,
    UNCOPIED,
    UNTOLD,
)
from agentfuzz.search.memo.shared import Shared
from agentfuzz.search.memo.sight import LOOK, Sight, laid
from agentfuzz.search.memo.values import Key, Packed, Uncopied, key_of, key_of_error, last_words
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.world import World


class Seen(NamedTuple):
    """What came of an action, as far as an agent can tell: its value or error, the time when it
    came, and whether others could go on meanwhile."""

    what: Key
    at: float
    turned: bool


class Step(NamedTuple):
    """One action: what was done at what time, whether another task was `ready` to go on and
    threads were about (`gated`)."""

    verb: str
    given: Packed
    at: float
    ready: bool
    gated: bool

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells an action from others."""
        return (self.verb, self.given.key, *self[2:])


class End(NamedTuple):
    """How a leg ended: `returned`, `raised` or `crashed`, with what, and when."""

    how: str
    value: Any
    key: Key
    at: float


class Leg(NamedTuple):
    """A tape that is complete, as plain data: how the leg began, each action with what came of it,
    the end, and whether its answer is awaited."""

    start: tuple[Any, ...]
    steps: list[tuple[Step, Seen]]
    end: End | None
    awaits: bool


class Book:
    """What the legs of one run share: `trail` is all that was seen in them, in order; `drawn` says
    where randomness stands, `shared` is what the agent has in common with its tools."""

    def __init__(self, drawn: Callable[[], object], shared: Shared) -> None:
        self.drawn = drawn
        self.shared = shared
        self.begin()

    def begin(self) -> None:
        """A run begins."""
        self.trail: list[Seen] = []
        self.tapes: list[Tape] = []
        self.crossings = 0
        self.laid = frozenset[str]()

    def start(self, world: World, seen: Key) -> tuple[Any, ...]:
        """What an agent can know when a leg begins: what it could have `seen`, too."""
        told = (world.leg, world.why, world.task, world.trigger_id, world.decision)
        return (*told, world.clock.now, seen, tuple(self.trail))

    def entropy(self, gateway: LocalGateway) -> tuple[Any, ...]:
        """Where randomness stands, and the clocks that count their looks."""
        return (self.drawn(), gateway.clock.wall)


class Tape:
    """The tape of one leg."""

    def __init__(self, book: Book, world: World, gateway: LocalGateway) -> None:
        self.steps: list[tuple[Step, Seen]] = []
        self.end: End | None = None
        self.awaits = False
        self.bad = ""
        self._book = book
        self._gateway = gateway
        self._thread = get_ident()
        self._open = 0
        self._given: list[tuple[Any, Key]] = []  # replies, and what they were
        if not book.tapes:
            book.laid = laid(world)
        self._lies = vars(world)
        self._sight = Sight(world, book.shared)
        self.start = book.start(world, self.keyed(b"", self._sight.seen))
        self._left = self.keyed(self._lies["state"])
        if any(outer._open for outer in book.tapes):  # a leg within a call of theirs
            book.crossings = gateway.calls.crossings
        book.tapes.append(self)

    @property
    def leg(self) -> Leg:
        """What there is to learn."""
        return Leg(self.start, self.steps, self.end, self.awaits)

    @property
    def laid(self) -> frozenset[str]:
        """The names of what the scenario has laid on its world."""
        return self._book.laid

    def fail(self, why: str) -> None:
        """This is not learnt: the first reason counts."""
        self.bad = self.bad or why

    def keyed(self, value: Any, key: Callable[[Any], Key] = key_of) -> Key:
        """What tells a value from others; where nothing does, this is not learnt."""
        if self.bad:
            return b""
        try:
            return key(value)
        except Uncopied:
            self.fail(UNTOLD)
            return b""

    def _look_at_state(self) -> None:
        """What the tools share is as they have left it, or the agent has had its hand in."""
        if self._left != self.keyed(self._lies["state"]) or not self._sight.same:
            self.fail(STATE)

    def looks(self, name: str) -> None:
        """The agent looks at what lies on its world under this name."""
        if self.end is not None:
            return
        if name in self._sight.names:
            self._look_at_state()
            return
        action = self.begins(LOOK, (name,), draws=False)
        self._sight.names.append(name)
        self.over(action, self.keyed(None))

    def begins(self, verb: str, given: tuple[Any, ...], *, draws: bool = True) -> "Action":
        """An action begins; `draws` says that it may use entropy."""
        gateway, gate = self._gateway, self._gateway.clock.gate
        if self._open:
            self.fail(OVERLAP)
        if self.end is not None and self.end.how != "crashed":
            self.fail(AFTERWARDS)
        if gateway.clock.partners or gateway.calls.crossings != self._book.crossings:
            self.fail(ANOTHER_WAY)
        if get_ident() != self._thread and not (gate is not None and gate.holds()):
            self.fail(THREADS)
        self._look_at_state()
        self._open += 1
        return Action(self, verb, given, draws)

    def over(self, action: "Action", what: Key, value: Any = None) -> None:
        """An action has come to its end."""
        self._open -= 1
        self._left = self.keyed(self._lies["state"])
        self._book.crossings = self._gateway.calls.crossings
        if self.bad or action.step is None or self.end is not None:
            return
        if action.entropy is not None and self._book.entropy(self._gateway) != action.entropy:
            self.fail(DRAWS)
        given = action.step.verb in ("call", "acall") and value is not None
        if type(value) in (dict, list, set) or (given and type(what) is tuple):
            self._given.append((value, what))
        turned = action.turned or preempted(self._gateway, action.events)
        if not turned and waiting(self._gateway) > action.waiting:
            self.fail(LEAVES)  # whether others are ready at the next action is no doing of its own
        what = self.keyed(what, self._sight.seen)
        seen = Seen(what, self._gateway.clock.now, turned)
        self.steps.append((action.step, seen))
        self._book.trail.append(seen)

    def died(self, action: "Action") -> None:
        """The process is dead: nothing that it still tries is anything."""
        self._open -= 1
        self._book.crossings = self._gateway.calls.crossings
        if self.end is None and action.step is not None:
            now = self._gateway.clock.now
            self.steps.append((action.step, Seen(b"", now, False)))
            self.end = End("crashed", None, b"", now)

    def ended(self, how: str, value: Any) -> None:
        """The agent has answered, or raised."""
        if self.end is not None:
            return
        if self._open:
            self.fail(OVERLAP)
        if self._gateway.calls.crossings != self._book.crossings:
            self.fail(ANOTHER_WAY)
        if any(self.keyed(one) != was for one, was in self._given):
            self.fail(CHANGES)
        self._given.clear()
        self._look_at_state()
        if how == "raised":
            try:
                value, key = last_words(value)
            except Uncopied:
                self.fail(UNCOPIED)
                value, key = None, b""
        else:
            key = self.keyed(value)
        self.end = End(how, value, key, self._gateway.clock.now)


class Action:
    """An action that is under way. `turned` says that others had their turn meanwhile, `waiting`
    how many had not when it began."""

    def __init__(self, tape: Tape, verb: str, given: tuple[Any, ...], draws: bool) -> None:
        gateway = tape._gateway
        self.tape = tape
        self.turned = False
        self.step: Step | None = None
        self.entropy = tape._book.entropy(gateway) if draws else None
        self.events = len(gateway.log)
        self.waiting = waiting(gateway)
        try:
            ready, gated = gateway.calls.others_ready(), gateway.clock.gate is not None
            self.step = Step(verb, Packed(given), gateway.clock.now, ready, gated)
        except Uncopied:
            tape.fail(UNCOPIED)

    def got(self, value: Any) -> Any:
        """What the agent sees of it."""
        self.tape.over(self, self.tape.keyed(value), value)
        return value

    def raised(self, error: BaseException) -> None:
        """The same of an error."""
        if isinstance(error, Crash):
            self.tape.died(self)
            return
        if not visible(error):
            self.tape.fail(DEADLINE)
        self.tape.over(self, self.tape.keyed(error, key_of_error))


def visible(error: BaseException) -> bool:
    """Whether an action has come to this error by itself."""
    return isinstance(error, Exception) or (isinstance(error, CutOff) and error.why == "budget")


def waiting(gateway: LocalGateway) -> int:
    """How much else could go on now."""
    loop = asyncio._get_running_loop()
    if loop is None:
        return int(gateway.calls.others_ready())
    return len(getattr(loop, "_ready", ()))


def preempted(gateway: LocalGateway, since: int) -> bool:
    """Whether a plan has let others go first since so many events."""
    log = gateway.log[since:]
    if Struck not in map(type, log):
        return False
    return any(type(one) is Struck and one.slot.boundary == "schedule" for one in log)


def unfinished(tape: Tape) -> str:
    """Why a tape is not learnt, or an empty text."""
    if tape.bad:
        return tape.bad
    if tape.end is None:
        return NEVER_ENDED
    if not tape.awaits and any(step.verb == "acall" for step, _ in tape.steps):
        return LOOPS
    return ""
