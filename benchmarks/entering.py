"""What `agentfuzz.run` costs outside of a campaign, where each run enters virtual time anew.

    python benchmarks/entering.py

With what a test imports anyway, and with modules of sixty names each beside it, until so many are
loaded. CPU time of a whole run, median. Goal: 5 ms with 800 modules.
"""

import sys
from statistics import median
from types import ModuleType

from _measure import cpu, table

from agentfuzz import World, run, scenario

RUNS = 40


@scenario(task="Wait.")
def nothing(world: World) -> None:
    pass


def agent(world: World) -> str:
    return "done"


def load(modules: int) -> None:
    """Let so many modules be loaded."""
    while len(sys.modules) < modules:
        made = ModuleType(f"made{len(sys.modules)}")
        vars(made).update({f"name{n}": (lambda: None) if n % 3 else n for n in range(60)})
        sys.modules[made.__name__] = made


def main() -> None:
    run(nothing, agent)
    rows = []
    for modules in (len(sys.modules), 800, 2000, 4000):
        load(modules)
        taken = median(cpu(lambda: run(nothing, agent)) for _ in range(RUNS))
        rows.append((f"{len(sys.modules):,} modules", f"{taken * 1e3:.1f}"))
    table("agentfuzz.run, goal 5 ms with 800 modules", ("", "ms a run"), rows)


if __name__ == "__main__":
    main()
