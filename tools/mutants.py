"""A seeded sample of mutants on laws, search and world, and what the tests kill: `make mutants`.

Law: nothing is changed in place: mutants are made by cosmic-ray's own operators in a copy of the
project, and judged by tests that pass without them; what cannot change any behaviour is no mutant.
Called by whoever wants to know what the tests are worth; it fails below 92 %.
"""

import argparse
import difflib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parent.parent
ENOUGH = 92.0  # per cent
# What is sampled, and the tests beyond its own folder that a survivor has to face.
PACKAGES: dict[str, tuple[str, ...]] = {
    "invariants": ("tests/invariants", "tests/engine"),
    "search": ("tests/search", "tests/plugin", "tests/archive"),
    "world": ("tests/world", "tests/invariants", "tests/engine"),
}
LEFT_BEHIND = (".*", "reports", "build", "dist")  # at the top; fixtures may be called so, too
PASSED = (0, 5)  # how pytest ends if all is well, or nothing was left to run
PYTEST = (
    *("-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", "-p", "no:langsmith_plugin"),
    *("-n", "2", "-m", "not slow"),
)
# Operators and places that change no behaviour.
SAME_WORDS = ("ReplaceComparisonOperator_Eq_Is", "ReplaceComparisonOperator_NotEq_IsNot")
CACHES = ("cache", "lru_cache", "override", "final")
PROMISES = ("frozen", "slots", "strict", "kw_only")


@dataclass(frozen=True)
class Mutant:
    """One change: the `occurrence`-th place at which an operator fits a file."""

    file: str
    line: int
    operator: str
    occurrence: int
    before: str
    after: str

    def told(self) -> str:
        """Where it is, what it is, and the lines that it changes."""
        lines = difflib.unified_diff(self.before.split("\n"), self.after.split("\n"), n=0)
        changed = [line for line in list(lines)[2:] if not line.startswith("@@")]
        return "\n".join(
            [f"{self.file}:{self.line} {self.operator}", *map("    {}".format, changed)]
        )


def equivalent(node: Any, operator: str) -> bool:
    """Whether an operator changes no behaviour at this node: type hints, identity of interned
    words, a cache that is taken away, what a dataclass or a zip promises."""
    if operator in SAME_WORDS:
        return True
    if operator == "RemoveDecorator":
        return node.children[1].get_code().strip().split(".")[-1] in CACHES
    child, above = node, node.parent
    while above is not None:
        if above.type == "annassign" and child is above.children[1]:
            return True
        if above.type == "tfpdef" and child is above.children[-1]:
            return True
        if above.type == "funcdef" and child is above.annotation:
            return True
        if above.type == "argument" and above.children[0].get_code().strip() in PROMISES:
            return True
        if (
            above.type == "if_stmt"
            and child is above.children[1]
            and "TYPE_CHECKING" in (child.get_code())
        ):
            return True
        child, above = above, above.parent
    return operator == "AddNot" and "TYPE_CHECKING" in node.children[1].get_code()


def places(source: str) -> dict[tuple[int, int, str], list[tuple[str, int]]]:
    """Where a source can be changed: for each place and family of operators, which operators fit
    and at their how-manieth occurrence."""
    found: dict[tuple[int, int, str], list[tuple[str, int]]] = {}
    nodes = list(ast_nodes(get_ast(source)))
    for full in sorted(operator_names()):
        operator, name = get_operator(full), full.partition("/")[2]
        if operator.arguments():
            continue
        spots = ((node, spot) for node in nodes for spot in operator().mutation_positions(node))
        for occurrence, (node, ((line, column), _)) in enumerate(spots):
            if not equivalent(node, name):
                place = (line, column, name.partition("_")[0])
                found.setdefault(place, []).append((full, occurrence))
    return found


def made(file: str, source: str, operator: str, occurrence: int, line: int) -> Mutant | None:
    """A mutant, or None where the change is none, or no Python."""
    after = mutate_code(source, get_operator(operator)(), occurrence)
    if after is None or after == source:
        return None
    try:
        compile(after, file, "exec")
    except SyntaxError:
        return None
    return Mutant(file, line, operator.partition("/")[2], occurrence, source, after)


def sample(root: Path, n: int, seed: int) -> list[Mutant]:
    """`n` mutants, evenly over the packages; a place is as likely as any other of its package,
    however many operators fit it. What is drawn of a line depends on the line, the file and the
    seed alone: a change elsewhere leaves it in the sample, or out of it."""
    chosen: list[Mutant] = []
    for index, package in enumerate(PACKAGES):
        share = n // len(PACKAGES) + (index < n % len(PACKAGES))
        everywhere: dict[str, tuple[str, str, int, list[tuple[str, int]]]] = {}
        for path in sorted((root / "agentfuzz" / package).rglob("*.py")):
            source, file = path.read_text("utf-8"), path.relative_to(root).as_posix()
            lines, alike = source.split("\n"), Counter[str]()
            for (line, _, family), operators in sorted(places(source).items()):
                place = f"{seed} {file} {family} {lines[line - 1].strip()}"
                alike[place] += 1
                drawn = sha256(f"{place} {alike[place]}".encode()).hexdigest()
                everywhere[drawn] = file, source, line, operators
        taken: list[Mutant] = []
        for drawn, (file, source, line, operators) in sorted(everywhere.items()):
            if len(taken) == share:
                break
            operator, occurrence = operators[int(drawn, 16) % len(operators)]
            mutant = made(file, source, operator, occurrence, line)
            if mutant is not None:
                taken.append(mutant)
        chosen += taken
    return chosen


