"""The pages of the docs as programs: their blocks are files of a project and commands typed in it.

Law: nothing that a page shows is left unchecked. A file is written as it stands, a command is
typed in the order of the page, and every line below a command was printed by it, in that order.
Used by `test_docs` and `fresh`.

A fenced block says what it is in its first line:

    python tests/test_x.py      a file (also: ini, toml, yaml, js, json, ...)
    diff PATH                   a change of a file: every line of it must fit
    console                     commands after `$ `, and what they print
    text printed by COMMAND     more of what that command prints, wherever it stands on the page
    text plan                   fault plans, one a line
    text                        a drawing: nothing is run

In what is printed, `...` stands for the rest of a line, or, alone on a line, for any lines.
"""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from agentfuzz import FaultPlan
from tests.extent import upto

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 1800.0  # real seconds; only a command that hangs takes so long
# No outcome of a page hangs on the machine's speed: a campaign is bounded by its runs alone.
UNHURRIED = {"max_time": "3600", "run_timeout": "300"}
RUNS = upto(120, 200)  # of each campaign, which shows what most pages say
# These show a campaign that came to its end, or to what it does last.
MORE = {"docs/fixtures.md": 400, "docs/reports.md": 400, "docs/inputs.md": 200}
_ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
_BLOCK = re.compile(
    r"^(?:<!-- recipe: (?P<recipe>[\w ]+) -->\n)?"
    r"^```(?P<language>\w+)(?: (?P<words>[^\n]*))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_FENCE = re.compile(r"^```", re.MULTILINE)
_SECTION = re.compile(r"^(?=## )", re.MULTILINE)
_RUN = re.compile(r"^ *(?:- )?(?:run: |(?=pip |pytest |python ))(.*)$", re.MULTILINE)
_READ = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}


class Block(NamedTuple):
    """One fenced block: its language, the words after it, its text, and the recipe it is part
    of, if any."""

    language: str
    words: str
    text: str
    recipe: str

    @property
    def path(self) -> str:
        """The file that the block is, or an empty string."""
        return "" if self.language in ("console", "diff", "text") else self.words


def pages() -> dict[str, Path]:
    """The pages that are played, by name."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path for path in found}


def blocks(page: Path, section: str = "") -> list[Block]:
    """The blocks of a page, or of the section with this title, in order."""
    texts = _SECTION.split(page.read_text(encoding="utf-8"))
    if section:
        texts = [text for text in texts if text.startswith(f"## {section}\n")]
        assert texts, f"{page.name} has no section {section!r}"
    return _blocks("".join(texts), page.name)


def sections(page: Path) -> dict[str, list[Block]]:
    """The sections of a page that are played each by itself, by the module that they test; what
    stands above the first belongs to each."""
    first, *others = _SECTION.split(page.read_text(encoding="utf-8"))
    found = [_blocks(each, page.name) for each in others]
    above = _blocks(first, page.name)
    return {Path(own[0].path).stem: [*above, *own] for own in found if own}


def _blocks(text: str, name: str) -> list[Block]:
    found = [
        Block(one["language"], one["words"] or "", one["text"], one["recipe"] or "")
        for one in _BLOCK.finditer(text)
    ]
    assert 2 * len(found) == len(_FENCE.findall(text)), f"a block of {name} says no language"
    return found


class Project:
    """A project in a folder of its own, in which a page is played. Of this checkout it sees the
    package alone."""

    def __init__(self, place: Path, runs: int = RUNS) -> None:
        self._settings = {**UNHURRIED, "max_runs": str(runs)}
        self.folder = place / "project"
        self._path = place / "path"
        self.folder.mkdir(parents=True)
        self._see_package()
        self.commands = 0
        self._printed: dict[str, list[str]] = {}
        self._to_check: list[Block] = []

    def _see_package(self) -> None:
        self._path.mkdir()
        (self._path / "agentfuzz").symlink_to(ROOT / "agentfuzz")

    def play(self, block: Block) -> None:
        """Write a file, type commands, or check what the block says."""
        if block.path:
            self._write(block)
        elif block.language == "diff":
            self._change(block)
        elif block.language == "console":
            self._type(block)
        elif block.words == "plan":
            for line in block.text.splitlines():
                assert str(FaultPlan.parse(line)) == line, f"not as it is written: {line}"
        elif block.words:
            self._to_check.append(block)

    def end(self) -> None:
        """Check what may stand before the command that prints it."""
        for block in self._to_check:
            command = block.words.removeprefix("printed by ")
            assert command in self._printed, f"never typed: {command}"
            must_show(self._printed[command][0], block.text.splitlines())

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def _write(self, block: Block) -> None:
        path = self.folder / block.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        self._needs(block)
        if block.language in _READ:
            _READ[block.language](block.text)
        if block.language == "yaml":  # a workflow: what it runs was typed here before
            for line in _RUN.findall(block.text):
                typed = re.sub(r"\\\$\\\{\\\{.*?\\\}\\\}", ".*", re.escape(line))
                before = any(re.fullmatch(typed, command) for command in self._printed)
                assert before or known(words_of(line)), line

    def _needs(self, block: Block) -> None:
        """Skip the page where something that it imports, or Node, is not installed."""
        if block.language == "js" and shutil.which("node") is None:
            pytest.skip("node is not installed")
        if block.language == "python":
            for root in sorted(imported(block.text)):
                if not any(self.folder.rglob(f"{root}.py")) and not (self.folder / root).is_dir():
                    pytest.importorskip(root)

    def _change(self, block: Block) -> None:
        lines = block.text.splitlines(keepends=True)
        before = "".join(line[line[0] != "\n" :] for line in lines if line[0] in " -\n")
        after = "".join(line[line[0] != "\n" :] for line in lines if line[0] in " +\n")
        source = self._read(block.words)
        assert source.count(before) == 1, f"does not fit {block.words}:\n{block.text}"
        (self.folder / block.words).write_text(source.replace(before, after), encoding="utf-8")

    def _type(self, block: Block) -> None:
        command, shown = "", list[str]()
        for line in [*block.text.splitlines(), "$ "]:
            if not line.startswith("$ "):
                shown.append(line)
                continue
            if command:
                must_show(self._command(command), shown)
            command, shown = line[2:], []

    def _command(self, command: str) -> str:
        """What a command prints."""
        words = words_of(command)
        if known(words):
            return ""
        self.commands += 1
        if words[0] == "pytest":
            words = ["pytest", *self._plugins(words), *self._unhurried(), *words[1:]]
        if words[:4] == ["python", "-m", "agentfuzz", "merge"]:
            words += ["--", *self._plugins(words), *self._unhurried()]
        assert words[0] in ("pytest", "python"), f"not a command of this project: {command}"
        words[0] = str(Path(sys.executable).with_name(words[0]))
        given = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        found = subprocess.run(
            words,
            cwd=self.folder,
            env={**given, **_ALONE, "PYTHONPATH": str(self._path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        printed = found.stdout + found.stderr
        ends = (0, 1, 4, 5) if words[0].endswith("pytest") else (0,)
        assert found.returncode in ends, f"{command} ended with {found.returncode}:\n{printed}"
        self._printed.setdefault(command, []).append(printed)
        return printed

    def _plugins(self, words: list[str]) -> list[str]:
        """No plugin but ours, and xdist where the command asks for it: others take seconds."""
        wanted = ["agentfuzz.plugin", *(["xdist"] if "-n" in words else []), "no:cacheprovider"]
        return [word for name in wanted for word in ("-p", name)]

    def _unhurried(self) -> list[str]:
        """The settings under which time decides nothing, but for those that the page gives."""
        own = (self.folder / "pytest.ini").exists() and self._read("pytest.ini")
        return [
            word
            for name, value in self._settings.items()
            if f"agentfuzz_{name}" not in (own or "")
            for word in ("-o", f"agentfuzz_{name}={value}")
        ]


def words_of(command: str) -> list[str]:
    """The words of a command, without a comment."""
    return shlex.split(re.sub(r"\s+# .*$", "", command))


def known(words: list[str]) -> bool:
    """Whether this is a command that is not typed here; then its names must exist."""
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert set(words[1:]) <= set(targets), f"no such target: {words}"
        return True
    if words[:2] != ["pip", "install"]:
        return False
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for word in words[2:]:
        name, _, extras = word.rstrip("]").partition("[")
        if name == project["name"]:
            there = set(project["optional-dependencies"])
            assert set(filter(None, extras.split(","))) <= there, f"no such extra: {word}"
    return True


def must_show(printed: str, shown: list[str]) -> None:
    """Fail unless these lines stand in what was printed, one after the other."""
    wanted = [line.rstrip() for line in shown if line.strip()]
    if not wanted:
        return
    dots = re.escape("...")
    lines = [
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace(dots, ".*") + r"\n"
        for line in wanted
    ]
    given = "\n".join(line.rstrip() for line in printed.splitlines() if line.strip()) + "\n"
    if not re.search("^" + "".join(lines), given, re.MULTILINE):
        pytest.fail("not printed:\n" + "\n".join(wanted) + "\n--- but:\n" + printed, pytrace=False)


def imported(source: str) -> set[str]:
    """The packages that a file imports at its top, without Python's own."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
