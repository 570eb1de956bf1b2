"""Environments of projects that use other plugins of pytest, or older releases, beside agentfuzz.

Law: what stands in one is pinned, and the tests make it when they come to it. Called by
`tests/neighbours`; `tools/company.py --lock` pins all anew, in their newest releases, and the
oldest ones that agentfuzz says it lives with.
"""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from environments import ROOT, UV, environment

PINS = ROOT / "tests" / "neighbours" / "environments"
MADE = Path(sys.prefix) / "neighbours"  # gone with `make clean`
PROJECT = ROOT / "pyproject.toml"


def names() -> Iterator[str]:
    """The environments that there are."""
    yield from sorted(file.stem for file in PINS.glob("*.in"))


def pinned(name: str) -> None:
    """Pin everything in one, beside what agentfuzz itself needs."""
    oldest = ("--resolution", "lowest-direct") if name == "oldest" else ()
    subprocess.run(
        [
            *(UV, "pip", "compile", "--quiet", "--upgrade", "--universal", "--no-header"),
            *("--python-version", "3.11", "--no-annotate", "-o", PINS / f"{name}.lock", *oldest),
            *(PINS / f"{name}.in", PROJECT),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def python_of(name: str, *, agentfuzz: bool = True) -> Path:
    """The Python of one, made if its lock is new, with or without agentfuzz itself. Raises
    CalledProcessError. Several processes may ask at once."""
    lock = PINS / f"{name}.lock"
    MADE.mkdir(parents=True, exist_ok=True)
    install = [("-r", lock), ("--no-deps", "-e", ROOT)]
    with (MADE / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        called = name if agentfuzz else f"{name}-alone"
        return environment(MADE, called, *install[: 1 + agentfuzz], told=lock.read_bytes())


if __name__ == "__main__":
    for each in names() if "--lock" in sys.argv else ():
        pinned(each)
