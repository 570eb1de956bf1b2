"""The user's own backend: effects that a scenario reads off, instead of those that are supposed.

Law: of a tool with `observe=`, what is in the ledger are the rows that appeared since the run
began, whatever its body returned or raised, and no repeat is recognised but by that body; of one
with `effect_if=`, its answer decides. Takes the place of the backend in worlds that declare such a
tool, and in no other.

The rows are read before the first delivery of a run, after each one, and at the end. A function of
the user's that fails ends the run, even where the agent has swallowed its error.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from agentfuzz.core.codec import message, plain
from agentfuzz.core.errors import CutOff, ScenarioError
from agentfuzz.core.events import Intent, Refused, Replayed
from agentfuzz.world.backend import Backend, Request
from agentfuzz.world.declaration import Hooks, at_once, misused
from agentfuzz.world.effects import says_no
from agentfuzz.world.log import Log
from agentfuzz.world.reply_faults import Reply, as_text
from agentfuzz.world.rows import Row, Rows, Scope, intent_of
from agentfuzz.world.tools import ToolSpec


class _Arrival(NamedTuple):
    """One delivery of a call."""

    request: Request
    nth: int


class OwnBackend(Backend):
    """The backend of a world in which some tools have `effect_if=` or `observe=`."""

    __slots__ = ("_arrived", "_credited", "_decides", "_open", "_rows", "_stands", "_trouble")

    def __init__(self, log: Log) -> None:
        super().__init__(log)
        self._decides: dict[str, Callable[[Any], object]] = {}
        self._rows: dict[str, Rows] = {}
        self._arrived: list[_Arrival] = []
        self._open: list[_Arrival] = []  # those whose bodies are running
        self._credited: set[tuple[str, int]] = set()  # those that a row was put down to
        self._stands: dict[Intent, tuple[str, Scope]] = {}  # the effect of a row, and where it is
        self._trouble: ScenarioError | None = None

    def ask(self, spec: ToolSpec, hooks: Hooks) -> None:
        """Let a tool's own functions say what it did. Raises ScenarioError where they cannot."""
        place = f"tool {spec.name!r}"
        given = [name for name in ("effect_if", "observe") if getattr(hooks, name) is not None]
        if spec.effect is None:
            raise ScenarioError(
                f"{place} declares {' and '.join(given)} but no effect. Say "
                "@world.tool(effect='...')."
            )
        if len(given) > 1:
            raise ScenarioError(
                f"{place}: observe= sees what happened, and effect_if= guesses it from the answer; "
                "give one of them."
            )
        if hooks.effect_if is not None:
            self._decides[spec.name] = hooks.effect_if
        elif hooks.observe is not None:
            self._rows[spec.name] = Rows(spec, hooks.observe)

    # Deliveries ---------------------------------------------------------------------------

    def arrive(self, request: Request) -> tuple[int, Reply | None]:
        if self._trouble is not None:
            raise self._trouble
        if not self._arrived:
            for rows in self._rows.values():
                self._new(rows)
        if request.spec.name in self._rows:  # to recognise a repeat is for its body
            nth = self._seen[request.call] = self._seen.get(request.call, 0) + 1
            self._log.delivered(request.call, nth)
            known = None
        else:
            nth, known = super().arrive(request)
        self._arrived.append(_Arrival(request, nth))
        if known is None:
            self._open.append(self._arrived[-1])
        return nth, known

    def carry_out(self, request: Request, body: Callable[..., Any]) -> Reply:
        nth, known = self.arrive(request)
        if known is not None:
            return known
        try:
            value = body(**request.spec.for_body(request.bound))
        except CutOff:
            raise
        except BaseException as error:
            return self.settle(request, nth, None, error)
        return self.settle(request, nth, value, None)

    def settle(
        self, request: Request, nth: int, value: object, error: BaseException | None
    ) -> Reply:
        arrival = _Arrival(request, nth)
        seen = self._look(arrival)
        self._open = [one for one in self._open if not _same(one, arrival)]
        if request.spec.name not in self._rows:
            return super().settle(request, nth, value, error)
        if seen:
            doubtful = error is not None or says_no(value, request.bound)
            if not doubtful:
                self.last[request.spec.name] = value
            return Reply("unknown" if doubtful else "applied", value, error)
        if error is not None:
            return self._raised(request, error)
        if super()._denied(request, value):
            return Reply("failed", value)
        return self._nothing_new(request, nth, value)

    def drop(self, request: Request) -> None:
        self._open = [one for one in self._open if one.request.call != request.call]
        super().drop(request)

    def over(self) -> None:
        if self._arrived and self._trouble is None:
            self._look(None)
        if self._trouble is not None:
            raise self._trouble  # whatever the agent has made of it

    # What the user's functions say --------------------------------------------------------

    def _denied(self, request: Request, value: object) -> bool:
        decides = self._decides.get(request.spec.name)
        if decides is None:
            return super()._denied(request, value)
        try:
            if at_once(decides(value)):
                return False
        except Exception as error:
            self._trouble = misused(
                "effect_if",
                request.spec.name,
                decides,
                f"failed on the answer {as_text(value)[:80]}: "
                f"{type(error).__name__}: {message(error)}",
                "It gets what the tool's body returned, and says whether the effect took place.",
            )
            raise self._trouble from error
        self._log.write(Refused, request.call, "effect_if", plain(as_text(value)[:500]))
        return True

    def _new(self, rows: Rows) -> list[Row]:
        try:
            return rows.new()
        except ScenarioError as error:
            self._trouble = error
            raise

    def _look(self, now: _Arrival | None) -> bool:
        """Put down every row that has appeared. Whether one of them is this delivery's."""
        mine = False
        for rows in self._rows.values():
            for row in self._new(rows):
                arrival, intent = self._owner(rows.spec, row, now)
                effect_id = self._committed(rows.spec.name, intent, arrival.request, arrival.nth)
                self._credited.add((arrival.request.call, arrival.nth))
                self._stands[intent] = (effect_id, row.scope)
                mine = mine or (now is not None and _same(arrival, now))
        return mine

    def _owner(self, spec: ToolSpec, row: Row, now: _Arrival | None) -> tuple[_Arrival, Intent]:
        """The delivery that a row is put down to, and the intent that it stands for: one that
        means it and has none yet, or the last that means it, or the last of all."""
        fallback = None
        for one in self._candidates(now):
            request = one.request
            if request.spec.name == spec.name and row.fits(spec, request.bound):
                assert request.intent is not None, "who observes declares an effect"
                if (request.call, one.nth) not in self._credited:
                    return one, request.intent
                fallback = fallback or (one, request.intent)
        intent = intent_of(row, spec)
        same_tool = (one for one in self._candidates(now) if one.request.spec.name == spec.name)
        return fallback or (next(same_tool, None) or now or self._arrived[-1], intent)

    def _candidates(self, now: _Arrival | None) -> Iterator[_Arrival]:
        if now is not None:
            yield now
        yield from self._open
        yield from reversed(self._arrived)

    def _nothing_new(self, request: Request, nth: int, value: object) -> Reply:
        """The body has answered, and no row has come: a repeat that it recognised, or nothing."""
        assert request.intent is not None, "who observes declares an effect"
        effect_id, scope = self._stands.get(request.intent, ("", ()))
        rows = self._rows[request.spec.name]
        if effect_id and rows.count(scope):
            self._log.write(Replayed, effect_id, request.call, nth)
            return Reply("replayed", value)
        there = rows.count(request.intent.scope)
        why = "observe= sees no new row" + "; one was there before the run began" * bool(there)
        self._log.write(Refused, request.call, "no_new_row", why)
        return Reply("failed", value)


def _same(one: _Arrival, other: _Arrival) -> bool:
    return one.nth == other.nth and one.request.call == other.request.call
