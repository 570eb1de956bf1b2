"""Applications that others wrote, under faults: `make examples`.

Law: each folder of `examples/` that pins an application has an environment of its own, made once
for each lock; what its campaigns find is what its README says that they find, no more and no less.
Called by people and by CI; `tools/examples.py NAME...` runs some of them, `--lock` pins anew.

Beside requirements, a requirements.in may say `# no-deps: NAME==VERSION`, of a package that needs
more than its part that is used does, and `# source: NAME==VERSION FOLDER`, of an application that
is in a source distribution alone: this folder of it can be imported from.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import environments
from environments import ROOT, UV
from tabulate import tabulate

EXAMPLES = ROOT / "examples"
PATIENCE = 600  # seconds for a campaign: its runs are counted, however slow the machine is
MADE = ROOT / ".venv" / "examples"  # gone with `make clean`
_FOUND = re.compile(r"^Found: (.*)$", re.MULTILINE)
_PIN = re.compile(r"^(?:# [\w-]+: )?([\w.-]+==\S+)", re.MULTILINE)
_CODE = re.compile(r"\bAF\d{3}\b")


class Example(NamedTuple):
    """One application: its folder, its packages by version, and the codes its README states."""

    folder: Path
    pins: tuple[str, ...]
    stated: frozenset[str]

    @property
    def lock(self) -> Path:
        """What is installed, by version."""
        return self.folder / "requirements.lock"

    def asked(self, word: str) -> tuple[str, ...]:
        """What its requirements.in asks for besides requirements."""
        text = (self.folder / "requirements.in").read_text(encoding="utf-8")
        return tuple(re.findall(rf"^# {word}: (.*)$", text, re.MULTILINE))


class Outcome(NamedTuple):
    """What came of one: the codes of its findings, and whether pytest itself was content."""

    found: frozenset[str]
    ran: bool
    output: str


def examples() -> Iterator[Example]:
    """Those that have an environment of their own."""
    for pins in sorted(EXAMPLES.glob("*/requirements.in")):
        text = (pins.parent / "README.md").read_text(encoding="utf-8")
        said = _FOUND.search(text)
        assert said, f"{pins.parent.name}/README.md has no line 'Found: ...'"
        named = _PIN.findall(pins.read_text(encoding="utf-8"))
        yield Example(pins.parent, tuple(dict.fromkeys(named)), frozenset(_CODE.findall(said[1])))


def pinned(example: Example) -> None:
    """Pin everything that its packages need, beside what agentfuzz itself needs."""
    subprocess.run(
        [
            *(UV, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
            *("--no-header", "--no-annotate", "-o", example.lock),
            *(example.folder / "requirements.in", ROOT / "pyproject.toml"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def environment(example: Example) -> Path:
    """The Python of an example's environment, made if its lock is new."""
    alone, sources = example.asked("no-deps"), example.asked("source")
    python = environments.environment(
        MADE,
        example.folder.name,
        ("-r", example.lock),
        ("--no-deps", *alone, "-e", ROOT),
        told=example.lock.read_bytes() + repr(sources).encode(),
    )
    folder = python.parent.parent
    [packages] = folder.glob("lib/python*/site-packages")
    for number, source in enumerate(sources):
        pointer = packages / f"source{number}.pth"
        if not pointer.exists():
            pointer.write_text(f"{unpacked(source, folder)}\n", encoding="utf-8")
    return python


def unpacked(source: str, folder: Path) -> Path:
    """A folder of a source distribution: `NAME==VERSION FOLDER`."""
    package, _, within = source.partition(" ")
    fetched = folder / "sources" / package
    download = (*(sys.executable, "-m", "pip", "download", "--no-deps"), "--no-binary", ":all:")
    subprocess.run([*download, package, "-d", fetched], check=True, capture_output=True)
    [archive] = fetched.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        content.extractall(fetched, filter="data")
    return fetched / archive.name.removesuffix(".tar.gz") / within


def played(example: Example, reports: Path) -> Outcome:
    """Run its campaigns as a user would."""
    report = reports / example.folder.name
    shutil.rmtree(report, ignore_errors=True)
    done = subprocess.run(
        [
            *(environment(example), "-m", "pytest", "-q", "--agentfuzz", "-p", "no:cacheprovider"),
            *("-c", os.devnull, f"--rootdir={example.folder}"),
            f"--agentfuzz-max-time={PATIENCE}",
            *(f"--agentfuzz-report-dir={report}", example.folder),
        ],
        cwd=example.folder,
        capture_output=True,
        text=True,
    )
    shutil.rmtree(example.folder / ".agentfuzz", ignore_errors=True)
    written = report / "report.json"
    ids = json.loads(written.read_text("utf-8"))["findings"] if written.exists() else []
    told = [json.loads((report / f"{one}.json").read_text("utf-8")) for one in ids]
    codes = frozenset(one["code"] for one in told)
    return Outcome(codes, done.returncode in (0, 1) and written.exists(), done.stdout + done.stderr)


def main(arguments: list[str]) -> int:
    """The table of all examples; 1 where one is not as it is told."""
    chosen = [word for word in arguments if not word.startswith("-")]
    rows, wrong = [], []
    for example in examples():
        name = example.folder.name
        if chosen and name not in chosen:
            continue
        if "--lock" in arguments:
            pinned(example)
            continue
        outcome = played(example, ROOT / "reports" / "examples")
        as_stated = outcome.ran and outcome.found == example.stated
        if not as_stated:
            wrong.append(f"{name}:\n{outcome.output}")
        found = ", ".join(sorted(outcome.found)) or "nothing"
        rows.append([name, ", ".join(example.pins), found, "as told" if as_stated else "DIFFERS"])
    if rows:
        print(tabulate(rows, ["example", "application", "found", ""]))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
