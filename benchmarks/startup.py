"""What the installed and unused plugin adds to the start of pytest.

    python benchmarks/startup.py [repetitions]

Whole processes, in turns: pytest on one empty test, with the plugin and without. Other plugins
that happen to be installed are switched off on both sides, ours is named on the command line
(`-p agentfuzz.plugin`). User and system CPU time of the child; caches warm. Prints also which of
the libraries that the plugin must not import were imported in a session that does not use it.
Goal: 30 ms.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from _measure import table

HEAVY = ("hypothesis", "pydantic", "jinja2", "vcr", "freezegun", "tabulate")
COMMON = ("-q", "-p", "no:cacheprovider")


def child(folder: Path, *options: str) -> float:
    """CPU seconds of one pytest process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pytest", *COMMON, *options, "test_one.py"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imported(folder: Path) -> list[str]:
    """Which heavy libraries a session with the plugin, unused, has imported."""
    (folder / "test_two.py").write_text(
        "import sys\n"
        f"def test_two():\n    print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    command = [sys.executable, "-m", "pytest", *COMMON, "-s", "-p", "agentfuzz.plugin"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, "test_two.py"], cwd=folder, env=environment, capture_output=True, text=True
    )
    line = next(line for line in done.stdout.splitlines() if "HEAVY" in line)
    return [name for name in HEAVY if name in line]


def main(repetitions: int) -> None:
    sides = {"without": (), "with": ("-p", "agentfuzz.plugin")}
    found: dict[str, list[float]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_one.py").write_text("def test_one():\n    pass\n")
        for options in sides.values():
            child(folder, *options)  # warm caches
        for turn in range(repetitions):
            for side in sides if turn % 2 == 0 else reversed(sides):
                found[side].append(child(folder, *sides[side]))
        heavy = imported(folder)
    added = [a - b for a, b in zip(found["with"], found["without"], strict=True)]
    rows = [
        (side, f"{median(times) * 1000:.0f}", f"{min(times) * 1000:.0f}")
        for side, times in found.items()
    ]
    least = min(found["with"]) - min(found["without"])
    rows.append(("added", f"{median(added) * 1000:+.0f}", f"{least * 1000:+.0f}"))
    table(f"pytest, one empty test, {repetitions} turns, goal +30", ("ms", "median", "least"), rows)
    print(f"  imported by the unused plugin: {', '.join(heavy) or 'none of ' + ', '.join(HEAVY)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25)
