"""How a simulated model behaves towards errors, lost results and new messages.

Law: plain data; a participant that is not asked behaves as models mostly do. Given by scenario
authors (`model_behaviour=`), read by the simulated model.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelBehaviour:
    """How a simulated model reacts.

    `retries`: how often it tries a call again whose reply reads as an error or is cut off (two,
    as models mostly do) before it gives up honestly. `replans_missing`: whether a call whose
    result it does not see is planned again (models do; otherwise it takes it for done).
    `works_again`: whether a new message of the user makes it start over, although it sees the work
    done (models do what is left to do, and else answer in words).
    """

    retries: int = 2
    replans_missing: bool = True
    works_again: bool = False
