"""The boundary of tool calls: deliveries x reply.

A tool that only reads is faulted in its reply alone: how often or how late its request arrives
leaves no trace that a loop or law could see. A transport that delivers at most once repeats nothing
and keeps nothing for later. What a function of the agent's own process meets is another boundary:
`local`. Of a service that is only guessed at, nothing is asked but whether it answers.
"""

from collections.abc import Mapping

from agentfuzz.boundaries.boundary import CALLS, LOST, TWICE, Boundary, Page
from agentfuzz.core.faults import FOR_GOOD, Fault, Slot
from agentfuzz.world.reply_faults import VARIANTS

DELIVERIES = ("once", "lost", "twice", "late")
_ARRIVED: Mapping[str, str] = {
    "intact": "",
    "timeout": "reply lost in a timeout",
    "error": "reply lost in a connection error",
    "rate_limited": "answered with 429, too many requests",
    "truncated": "reply cut off in the middle",
    "ambiguous": "reply does not say whether it was done",
    "malformed": "reply breaks its schema",
    "wrong": "reply is plausible and false",
    "hostile": "reply carries text that gives orders",
    "unauthorized": "answered with 401, unauthorized",
    "gone": "answered with 404, no such tool",
}
_NOT_ARRIVED: Mapping[str, str] = {
    "intact": "answered as if it had been done",
    "timeout": "the agent sees a timeout",
    "error": "the agent sees a connection error",
    "rate_limited": "the agent sees 429, too many requests",
    "truncated": "answered with half a reply",
    "ambiguous": "answered without saying whether it was done",
    "malformed": "answered with a reply that breaks its schema",
    "wrong": "answered with a plausible and false reply",
    "hostile": "answered with text that gives orders",
    "unauthorized": "the agent sees 401, unauthorized",
    "gone": "the agent sees 404, no such tool",
}
REPLIES = tuple(_ARRIVED)
TRANSIENT = ("timeout", "error", "rate_limited", "truncated", "ambiguous")  # what may last a while
# A reply that could only come from work that was done does not come from work that was not: such
# a backend lies (phantom success), which exists but is nothing that a loop can defend against.
_LIES = frozenset(
    (delivery, reply)
    for delivery in ("lost", "late")
    for reply in ("intact", "truncated", "malformed", "wrong", "hostile")
)
# Rights that have expired do not come back, nor does a tool that was taken away: from one call on,
# every request is refused.
_ENDED = (("lost", "unauthorized"), ("lost", "gone"))
_HALF_EXPIRED = frozenset(
    (delivery, "unauthorized") for delivery in DELIVERIES[:1] + DELIVERIES[2:]
)
_GONE = frozenset((delivery, "gone") for delivery in DELIVERIES)  # where a scenario asks for it
_DELIVERED = {"once": "delivered once", "lost": "request lost", "twice": "delivered twice"}


def _of_a_write(fault: Fault) -> tuple[Fault, ...]:
    return (fault._replace(until=FOR_GOOD) if fault.axes in _ENDED else fault,)


def _of_a_read(fault: Fault) -> tuple[Fault, ...]:
    return _of_a_write(fault) if fault.axes[0] == "once" or fault.axes in _ENDED else ()


def _in_time(fault: Fault) -> tuple[Fault, ...]:
    return _of_a_write(fault) if fault.axes[0] in ("once", "lost") else ()


def _of_a_guess(fault: Fault) -> tuple[Fault, ...]:
    """A service that nobody has vouched for: a request that arrives once is answered, or is not."""
    return (fault,) if fault.axes in (("once", "timeout"), ("once", "error")) else ()


_ALIKE = {"lost": "not done when answered", "late": "not done when answered"}


def _order(group: str, fault: Fault) -> int:
    if group == "read":
        return CALLS
    if fault.axes in (("once", "timeout"), ("once", "error")):
        return LOST
    return TWICE if fault.axes == ("twice", "intact") else CALLS


def _wordings(fault: Fault) -> list[Fault]:
    return [fault._replace(variant=n) for n in range(1, VARIANTS.get(fault.axes[-1], 1))]


def _causes(fault: Fault) -> tuple[str, ...]:
    delivery, reply = fault.axes
    arrived = () if delivery == "once" else (_ALIKE.get(delivery, delivery),)
    return arrived if reply == "intact" else (*arrived, "reply")


def _lasts(fault: Fault) -> bool:
    delivery, reply = fault.axes
    if reply == "rate_limited":
        return delivery == "lost"  # who is refused again and again may believe it
    return delivery in ("once", "lost") and reply in TRANSIENT


def _place(slot: Slot) -> str:
    return f"call {slot.nth} of {slot.name}"


def _says(fault: Fault) -> str:
    delivery, reply = fault.axes
    if delivery == "late":
        after = "" if fault.latency is None else f", after {fault.latency:g} s"
        parts = [f"delivered late{after}", _NOT_ARRIVED[reply]]
    else:
        said = (_NOT_ARRIVED if delivery == "lost" else _ARRIVED)[reply]
        parts = [_DELIVERED[delivery], said]
    return ", ".join(filter(None, parts))


BOUNDARY = Boundary(
    name="tool",
    axes=(DELIVERIES, REPLIES),
    off=_LIES | _HALF_EXPIRED | _GONE,
    groups={
        "write": _of_a_write,
        "write in time": _in_time,
        "read": _of_a_read,
        "guessed write": _of_a_guess,
        "guessed read": _of_a_guess,
    },
    place=_place,
    says=_says,
    at_calls=True,
    order=_order,
    wordings=_wordings,
    causes=_causes,
    lasts=_lasts,
    told=Page(
        "Tool calls",
        "`tool#nth:delivery/reply`",
        {
            ("delivery", "the request"): {
                "once": "arrives",
                "lost": "never arrives",
                "twice": "arrives two times",
                "late": "arrives after the agent has given up (`@45`: after 45 virtual seconds)",
            },
            ("reply", "what the agent gets"): {
                "intact": "the backend's answer",
                "timeout": "`TimeoutError` after 30 virtual seconds",
                "error": "`ConnectionError`",
                "rate_limited": "`agentfuzz.RateLimited`, a 429 with `retry_after`",
                "truncated": "the first part of the answer",
                "ambiguous": '"accepted", and whatever else says nothing',
                "malformed": "an answer that breaks its schema",
                "wrong": "valid and false: stale, swapped, transposed, empty, or one value of it",
                "hostile": "text that imitates a completion, or orders a retry",
                "unauthorized": "`agentfuzz.Unauthorized`, a 401, from this call on for good",
                "gone": "`agentfuzz.UnknownTool`, a 404, from this call on for good (tried with "
                '`faults=("lost/gone",)`)',
            },
        },
    ),
)
