"""Where process faults strike: around a call, at a turn, at a save, at the end of a run.

Law: at most one fault strikes a crossing. Called by a crossing that no tool fault struck, and by
the engine when an agent has answered.
"""

import asyncio
from typing import Any

from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.backend import Request
from agentfuzz.world.delivery import STALL, Delivery, Preempted, Sleep, Steps
from agentfuzz.world.process import Process
from agentfuzz.world.process_faults import KINDS

STORE = "process save"


def fault_at(process: Process, slot: Slot, group: str) -> Fault | None:
    """The process fault that strikes here, if it can."""
    fault = process.injector.at(slot, len(process.log), group)
    if fault is None:
        return None
    kind = KINDS[fault.axes[0]]
    of_the_store = set(kind.at) == {STORE}  # what it does is done by the store
    return fault if kind.possible(process) and (group == STORE or not of_the_store) else None


def through(calls: Delivery, request: Request, slot: Slot) -> Steps:
    """The call, with what the plan does to the process around it."""
    process = calls.process
    where = Slot("process", slot.name, slot.nth)
    if process.double is not None and request.intent is not None:
        decision, process.double = process.double, None
        yield from _going(process.within("decision", decision))
    fault = fault_at(process, where, f"process {request.spec.group}") if process.asks else None
    if fault is None and process.doomed:
        yield from calls.served(request)
        process.crash(where)
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


def in_turn(calls: Delivery, request: Request, slot: Slot) -> Steps:
    """The call, when its task may be made to wait for the others."""
    process = calls.process
    fault = None
    if calls.others_ready():
        where = Slot("schedule", slot.name, slot.nth)
        fault = process.injector.at(where, len(process.log), "schedule")
    if fault is None:
        return calls.answer(request.call, (yield from calls.served(request)))
    process.struck(where, fault)
    early = fault.axes[1] == "before"
    if early:
        yield Preempted(STALL)
    reply = yield from calls.served(request)
    if not early:
        yield Preempted(STALL)
    return calls.answer(request.call, reply)


def _happens(calls: Delivery, request: Request, name: str, slot: Slot) -> Steps:
    kind = KINDS[name]
    yield from _going(kind.strikes(calls.process, slot))
    if kind.stops:
        try:
            yield Sleep(0.0)  # where a cancelled task learns of it
        except asyncio.CancelledError as error:
            calls.gave_up(request.call, error)
            raise


def _going(leg: Any) -> Steps:
    """Another leg, to its end, while this one waits; a sync one has come to it already."""
    if leg is not None:
        yield leg


def at_a_place(process: Process, slot: Slot, moment: str, fault: Fault | None) -> None:
    """What a fault does at a crossing that is no call (a turn, a save), at one of its moments."""
    if fault is not None and fault.axes[1] == moment:
        process.struck(slot, fault)
        KINDS[fault.axes[0]].strikes(process, slot)


def at_the_end(process: Process, *, restarts: bool) -> str | None:
    """What happens once the agent has answered: it dies before the answer is acknowledged, or its
    trigger is delivered again. The kind of the fault, or None."""
    slot = process.slot("end", "")
    fault = fault_at(process, slot, "process end")
    kind = None if fault is None else fault.axes[0]
    if process.doomed:
        kind, fault = "crash", None
    if kind is None or (kind == "crash" and not restarts):
        return None
    if fault is not None:
        process.struck(slot, fault)
    if kind == "crash":
        process.dies(slot)
    return kind
