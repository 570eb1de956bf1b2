"""The boundary of approvals: what becomes of a person's decision on its way to the agent."""

from agentfuzz.boundaries.boundary import Boundary, Page, once
from agentfuzz.core.faults import Fault, Slot

_WORDS = {
    "twice": "delivered twice, one after the other",
    "double_click": "delivered twice, the second time in the middle of the first",
    "refused": "refused",
    "late": "given after the time for it was over",
    "never": "never given",
}


def _place(slot: Slot) -> str:
    return f"approval {slot.nth} of {slot.name}"


def _says(fault: Fault) -> str:
    return _WORDS[fault.axes[0]]


def _stays(fault: Fault) -> bool:
    return True  # it strikes when the decision comes


def _causes(fault: Fault) -> tuple[str, ...]:
    return ("twice" if fault.axes[0] == "double_click" else fault.axes[0],)


BOUNDARY = Boundary(
    name="approval",
    axes=(("once", *_WORDS),),
    off=frozenset({("never",)}),
    groups={"approval": once},
    place=_place,
    says=_says,
    stays=_stays,
    causes=_causes,
    told=Page(
        "Approvals",
        "`approval:tool#nth:kind`",
        {
            ("kind", "the decision"): {
                "once": "comes once: no fault",
                **_WORDS,
                "never": 'is never given (tried with `faults=("never",)`)',
            }
        },
    ),
)
