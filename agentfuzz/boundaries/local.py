"""The boundary of tools that are functions of the agent's own process: what x when.

Such a function raises, hangs or returns. Nothing lies between it and its caller, so that nothing
is lost, doubled, late, cut off, malformed or answered with "accepted", and its text is its own.
"""

from agentfuzz.boundaries.boundary import CALLS, Boundary, Page, once
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.process_faults.kind import MOMENTS

_WORDS = {"raises": "raises", "hangs": "hangs for 30 s"}
_WHEN = {"before": "before it has done anything", "after": "after it has done its work"}


def _of_a_read(fault: Fault) -> tuple[Fault, ...]:
    return (fault,) if fault.axes[1] == "before" else ()


def _place(slot: Slot) -> str:
    return f"call {slot.nth} of {slot.name}"


def _says(fault: Fault) -> str:
    kind, moment = fault.axes
    return f"{_WORDS[kind]} {_WHEN[moment]}"


def _lasts(fault: Fault) -> bool:
    return True


def _order(group: str, fault: Fault) -> int:
    return CALLS


BOUNDARY = Boundary(
    name="local",
    axes=(("returns", *_WORDS), MOMENTS[:2]),
    led=True,
    # A function that raises has undone what it had begun: so it is for every body (`tool_raised`).
    off=frozenset({("raises", "after")}),
    groups={"local write": once, "local read": _of_a_read},
    place=_place,
    says=_says,
    at_calls=True,
    order=_order,
    lasts=_lasts,
    told=Page(
        'Tools of the agent\'s own process (`transport="local"`)',
        "`local:tool#nth:kind/moment`",
        {
            ("kind", "the function"): {
                "raises": "raises, having done nothing (`raises/after`, off by default: all of it)",
                "hangs": "takes 30 virtual seconds more than it should, and returns",
            },
            ("moment", ""): {
                "before": "before it has done anything (left out in the text)",
                "after": "after it has done its work",
            },
        },
    ),
)
