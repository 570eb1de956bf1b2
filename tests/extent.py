"""How much of what there is to try is tried: a part in `make test`, all of it in `make test-all`.

Law: every test is in both. What proves the same thing of many stories, agents or runs proves it of
some of them in the first, spread over all.
"""

import os
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")
ALL = os.environ.get("AGENTFUZZ_TEST_ALL") == "1"


def some(cases: Iterable[T], most: int) -> list[T]:
    """So many of these, spread over all of them; or all."""
    known = list(cases)
    if ALL or len(known) <= most:
        return known
    return [known[n * len(known) // most] for n in range(most)]


def upto(most: int, whole: int) -> int:
    """So many runs, or as many as there are."""
    return whole if ALL else most
