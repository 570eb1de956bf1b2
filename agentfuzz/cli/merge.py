"""`python -m agentfuzz merge`: the shards of campaigns, folded into one report.

Law: every file is looked at before anything runs; then pytest runs the tests of the files, and each
campaign takes from them what a shard has run. Called from the command line:

    python -m agentfuzz merge DIR... [-- PYTEST ARGUMENTS]

A broken argument or file is one line on stderr and exit code 2; else the exit code is pytest's.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from agentfuzz.archive.shards import found, gathered
from agentfuzz.core.errors import ShardError

USAGE = "usage: python -m agentfuzz merge DIR... [-- PYTEST ARGUMENTS]"


def main(arguments: Sequence[str]) -> int:
    """Merge. Returns the exit code."""
    given = list(arguments)
    folders, passed = given, list[str]()
    if "--" in given:
        at = given.index("--")
        folders, passed = given[:at], given[at + 1 :]
    helps = folders[:1] in (["-h"], ["--help"])
    option = next((text for text in folders if text.startswith("-")), "")
    if helps or not folders or option:
        print(USAGE, file=sys.stdout if helps else sys.stderr)
        if option and not helps:
            print(f"{option} is for pytest: write it behind --", file=sys.stderr)
        return 0 if helps else 2
    try:
        _look([Path(text) for text in folders])
    except ShardError as error:
        print(f"agentfuzz merge: {error}", file=sys.stderr)
        return 2
    merged = [f"--agentfuzz-merge={Path(text).resolve()}" for text in folders]
    process = subprocess.Popen([sys.executable, "-m", "pytest", "--agentfuzz", *merged, *passed])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # pytest has got it, too, and says what it had found
            continue


def _look(folders: Sequence[Path]) -> None:
    """Raises ShardError."""
    for folder in folders:
        if not folder.is_dir():
            raise ShardError(f"{folder}: there is no such folder.")
        if not found([folder]):
            raise ShardError(
                f"{folder}: there is no file of a shard in it. Give the folders of the reports "
                "that pytest --agentfuzz --agentfuzz-shard K/N has written."
            )
    gathered(found(folders))
