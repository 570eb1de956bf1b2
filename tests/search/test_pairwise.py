"""The covering array: every pair of values at two slots is in some row."""

from itertools import combinations, product

import pytest

from agentfuzz.core.faults import TABLES, Fault, Slot
from agentfuzz.search.phases import pairwise

TOOL = TABLES["tool"]

ALL = TOOL.default()
Columns = list[tuple[Slot, tuple[Fault, ...]]]


def columns(*sizes: int) -> Columns:
    """One slot a size, with so many faults."""
    return [(Slot("tool", "act", nth), ALL[:size]) for nth, size in enumerate(sizes, 1)]


SIZES = [
    (1, 1),
    (3, 3, 3),
    (1, 2, 3, 4, 5),
    (8, 8),
    (4,) * 12,
    (8,) * 9,
    (2,) * 20,
    (25, 8, 25),
    (25, 25, 8, 8, 25, 1),
]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_pair_of_values_is_in_some_row(sizes: tuple[int, ...]) -> None:
    given = columns(*sizes)
    rows = list(pairwise.rows(given))
    for (one, first), (other, second) in combinations(given, 2):
        met = {(row.get(one), row.get(other)) for row in rows}
        assert met >= set(product(first, second)), f"{one} and {other}"


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_there_are_at_most_the_square_of_the_prime(sizes: tuple[int, ...]) -> None:
    given = columns(*sizes)
    prime, rows = pairwise.order(given), list(pairwise.rows(given))
    assert len(rows) <= prime * prime
    assert all(prime % divisor for divisor in range(2, prime))
    assert prime >= max(sizes) + 1
    assert prime >= len(sizes) - 1
    assert all(2 <= len(row) <= len(sizes) for row in rows), "smaller plans are run elsewhere"


def test_rows_hold_nothing_but_the_faults_of_their_columns() -> None:
    given = columns(3, 25, 8)
    offered = dict(given)
    for row in pairwise.rows(given):
        assert all(fault in offered[slot] for slot, fault in row)


def test_the_same_columns_give_the_same_rows() -> None:
    given = columns(8, 8, 8)
    assert [str(row) for row in pairwise.rows(given)] == [str(row) for row in pairwise.rows(given)]


@pytest.mark.parametrize(("pairs", "some"), [(7, False), (8, True)])
def test_an_array_is_worth_its_rows_if_it_is_half_of_all_pairs_at_most(
    pairs: int, some: bool
) -> None:
    """Three columns with one fault each: four rows."""
    assert any(pairwise.rows_if_few(columns(1, 1, 1), pairs)) == some
    assert not any(pairwise.rows_if_few(columns(1, 1), pairs)), "two columns are walked anyway"
