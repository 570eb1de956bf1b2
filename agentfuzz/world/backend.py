"""The simulated backend: where a delivery arrives, is recognised or carried out, and committed.

Law: what is in the ledger happened, what is not did not, and the tool's body ran exactly as
often as the backend did not recognise a repeat. Called by the world for every delivery.

Deduplication follows the tool's declaration: `none`; `scope`, where the business scope itself is
unique; or `key`, with the rules of Stripe's API v1: the first result of a key is kept, errors
included, and replayed to repeats; the key with other parameters is an error; a key in use by a
running request is a conflict; keys expire (24 virtual hours); a refused request keeps nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agentfuzz.core.codec import dump, message, plain
from agentfuzz.core.errors import CutOff, KeyConflict, KeyReused
from agentfuzz.core.events import (
    Committed,
    Delivered,
    Intent,
    Json,
    Refused,
    Replayed,
    made,
)
from agentfuzz.world.effects import says_no
from agentfuzz.world.log import Log
from agentfuzz.world.reply_faults import Reply, as_text
from agentfuzz.world.tools import KEY, ToolSpec

KEY_TTL = 24 * 3600.0  # virtual seconds


class Request(NamedTuple):
    """One call as the backend sees it."""

    call: str
    spec: ToolSpec
    args: Mapping[str, Json]  # a snapshot, for the ledger
    bound: Mapping[str, object]  # validated, for the body
    key: str | None
    intent: Intent | None


class Stored(NamedTuple):
    """What the backend remembers under a key or scope. `reply` None: still running."""

    params: str
    at: float
    reply: Reply | None
    effect_id: str


RUNNING = Stored("", 0.0, None, "")  # where the scope is the record


class Backend:
    """One run's backend: its dedup records and its part of the history."""

    __slots__ = ("_clock", "_log", "_seen", "effects", "last", "stored")

    def __init__(self, log: Log) -> None:
        self._log = log
        self._clock = log.clock
        self.stored: dict[object, Stored] = {}
        self.effects: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self.last: dict[str, object] = {}  # each tool's last honest reply

    def arrive(self, request: Request) -> tuple[int, Reply | None]:
        """A delivery arrives. Returns its number for this call, and the reply if the backend
        recognised a repeat or refuses; None: run the body, then `settle`."""
        nth = self._seen.get(request.call, 0) + 1
        self._seen[request.call] = nth
        self._log.delivered(request.call, nth)
        spec = request.spec
        if spec.dedup == "none" or (spec.dedup == "key" and request.key is None):
            return nth, None
        known = self._recognise(request, nth, self._record(request))
        return nth, known if type(known) is Reply else None

    def carry_out(self, request: Request, body: Callable[..., Any]) -> Reply:
        """A delivery from its arrival to its answer, when nothing is awaited."""
        call, spec, _, bound, key, intent = request
        seen, log = self._seen, self._log
        nth = seen[call] = seen.get(call, 0) + 1
        log.append(made(Delivered, (len(log), self._clock.now, call, nth)))
        place = stored = None
        if spec.recognises and not (spec.keyed and key is None):
            place = (spec.name, key) if spec.keyed else intent
            stored = self._recognise(request, nth, place)
            if type(stored) is Reply:
                return stored
        try:
            value = body(**(spec.for_body(bound) if spec.strips else bound))
        except CutOff:
            raise
        except BaseException as error:
            return self.settle(request, nth, None, error)
        if intent is None:
            effect_id = ""
        elif says_no(value, bound):
            return self.settle(request, nth, value, None)
        else:
            effect_id = self._committed(spec.name, intent, request, nth)
        reply: Reply = made(Reply, ("applied", value, None, True))
        self.last[spec.name] = value
        if stored is not None and self.stored.get(place) is stored:
            self.stored[place] = made(Stored, (stored.params, stored.at, reply, effect_id))
        return reply

    def _record(self, request: Request) -> object:
        spec = request.spec
        return (spec.name, request.key) if spec.keyed else request.intent

    def _recognise(self, request: Request, nth: int, place: object) -> "Reply | Stored":
        """The reply to a repeat, or what says that the reply to this one will be kept."""
        stored = self.stored.get(place)
        now = self._clock.now
        keyed = request[1].keyed
        if stored is not None and keyed and now - stored.at > KEY_TTL:
            stored = None
        params = dump({k: v for k, v in request.args.items() if k != KEY}) if keyed else ""
        if stored is None:
            found: Stored = made(Stored, (params, now, None, ""))
            self.stored[place] = found
            return found
        if keyed and stored.params != params:
            text = f"{request.spec.name}: key {request.key!r} was used with other parameters"
            return self._refuse(request, "key_reused", KeyReused(text))
        if stored.reply is None:
            text = f"{request.spec.name}: a request with key {request.key!r} is still running"
            return self._refuse(request, "key_conflict", KeyConflict(text))
        if stored.effect_id:
            self._log.write(Replayed, stored.effect_id, request.call, nth)
        return stored.reply._replace(outcome="replayed") if stored.effect_id else stored.reply

    def drop(self, request: Request) -> None:
        """The request was given up before its body had run to the end: forget its key."""
        stored = self.stored.get(self._record(request))
        if stored is not None and stored.reply is None:
            del self.stored[self._record(request)]

    def _refuse(self, request: Request, kind: str, error: BaseException) -> Reply:
        self._log.write(Refused, request.call, kind, message(error))
        return Reply("failed", error=error)

    def settle(
        self, request: Request, nth: int, value: object, error: BaseException | None
    ) -> Reply:
        """The body has run: commit its effect, or note that it failed without one."""
        spec = request.spec
        effect_id = ""
        if isinstance(error, KeyboardInterrupt):  # a command that it waited for has done its work
            if request.intent is not None:
                effect_id = self._committed(spec.name, request.intent, request, nth)
            reply = Reply("unknown", error=error)
        elif error is not None:
            reply = self._raised(request, error)
        elif request.intent is not None and self._denied(request, value):
            reply = Reply("failed", value)
        else:
            if request.intent is not None:
                effect_id = self._committed(spec.name, request.intent, request, nth)
            reply = made(Reply, ("applied", value, None, True))
            self.last[spec.name] = value
        if spec.dedup != "none":
            place = self._record(request)
            stored = self.stored.get(place)
            if stored is not None and stored.reply is None:
                if reply.outcome == "failed" and spec.dedup == "scope":
                    del self.stored[place]  # nothing happened in this scope
                else:
                    self.stored[place] = stored._replace(reply=reply, effect_id=effect_id)
        return reply

    def _raised(self, request: Request, error: BaseException) -> Reply:
        detail = f"{type(error).__name__}: {message(error)}"[:500]
        self._log.write(Refused, request.call, "tool_raised", detail)
        return Reply("failed", error=error)

    def _denied(self, request: Request, value: object) -> bool:
        """Whether an answer stands for no effect; written down if so."""
        if not says_no(value, request.bound):
            return False
        self._log.write(Refused, request.call, "answered_no", plain(as_text(value)[:500]))
        return True

    def over(self) -> None:
        """The run is over."""

    def _committed(self, tool: str, intent: Intent, request: Request, nth: int) -> str:
        effect, effects = intent[0], self.effects
        number = effects[effect] = effects.get(effect, 0) + 1
        effect_id, log = f"{effect}-{number}", self._log
        call, _, args, _, key, _ = request
        at = (len(log), self._clock.now, effect_id, call, nth, tool, intent, key, args)
        log.append(made(Committed, at))
        return effect_id
