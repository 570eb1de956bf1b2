"""The README is run: its code blocks are files of a project, its commands are typed there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What differs from machine to machine, or is said elsewhere in the line.
MEND = (
    (re.compile(r'^ *key = f"attempt.*\n', re.MULTILINE), ""),
    (re.compile(r"# key = "), "key = "),
)


def blocks():
    """The fenced blocks of the README: language, words after it, text."""
    return BLOCK.findall(README.read_text(encoding="utf-8"))


def typed(folder, command):
    """What a command prints, in a project folder of its own."""
    words = command.split()
    assert words[0] == "pytest", command
    found = subprocess.run(
        # A smaller budget of time than the default, so that the whole file takes a minute.
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-o",
            "agentfuzz_max_time=6",
            *words[1:],
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return found.stdout + found.stderr


@pytest.mark.slow
def test_the_readme_does_what_it_says(tmp_path):
    """Every file of the README is written, every command typed in order, and every line shown
    below a command is printed by it."""
    pytest.importorskip("langchain")
    pytest.importorskip("agents")
    commands = 0
    (tmp_path / "tests").mkdir()
    for language, words, text in blocks():
        if language == "python":
            assert words.startswith("tests/"), f"a code block without a file name: {text[:60]}"
            (tmp_path / words).write_text(text, encoding="utf-8")
        elif language == "console":
            if words == "fixed":
                demo = tmp_path / "tests" / "test_agentfuzz_demo.py"
                source = demo.read_text(encoding="utf-8")
                for pattern, replacement in MEND:
                    source = pattern.sub(replacement, source)
                demo.write_text(source, encoding="utf-8")
                for name in ("test_billing", "test_async", "test_frameworks", "test_property"):
                    (tmp_path / "tests" / f"{name}.py").unlink(missing_ok=True)
                for saved in (tmp_path / ".agentfuzz").glob("AF-*.json"):
                    if "demo" not in saved.read_text(encoding="utf-8"):
                        saved.unlink()
            printed = ""
            for line in text.splitlines():
                if line.startswith("$ pip install"):
                    continue
                if line.startswith("$ "):
                    printed = typed(tmp_path, line[2:])
                    commands += 1
                elif line.strip():
                    assert line in printed, f"not printed:\n{line}\n--- but:\n{printed}"
    assert commands > 8


def test_every_code_block_has_a_file_and_compiles():
    """No code in the README stands outside a runnable file."""
    python = [(words, text) for language, words, text in blocks() if language == "python"]
    assert len(python) >= 4
    for words, text in python:
        compile(text, words, "exec")


def test_every_option_is_in_the_readme():
    """The table of options names every option that the plugin has."""
    from agentfuzz import plugin

    text = README.read_text(encoding="utf-8")
    for name in (*(row[0] for row in plugin._SETTINGS), *(row[0] for row in plugin._ACTIONS)):
        assert f"`--agentfuzz-{name} " in text, name


def test_every_law_and_fault_is_in_the_readme():
    """The tables of laws and faults are complete."""
    import agentfuzz
    from agentfuzz import invariants
    from agentfuzz.core.faults import TABLES

    text = README.read_text(encoding="utf-8")
    for name in invariants.__all__:
        assert name == "Invariant" or f"`{name}(" in text, name
        assert hasattr(agentfuzz, name)
    for table in TABLES.values():
        for axis in table.axes:
            for value in axis:
                nothing = axis is table.axes[0] and (table.led or len(table.axes) == 1)
                assert f"`{value}`" in text or (nothing and value == axis[0]), value
