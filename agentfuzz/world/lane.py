"""The lane: what the life of a call comes to when nothing can come in between.

Law: a sync agent without threads, whose process is left alone, gets and leaves behind what it
would on the general way (`Calls`), event for event. What was found plain once (the arguments
of a call, by their types and values) is known to be plain. Owned by the world in the place of
`Calls`; where anything is out of the ordinary it goes the general way.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz.core.codec import plain
from agentfuzz.core.events import Called, Replied, made
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.backend import Request
from agentfuzz.world.calls import CALL_IDS, Calls
from agentfuzz.world.delivery import hung
from agentfuzz.world.local_faults import misbehaving
from agentfuzz.world.reply_faults import MISSING, TIMEOUT
from agentfuzz.world.tools import KEY


class Lane(Calls):
    """The calls of one run, each by the quickest way that it can go."""

    def call(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as a sync agent does. `asked` is the model's id for the call."""
        spec, process = self.specs.get(name), self.process
        if (
            spec is None
            or spec.is_async
            or self._reserved
            or self.trace
            or self.log.named
            or process.asks
            or self.clock.gate is not None
            or process.double is not None
        ):
            return Calls.call(self, name, arguments, asked)
        kinds = spec.known.get((*map(type, arguments.values()),))
        intent = None if kinds is None else kinds.get((*arguments.items(),))
        if intent is None:
            intent = spec.learnt(arguments)
            if intent is None:
                return Calls.call(self, name, arguments, asked)
        # A call is made.
        self.crossings += 1
        if self.crossings > self.budget:
            self.crossings -= 1
            self.crossing()
        nth = self._nth[name] = self._nth.get(name, 0) + 1
        slots = spec.slots
        slot = slots[nth] if nth < len(slots) else spec.slot(nth)
        self._calls += 1
        call = CALL_IDS[self._calls]
        args = dict(arguments)
        key = args.get(KEY) if spec.keyed else None
        if intent is True:
            intent = None
        log = self.log
        seq = len(log)
        log.append(made(Called, (seq, self.clock.now, call, slot, args, key, intent, None, asked)))
        # It is struck, or carried out.
        place = slot if spec.remote else spec.place(slot)
        fault = self._injector.at(place, seq, spec.group)
        request: Request = made(Request, (call, spec, args, arguments, key, intent))
        if fault is not None:
            return self._struck_at_once(request, place, fault)
        reply = self._backend.carry_out(request, self.functions[name])
        outcome, value, error, complete = reply
        if error is not None:
            return self.answer(call, reply)
        body = plain(value)
        at = (len(log), self.clock.now, call, outcome, complete, body, None)
        log.append(made(Replied, at))
        return value

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
