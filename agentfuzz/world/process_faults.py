"""The moments of a call: before it, in flight, after it; and what may happen to the process then.

Law: at most one fault strikes a crossing. One that ends the process, or the task, leaves behind
exactly what the real thing would: before the call nothing, in flight a request that arrives later
on, after it an effect whose reply nobody read. Called by a crossing that no tool fault struck.
"""

import asyncio
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.process import Process

if TYPE_CHECKING:
    from agentfuzz.world.backend import Request
    from agentfuzz.world.calls import Calls

Steps = Generator[Any, Any, Any]
STALL = 0.001  # virtual seconds: whatever else is ready goes first


class Sleep(float):
    """Yielded by a crossing: virtual seconds pass before it goes on."""


class Preempted(Sleep):
    """Yielded by a crossing: everything else that can go on goes first."""


def through(calls: "Calls", request: "Request", slot: Slot, group: str) -> Steps:
    """The call, with what the plan does to the process around it."""
    process = calls.process
    where = Slot("process", slot.name, slot.nth)
    if process.double is not None and group == "write":
        decision, process.double = process.double, None
        yield from _within(process, "decision", decision)
    fault = process.fault(where, f"process {group}") if process.asks else None
    if fault is None:
        return (yield from in_turn(calls, request, slot))
    process.struck(where, fault)
    kind, moment = fault.axes
    if moment == "after":
        reply = yield from calls.served(request)
        yield from _happens(calls, request, kind, where)
        return calls.answer(request.call, reply)
    try:
        yield from _happens(calls, request, kind, where)
    except BaseException:
        if moment == "in_flight":
            calls.under_way(request)
        raise
    return calls.answer(request.call, (yield from calls.served(request)))


def in_turn(calls: "Calls", request: "Request", slot: Slot) -> Steps:
    """The call, when its task may be made to wait for the others."""
    where = Slot("schedule", slot.name, slot.nth)
    fault = calls.process.fault(where, "schedule") if calls.others_ready() else None
    if fault is None:
        return calls.answer(request.call, (yield from calls.served(request)))
    calls.process.struck(where, fault)
    early = fault.axes[1] == "before"
    if early:
        yield Preempted(STALL)
    reply = yield from calls.served(request)
    if not early:
        yield Preempted(STALL)
    return calls.answer(request.call, reply)


def _happens(calls: "Calls", request: "Request", kind: str, slot: Slot) -> Steps:
    process = calls.process
    if kind == "crash":
        process.crash(slot)
    elif kind == "clock_jump":
        process.jump()
    elif kind == "duplicate_trigger":
        yield from _within(process, "duplicate", None)
    else:
        process.cancel() if kind == "cancel" else process.interrupt()
        try:
            yield Sleep(0.0)  # where a cancelled task learns of it
        except asyncio.CancelledError as error:
            calls.gave_up(request.call, error)
            raise


def _within(process: Process, why: str, decision: Any) -> Steps:
    """Another leg, from its beginning to its end, while this one waits."""
    if process.begin_within is not None:
        going = process.begin_within(why, decision)
        if going is not None:
            yield going


def at_a_place(process: Process, slot: Slot, moment: str, fault: Fault | None) -> None:
    """What a fault does at a crossing that is no call (a turn, a save), at one of its moments."""
    if fault is None or fault.axes[1] != moment:
        return
    process.struck(slot, fault)
    kind = fault.axes[0]
    if kind == "crash":
        process.crash(slot)
    elif kind == "clock_jump":
        process.jump()
    elif kind == "cancel":
        process.cancel()
    elif kind == "interrupt":
        process.interrupt()
