"""The progress line: written over on a terminal, one a minute in a log, none where it disturbs."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios

import pytest

from agentfuzz.plugin.shown import progress
from agentfuzz.search.progress import Progress

from .conftest import OFF, Project

SLOW = """
from agentfuzz import Completion, at_most_once, fuzz, scenario
from agentfuzz.runtime.clock import Real


@scenario(at_most_once(), task="Pay.")
def paying(world):
    @world.tool(effect="pay", scope=("n",), dedup="scope")
    def pay(n: int) -> dict:
        return {"receipt": n}


@fuzz(paying, only=("error", "timeout", "malformed", "once/wrong"), max_runs=60)
def test_pays(world):
    Real.sleep(0.02)
    try:
        world.tools.pay(n=1)
    except Exception:
        return Completion.blocked()
    return Completion.success(handle="1")
"""
LINE = re.compile(r"(depth \d|bursts and outages|covering array|random plans|fault-free): [\d,/]+")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (("depth 2", 1204, 8112, 3, 210.4, 12.0), "1,204/8,112, 3 findings, 210 runs/s, 13 s left"),
        (("depth 1", 7, 8, 1, 2.0, 500.0), "7/8, 1 finding, 2 runs/s, 1 s left"),
        (("depth 1", 9, 8, 0, 2.0, 500.0), "9/9, 0 findings, 2 runs/s, 1 s left"),
        (("depth 1", 7, None, 0, 0.0, 130.0), "7, 0 findings, 0 runs/s, 2 min 11 s left"),
        (("depth 1", 7, None, 0, 0.0, float("inf")), "7, 0 findings, 0 runs/s, no limit"),
    ],
)
def test_the_line(given, text):
    """Phase, runs of how many, findings, speed, and what is left of the time or of the phase."""
    assert str(Progress(*given)) == f"{given[0]}: {text}"


def on_a_terminal(project: Project, *words: str, term: str = "xterm", columns: int = 100) -> str:
    """What pytest writes when its output is a terminal."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        project.command("--agentfuzz", *words),
        cwd=project.path,
        stdin=side,
        stdout=side,
        stderr=side,
        env={**os.environ, **OFF, "TERM": term, "COLUMNS": str(columns)},
    )
    os.close(side)
    read = b""
    while True:
        select.select([main], [], [])
        try:
            piece = os.read(main, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        read += piece
    process.wait()
    os.close(main)
    return read.decode()


def test_on_a_terminal_it_is_written_over(project: Project) -> None:
    """Between two marks of the cursor, cleared at the end; -q shows none."""
    project.file("test_slow.py", SLOW)
    text = on_a_terminal(project)
    shown = LINE.findall(text)
    assert shown
    assert text.count("\x1b7") == 1
    assert text.count("\x1b8\x1b[K") == len(shown), "one before each further line, one at the end"
    last = text.rindex("\x1b8\x1b[K")
    assert not LINE.search(text[last:])
    assert "1 passed" in text[last:]
    assert not LINE.search(on_a_terminal(project, "-q"))
    assert "\x1b7" not in on_a_terminal(project, term="dumb"), "which has no way back"


def test_in_a_log_it_is_one_a_minute(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A line of its own, with the test; none where the campaign is over before."""
    project.file("test_slow.py", SLOW)
    project.run("--agentfuzz")
    assert not LINE.search(capfd.readouterr().err)
    monkeypatch.setattr(progress, "SELDOM", 0.3)
    project.run("--agentfuzz")
    lines = [line for line in capfd.readouterr().err.splitlines() if LINE.search(line)]
    assert lines
    assert all(line.startswith("test_slow.py::test_pays: ") for line in lines)


@pytest.mark.parametrize("columns", [39, 20, 5])
def test_on_a_narrow_terminal_it_stays_on_its_line(project: Project, columns: int) -> None:
    """What goes beyond it would not be cleared."""
    project.file("test_slow.py", SLOW)
    text = on_a_terminal(project, columns=columns)
    shown = re.findall("(?:\x1b7|\x1b8\x1b\\[K) ([^\x1b]*)\x1b8", text)
    room = columns - len("test_slow.py ") - 2
    assert bool(shown) is (room > 0)
    assert all(len(line) < room for line in shown)


def test_with_what_agents_write_it_is_not_written_over(project: Project) -> None:
    """With -s they write where it stands: each line of theirs stays."""
    project.file("test_slow.py", SLOW.replace("Real.sleep(0.02)", 'Real.sleep(0.02), print("x")'))
    text = on_a_terminal(project, "-s")
    assert "\x1b7" not in text
    assert "\x1b8" not in text
    assert "x\r\n" in text
