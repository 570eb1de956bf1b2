"""Applications that others wrote, under faults: `make examples`.

Law: each folder of `examples/` that pins an application has an environment of its own, made once
for each lock; what its campaigns find is what its README says that they find, no more and no less.
Called by people and by CI; `tools/examples.py NAME...` runs some of them, `--lock` pins anew.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tabulate import tabulate

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
MADE = ROOT / ".venv" / "examples"  # gone with `make clean`
UV = Path(sys.executable).with_name("uv")
_FOUND = re.compile(r"^Found: (.*)$", re.MULTILINE)
_CODE = re.compile(r"\bAF\d{3}\b")


class Example(NamedTuple):
    """One application: its folder, its packages by version, and the codes its README states."""

    folder: Path
    pins: tuple[str, ...]
    stated: frozenset[str]

    @property
    def lock(self) -> Path:
        """What is installed, by version and hash."""
        return self.folder / "requirements.lock"


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
        lines = tuple(line for line in pins.read_text("utf-8").splitlines() if line[:1] not in "#")
        yield Example(pins.parent, lines, frozenset(_CODE.findall(said[1])))


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
    lock = example.lock.read_bytes()
    folder = MADE / f"{example.folder.name}-{hashlib.sha256(lock).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        subprocess.run([UV, "venv", "--quiet", "--python", version, folder], check=True)
        install = [UV, "pip", "install", "--quiet", "--python", python]
        subprocess.run([*install, "-r", example.lock], check=True)
        subprocess.run([*install, "--no-deps", "-e", ROOT], check=True)
        ready.touch()
    return python


def played(example: Example, reports: Path) -> Outcome:
    """Run its campaigns as a user would."""
    report = reports / example.folder.name
    shutil.rmtree(report, ignore_errors=True)
    done = subprocess.run(
        [
            *(environment(example), "-m", "pytest", "-q", "--agentfuzz", "-p", "no:cacheprovider"),
            *(f"--rootdir={example.folder}", f"--agentfuzz-report-dir={report}", example.folder),
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
