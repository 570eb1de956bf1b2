"""What the reductions of the systematic phase save, and that they lose nothing.

    python benchmarks/reduction.py

The generated loops of tests/search, plain ones and ones whose process may die: plans with up to
two faults (the plain ones also three), walked with pruning, and by brute force (any fault at any
crossing of a smaller plan, in any order, each set once). *failing states* are the different
(code, subject, ledger) that the laws find; both must find the same.
"""

import sys
from pathlib import Path
from time import process_time

from _measure import table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from agentfuzz.engine.simulation import Simulation
from search.lives import LIVES, life, space_of
from search.programs import program
from search.test_systematic import LOOPS, SPACE, Lab, brute_force, walked


def measured(numbers: list[int], make: object, space: object, depth: int) -> tuple[object, ...]:
    pruned_runs, skipped, there, same, failing = 0, 0, 0, 0, 0
    pruned_time, naive_time = 0.0, 0.0
    with Simulation() as simulation:
        for number in numbers:
            scenario, agent = make(number)  # type: ignore[operator]
            where = space(scenario)  # type: ignore[operator]
            lab = Lab(scenario, agent, simulation, where)
            begun = process_time()
            pruned = walked(lab, depth, prune=True)
            between = process_time()
            naive = brute_force(lab, depth)
            pruned_time += between - begun
            naive_time += process_time() - between
            pruned_runs += sum(done for done, _, _ in pruned.levels)
            skipped += sum(left for _, _, left in pruned.levels)
            there += sum(count for count, _, _ in naive.levels)
            same += pruned.failing == naive.failing
            failing += len(naive.failing)
    return (
        f"{there:,}",
        f"{pruned_runs:,}",
        f"{skipped:,}",
        f"{skipped / there:.0%}",
        f"{naive_time / pruned_time:.1f}",
        f"{failing:,}",
        f"{same} of {len(numbers)}",
    )


def main() -> None:
    rows: list[tuple[object, ...]] = [
        ("plain, two faults", *measured(list(LOOPS), program, lambda s: SPACE, 2)),
        ("plain, three faults", *measured([16, 19], program, lambda s: SPACE, 3)),
    ]
    kinds = ("with a store", "with approvals", "with a race", "with a model")
    for kind, name in enumerate(kinds):
        numbers = [n for n in LIVES if n % 4 == kind]
        rows.append((f"{name}, two faults", *measured(numbers, life, space_of, 2)))
    header = ("", "plans", "run", "skipped", "", "x time", "failing states", "the same")
    table("pruned against brute force", header, rows)


if __name__ == "__main__":
    main()
