"""CONTRIBUTING's recipes, followed to the letter in a copy of this checkout: each toy works."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.conftest import DEAR
from tests.docs.pages import ROOT, Project, blocks, known, must_show, words_of

TEXT = ROOT / "CONTRIBUTING.md"
RECIPES = ("law", "model fault", "process fault", "boundary", "report format", "adapter")
COPIED = ("agentfuzz", "docs", "scenarios", "examples", "tests", "tools", "pyproject.toml")
BUILT = shutil.ignore_patterns("node_modules")
UNUSED = [word for name in DEAR for word in ("-p", f"no:{name}")]
PATIENCE = 900.0  # real seconds; only a command that hangs takes so long


class Copy(Project):
    """A copy of this checkout, in which a recipe is followed."""

    def __init__(self, place):
        self.folder = place
        self.commands = 0
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place / name, ignore=BUILT)
            else:
                shutil.copy2(ROOT / name, place / name)
        for path in ROOT.glob("*.md"):
            shutil.copy2(path, place / path.name)

    def _needs(self, block):
        """Nothing but this checkout."""

    def _command(self, command):
        self.commands += 1
        words = shlex.split(command)
        if command == "make generate":
            words = ["tools/generate.py"]
        else:
            assert words[0] == "pytest", command
            words = ["-m", "pytest", "-p", "no:cacheprovider", *UNUSED, *words[1:]]
        given = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env={**given, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{printed}"
        return printed


def of(recipe):
    """The blocks of a recipe, in order."""
    return [block for block in blocks(TEXT) if block.recipe == recipe]


def test_every_recipe_is_whole():
    """It writes files, generates what follows from them, and runs a test that it has written or
    changed; what is a file can be read."""
    assert {block.recipe for block in blocks(TEXT)} == {"", *RECIPES}
    for recipe in RECIPES:
        found = of(recipe)
        typed = [block.text for block in found if block.language == "console"]
        paths = [block.words for block in found if block.language != "console"]
        assert len(typed) == 1
        assert typed[0].startswith("$ make generate\n$ pytest ")
        assert any(path in typed[0] for path in paths if path.startswith("tests/")), recipe
        for block in found:
            if block.language == "python":
                compile(block.text, block.words, "exec")


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_works(recipe, tmp_path):
    """Every file is written as it stands, every command ends well and prints what is shown."""
    copy = Copy(tmp_path / "copy")
    for block in of(recipe):
        copy.play(block)
    assert copy.commands >= 2


def test_the_other_commands_exist():
    """What else CONTRIBUTING says to type is a target of the Makefile."""
    for block in blocks(TEXT):
        if not block.recipe and block.language == "console":
            for line in block.text.splitlines():
                assert known(words_of(line.removeprefix("$ ")))


def test_must_show_is_strict():
    """A line that is missing, changed, or out of order is not shown; dots stand for the rest."""
    printed = "one\n\ntwo 2\nthree\n"
    must_show(printed, ["one", "two ...", "three"])
    must_show(printed, ["one", "...", "three"])
    for wrong in (["two"], ["one", "three"], ["three", "one"], ["two ...", "one"]):
        with pytest.raises(pytest.fail.Exception):
            must_show(printed, wrong)
