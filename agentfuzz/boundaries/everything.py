"""The boundary of everything together: all that an agent talks to is down.

An outage of the network, not of one tool: what fails from then on, and how, is said in
`agentfuzz.world.lasting`.
"""

from agentfuzz.boundaries.boundary import MODEL, Boundary, Page, once
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.lasting import EVERYTHING


def _place(slot: Slot) -> str:
    return f"crossing {slot.nth} of any tool or the model"


def _says(fault: Fault) -> str:
    return {"error": "everything is down"}[fault.axes[0]]


def _order(group: str, fault: Fault) -> int:
    return MODEL


BOUNDARY = Boundary(
    name=EVERYTHING,
    axes=(("up", "error"),),
    groups={EVERYTHING: once},
    place=_place,
    says=_says,
    order=_order,
    anywhere=True,
    told=Page(
        "Everything at once",
        "`*#nth+:kind`: from the nth crossing on, counted over all tools and the model",
        {("kind", ""): {"error": "every tool and the model answer with a connection error"}},
    ),
)
