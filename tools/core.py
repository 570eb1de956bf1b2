"""The core of the test suite on every further Python that is installed: `make core`.

Law: each Python gets a fresh environment of its own with the versions of the lock, without the
frameworks; what was found and what not is said; a stage in which hardly a test ran has failed.
Called by CI. `make core PYTHONS="3.12 /usr/bin/python3.14"` names others.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOCK = ROOT / "requirements-dev.lock"
PYTHONS = ("3.11", "3.12", "3.13")
# What leans on the interpreter; laws and search are plain functions. What leans on it in pytest
# (frames, signals, processes, rewritten tests) is tried on the first and the last Python; those
# between have nothing of their own there.
FOLDERS = ("core", "runtime", "world", "engine")
LAST = (
    "plugin/test_campaigns.py",
    "plugin/test_existing.py",
    "plugin/test_hangs.py",
    "plugin/test_paths.py",
    "plugin/test_process_death.py",
    "plugin/test_replay.py",
)
ENOUGH = 1500  # tests that must pass on each Python

TELL = "import sys; print(sys.executable, *sys.version_info[:2])"


def found(wanted: str) -> tuple[str, str] | None:
    """The path and the version of a Python: named by its path, or by a version that is looked for
    among pyenv's and on PATH."""
    for candidate in _candidates(wanted):
        try:
            said = subprocess.run([candidate, "-c", TELL], capture_output=True, text=True)
        except OSError:
            continue
        if said.returncode == 0:  # a shim of pyenv may stand for nothing
            path, major, minor = said.stdout.rsplit(maxsplit=2)
            if "." not in wanted or os.sep in wanted or wanted == f"{major}.{minor}":
                return path, f"{major}.{minor}"
    return None


def _candidates(wanted: str) -> Iterator[str]:
    if os.sep in wanted:
        yield wanted
        return
    root = os.environ.get("PYENV_ROOT") or _printed("pyenv", "root")
    if root:
        places = Path(root, "versions").glob(f"{wanted}.*/bin/python")
        yield from sorted(map(str, places), key=_newest, reverse=True)
    if path := shutil.which(f"python{wanted}"):
        yield path


def _newest(path: str) -> list[int]:
    return [int(part) for part in Path(path).parts[-3].split(".") if part.isdigit()]


def _printed(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def environment(python: str, version: str) -> str:
    """A fresh environment with agentfuzz and what its core tests need. The path of its Python."""
    uv, place = str(Path(sys.executable).parent / "uv"), BUILD / f"core-{version}"
    mine = str(place / "bin" / "python")
    install = [uv, "pip", "install", "--quiet", "--python", mine]
    wanted = ["--constraint", str(LOCK), "-r", "pyproject.toml", "--extra", "core-test"]
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", python, str(place)],
        [*install, *wanted],
        [*install, "--no-deps", "--no-build-isolation", "-e", "."],
    ):
        subprocess.run(command, cwd=ROOT, check=True)
    return mine


def passed(python: str, version: str, folders: Iterable[str]) -> tuple[int, int]:
    """Run the core tests. How many passed, and pytest's exit code."""
    folders = [f"tests/{name}" for name in folders]
    result = BUILD / f"core-{version}.xml"
    result.unlink(missing_ok=True)
    options = ["-q", "-n", "3", "-m", "not slow", f"--junitxml={result}"]
    ran = subprocess.run([python, "-m", "pytest", *options, *folders], cwd=ROOT)
    if not result.exists():
        return 0, ran.returncode or 1
    count = 0
    for suite in ElementTree.parse(result).getroot().iter("testsuite"):
        told = {key: int(suite.get(key, 0)) for key in ("tests", "errors", "failures", "skipped")}
        count += 2 * told["tests"] - sum(told.values())
    return count, ran.returncode


def main(wanted: list[str]) -> int:
    """Run the stage on each Python that is wanted. The number of those on which it failed."""
    own = "{}.{}".format(*sys.version_info[:2])  # has the whole suite
    pythons = {each: found(each) for each in wanted or PYTHONS if wanted or each != own}
    for each, place in pythons.items():
        print(f"core: Python {each}: {place[0] if place else 'not installed'}", flush=True)
    failed = 0
    there = list(filter(None, pythons.values()))
    for path, version in there:
        print(f"core: Python {version} ...", flush=True)
        whole = bool(wanted) or (path, version) == there[-1]
        folders = (*FOLDERS, *LAST) if whole else FOLDERS
        count, code = passed(environment(path, version), version, folders)
        if code or count < ENOUGH:
            failed += 1
            why = f"pytest ended with {code}" if code else f"{ENOUGH:,} must pass"
            print(f"core: Python {version}: FAILED: {count:,} passed; {why}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