def copied(source: Path, root: Path) -> None:
    """Copy the project, without what is made of it."""
    top, below = shutil.ignore_patterns(*LEFT_BEHIND), shutil.ignore_patterns("__pycache__")

    def left(folder: str, names: list[str]) -> set[str]:
        return below(folder, names) | (top(folder, names) if Path(folder) == source else set())

    shutil.copytree(source, root, ignore=left)


def tests_of(root: Path, file: str) -> tuple[str, ...]:
    """The tests that mirror a file: its own, in a folder as its or above, or its package's."""
    package, *inner = Path(file).relative_to("agentfuzz").parts
    beside = [
        Path("tests", package, *inner[:n], f"test_{inner[-1]}")
        for n in range(len(inner) - 1, -1, -1)
    ]
    own = next((one for one in beside if (root / one).is_file()), None)
    if own is None:
        return (f"tests/{package}",)
    honest = sorted(root.glob(f"tests/{package}/test_honest*.py"))
    return (own.as_posix(), *(one.relative_to(root).as_posix() for one in honest))


def stages(root: Path, file: str) -> list[tuple[str, ...]]:
    """What a mutant has to face, one after the other: its own tests, its package's, the wider."""
    package = Path(file).parts[1]
    first, *wider = PACKAGES[package]
    every = [tests_of(root, file), (first,), tuple(wider)]
    return list(dict.fromkeys(stage for stage in every if stage))


def ran(root: Path, tests: Iterable[str], timeout: float, *words: str) -> tuple[int, list[str]]:
    """Run these tests in the copy: how pytest ended, and which of them failed. What does not end
    is ended, with all that it began, and counts as failed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    # No bytecode: a mutant of the same size and second would be taken for the original.
    environment |= {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "1000"}
    process = subprocess.Popen(
        [sys.executable, *PYTEST, *words, *tests],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        told = process.communicate(timeout=timeout)[0].decode("utf-8", "replace")
        lines = re.findall(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", told, re.MULTILINE)
        return process.returncode, lines
    except subprocess.TimeoutExpired:
        return -1, []
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


class Judge:
    """Runs mutants in a copy of the project, one after the other. A test that fails without any
    mutant says nothing of one: it is named, and left out."""

    def __init__(self, root: Path, timeout: float) -> None:
        self.root = root
        self.timeout = timeout
        self._red: list[str] = []

    def survives(self, mutant: Mutant) -> bool:
        """Whether no test notices a mutant."""
        return all(self._passes(mutant, stage) for stage in stages(self.root, mutant.file))

    def _passes(self, mutant: Mutant, stage: tuple[str, ...]) -> bool:
        while True:
            leave = {red: "--deselect" if "::" in red else "--ignore" for red in self._red}
            words = ["-x", *(f"{how}={red}" for red, how in leave.items())]
            path = self.root / mutant.file
            path.write_text(mutant.after, "utf-8")
            try:
                code, failed = ran(self.root, stage, self.timeout, *words)
            finally:
                path.write_text(mutant.before, "utf-8")
            if code in PASSED:
                return True
            if not failed and ran(self.root, stage, self.timeout, "--collect-only")[0]:
                raise SystemExit(f"these tests do not run without any mutant: {' '.join(stage)}")
            if not failed or not self._without(failed):
                return False

    def _without(self, failed: list[str]) -> list[str]:
        """Which of these tests fail without any mutant, too."""
        red = ran(self.root, failed, self.timeout)[1]
        for one in red:
            print(f"left out, for it fails without any mutant: {one}", flush=True)
        self._red += red
        return red


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--n", type=int, default=60, help="how many mutants (60)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (0)")
    parser.add_argument(
        "--timeout", type=float, default=900, help="real seconds for one stage (900)"
    )
    parser.add_argument("--first", type=int, default=1, help="begin with this one of them (1)")
    parser.add_argument("--list", action="store_true", help="print the sample and run nothing")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Draw, run and tell; 1 below the score."""
    given = _arguments(words)
    with TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        copied(ROOT, root)
        mutants, alive = sample(root, given.n, given.seed)[given.first - 1 :], 0
        judge = Judge(root, given.timeout)
        for number, mutant in enumerate(mutants, given.first):
            if given.list:
                print(mutant.told())
            elif judge.survives(mutant):
                alive += 1
                print(f"survived ({number} of {given.n}): {mutant.told()}", flush=True)
    if given.list:
        return 0
    killed = len(mutants) - alive
    score = 100 * killed / max(1, len(mutants))
    print(f"{killed} of {len(mutants)} mutants killed: {score:.0f} % (seed {given.seed})")
    return int(score < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
