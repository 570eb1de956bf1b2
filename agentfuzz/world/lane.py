"""The lane: what the life of a call comes to when nothing can come in between.

Law: a sync agent without threads, whose process is left alone, gets and leaves behind what it
would on the general way (`Calls`), event for event. What goes as usual is written down as it was
the last time; a call that parts from that takes the general way from there on. Owned by the world
in the place of `Calls`; where anything is out of the ordinary it goes the general way from the
beginning.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz.core.errors import CutOff
from agentfuzz.core.events import made
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.backend import RUNNING, Request, Stored
from agentfuzz.world.calls import CALL_IDS, Calls
from agentfuzz.world.delivery import hung
from agentfuzz.world.effects import FIELDS, says_no
from agentfuzz.world.local_faults import misbehaving
from agentfuzz.world.reply_faults import MISSING, TIMEOUT, Reply
from agentfuzz.world.tools import ToolSpec
from agentfuzz.world.usual import Usual

_silent = FIELDS.isdisjoint


class Lane(Calls):
    """The calls of one run, each by the quickest way that it can go."""

    def call(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as a sync agent does. `asked` is the model's id for the call."""
        spec, log, clock = self.specs.get(name), self.log, self.clock
        if (
            spec is None
            or not self.straight
            or spec.is_async
            or self._reserved
            or log.named
            or clock.gate is not None
            or self.process.double is not None
            or type(arguments) is not dict
        ):
            return Calls.call(self, name, arguments, asked)
        nth, number = self._nth.get(name, 0) + 1, self._calls + 1
        seq, now, call = len(log), clock.now, CALL_IDS[number]
        usual = spec.usual.get((nth, seq, now, call, asked))
        if (
            usual is None
            or [*map(type, arguments), *map(type, arguments.values()), *arguments] != usual.kinds
            or arguments != usual.called[4]
        ):
            usual = spec.learnt((nth, seq, now, call, asked), arguments)
            if usual is None:
                return Calls.call(self, name, arguments, asked)
        # A call is made.
        crossings = self.crossings + 1
        if crossings > self.budget:
            self.crossing()
        self.crossings = crossings
        self._nth[name], self._calls = nth, number
        log.append(usual.called)
        # It is struck, recognised, or carried out.
        strikes, backend, intent = self._strikes, self._backend, usual.intent
        if strikes is None:
            fault = self._injector.at(usual.place, seq, spec.group)
        else:
            self._crossed(usual.crossing)
            fault = strikes(usual.place)
        if fault is not None:
            return self._struck_at_once(_request(usual, spec, arguments), usual.place, fault)
        if spec.recognises:
            if spec.keyed or intent in backend.stored:
                return self.answer(call, self._deliver(_request(usual, spec, arguments)))
            backend.stored[intent] = RUNNING
        log.append(usual.delivered)
        try:
            value = self.functions[name](**arguments)
        except CutOff:
            raise
        except BaseException as error:
            return self._settled(_request(usual, spec, arguments), None, error)
        # It has come to its end.
        seq += 2
        steady = len(log) == seq and clock.now == now
        if not steady:
            seq, now = len(log), clock.now
        if intent is not None:
            if not (type(value) is dict and _silent(value)) and says_no(value, arguments):
                return self._settled(_request(usual, spec, arguments), value, None)
            effect, effects = intent[0], backend.effects
            number = effects[effect] = effects.get(effect, 0) + 1
            committed = usual.committed
            if not steady or number != usual.number:
                committed = usual.commits(number, seq, now, steady=steady)
            log.append(committed)
            seq += 1
            if spec.recognises:
                reply = made(Reply, ("applied", value, None, True))
                backend.stored[intent] = made(Stored, ("", 0.0, reply, committed[2]))
        backend.last[name] = value
        shape = usual.shape
        if (
            steady
            and shape is not None
            and type(value) is dict
            and [*map(type, value), *map(type, value.values()), *value] == shape
            and value == usual.replied[5]
        ):
            log.append(usual.replied)
        else:
            log.append(usual.replies(value, seq, now, steady=steady))
        return value

    def _settled(self, request: Request, value: object, error: BaseException | None) -> Any:
        """The body has run, and there is no effect."""
        try:
            return self.answer(request.call, self._backend.settle(request, 1, value, error))
        finally:
            del error

    def _struck_at_once(self, request: Request, place: Slot, fault: Fault) -> Any:
        spec, (delivery, kind) = request[1], fault.axes
        last = self._note_struck(request, place, fault)
        if not spec.remote:
            return self._by_hand(misbehaving(self, request, fault), spec.name, self.process.life)
        if delivery == "once":
            reply = self._deliver(request)
        elif delivery == "twice":
            reply = self._deliver(request)
            self._deliver(request)
        else:
            reply = self._phantom(request, last, delivery, fault)
        if kind not in MISSING:
            return self._damaged(request, reply, fault, last)
        if kind == "timeout":
            if self.failures.get(kind) == "hang":
                raise hung(spec.name)
            self.clock.advance(TIMEOUT)
        return self.failed(request, kind)


def _request(usual: Usual, spec: ToolSpec, arguments: Mapping[str, Any]) -> Request:
    """A call as the backend sees it."""
    called = usual.called
    request: Request = made(Request, (called[2], spec, called[4], arguments, called[5], called[6]))
    return request
