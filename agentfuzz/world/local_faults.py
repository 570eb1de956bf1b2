"""What a tool does that is a function of the agent's own process, when a fault strikes it.

Law: it raises, hangs or returns; its caller gets what the function gives, whole and once, and what
it has not done when its caller stops waiting is not done. Called by a call that a fault of the
boundary `local` struck.

A hang has an end, after 30 virtual seconds, and then the function returns: a loop without deadline
of its own waits, and is not accused of it. `world.raise_as(timeout="hang")` takes the end away.
"""

from typing import Any

from agentfuzz.core.faults import Fault
from agentfuzz.runtime.clock import FOREVER
from agentfuzz.world.backend import Request
from agentfuzz.world.delivery import Delivery, Sleep, Steps
from agentfuzz.world.reply_faults import TIMEOUT


def misbehaving(calls: Delivery, request: Request, fault: Fault) -> Steps:
    """The call under a fault: what its caller gets, or the error that it gets."""
    kind, moment = fault.axes
    reply = (yield from calls.served(request)) if moment == "after" else None
    if kind == "raises":
        return calls.failed(request, kind, "unknown" if reply else "failed")
    try:
        yield Sleep(FOREVER if calls.failures.get("timeout") == "hang" else TIMEOUT)
    except BaseException as given_up:
        calls.gave_up(request.call, given_up)
        raise
    answer: Any = reply or (yield from calls.served(request))
    return calls.answer(request.call, answer)
