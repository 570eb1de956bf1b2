"""A covering array of pairs: few plans that together hold every pair of faults at two slots.

Law: for any two slots and any fault (or none) at each, some row has both; rows are made by
arithmetic, in no time. Called by the campaign before all pairs are walked, when there are many.
The construction is Bose's orthogonal array OA(p^2, p+1, p, 2) for a prime p.
"""

from collections.abc import Iterator, Sequence

from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.plan import FaultPlan


def rows(columns: Sequence[tuple[Slot, Sequence[Fault]]]) -> Iterator[FaultPlan]:
    """The plans of the array; at most the square of the smallest prime that is not less than
    the number of values of a column (its faults and none) and one less than the columns."""
    p = order(columns)
    for i in range(p):
        for j in range(p):
            plan = FaultPlan(
                (slot, faults[value])
                for column, (slot, faults) in enumerate(columns)
                if (value := (i if column == p else (i * column + j) % p) % (len(faults) + 1))
                < len(faults)
            )
            if len(plan) > 1:
                yield plan


def rows_if_few(columns: Sequence[tuple[Slot, Sequence[Fault]]], pairs: int) -> Iterator[FaultPlan]:
    """The plans of the array, if they are at most half as many as all `pairs`."""
    columns = [(slot, faults) for slot, faults in columns if faults]
    if len(columns) > 2 and 2 * order(columns) ** 2 <= pairs:
        yield from rows(columns)


def order(columns: Sequence[tuple[Slot, Sequence[Fault]]]) -> int:
    """The prime of the array."""
    n = max([2, len(columns) - 1, *(len(faults) + 1 for _, faults in columns)])
    while any(n % d == 0 for d in range(2, int(n**0.5) + 1)):
        n += 1
    return n
