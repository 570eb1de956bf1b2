"""Programs: called the same on every machine, and known by how they are begun."""

from pathlib import Path

import pytest

from agentfuzz.runtime import programs


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["pypy3.10"], "pypy"),
        (["/usr/bin/base64"], "base64"),
        (["g++-12"], "g++-12"),
        (Path("/bin/ls"), "ls"),
        ([b"/bin/ls"], "ls"),
        (iter(["ls"]), "command"),
        ([""], "command"),
        (["/usr/bin/python3.12", "-c", ""], "python"),
        (("git", "push"), "git"),
        (["3.1"], "3.1"),
        (b"ls", "ls"),
    ],
)
def test_what_a_command_is_called(args, name):
    """The same on every machine."""
    assert programs.program(args) == name


@pytest.mark.parametrize(
    ("command", "ends"),
    [
        (["kill", "-9", "12"], True),
        (["/usr/bin/pkill", "-f", "sleep"], True),
        ("sleep 1; killall sleep", True),
        ([b"kill", Path("x")], True),
        (b"skill 1", True),
        (["skills", "list"], False),
        (["echo", 3], False),
        (None, False),
    ],
)
def test_what_ends_others(command, ends):
    """As far as its words tell."""
    assert programs.kills(command) is ends
