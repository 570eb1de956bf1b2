"""Commands: whoever waits for one may be interrupted, and what becomes of it then is seen."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from agentfuzz.runtime import commands

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")
IDLE = [sys.executable, "-c", "import signal; signal.pause()"]
killpg = os.killpg  # as somebody holds it who has imported it by name


@pytest.fixture
def told():
    """The programs that were told of; whoever waits for the first is interrupted."""
    return []


@pytest.fixture
def watched(told):
    """The commands of a run."""

    def tell(name):
        told.append(name)
        return KeyboardInterrupt() if len(told) == 1 else None

    found = commands.Commands(tell)
    found.open()
    yield found
    if found in commands._opened:
        found.close()
    found.over()


def begun(**words):
    return subprocess.Popen(IDLE, start_new_session=True, **words)


def interrupted(process):
    with pytest.raises(KeyboardInterrupt):
        process.wait()
    return process


def test_one_that_is_forgotten_is_given_up(watched, told):
    """Nobody has ended it; with the run it is ended."""
    process = interrupted(begun())
    assert told == ["python"]
    watched.close()
    assert watched.over() == ["python"]
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    "cares",
    [
        lambda process: process.kill(),
        lambda process: process.terminate(),
        lambda process: process.poll(),
        lambda process: killpg(process.pid, signal.SIGKILL),
        lambda process: os.kill(process.pid, signal.SIGKILL),
        lambda process: suppress(subprocess.TimeoutExpired).__enter__() or _looks(process),
    ],
    ids=["kill", "terminate", "poll", "killpg by name", "os.kill", "wait"],
)
def test_whoever_cares_has_not_given_it_up(watched, cares):
    """Whatever they do about it."""
    process = interrupted(begun())
    cares(process)
    assert watched.over() == []
    process.kill()
    process.wait()


def _looks(process):
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.001)


def test_one_that_was_waited_for_by_another_way(watched):
    """Its end is known."""
    process = interrupted(begun())
    kill = [sys.executable, "-c", f"import os; os.kill({process.pid}, 9)"]
    assert subprocess.run(kill).returncode == 0
    os.waitpid(process.pid, 0)
    assert watched.over() == []
    process.returncode = -9


def test_subprocess_run_ends_what_it_began(watched, told):
    """On any exception, as Python does."""
    with pytest.raises(KeyboardInterrupt):
        subprocess.run(IDLE, start_new_session=True)
    assert (told, watched.over()) == (["python"], [])


def test_what_it_does_by_itself_it_has_done(watched, tmp_path):
    """An interruption comes when the command has ended, or rests."""
    place = tmp_path / "done"
    script = f"sum(i * i for i in range(3_000_000)); open({str(place)!r}, 'w')"
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    interrupted(process)
    assert place.exists()


def test_nobody_waits_for_ever(watched, monkeypatch):
    """For one that is always at work."""
    monkeypatch.setattr(commands, "LOOKS", 3)
    interrupted(subprocess.Popen([sys.executable, "-c", "while True: 1"], start_new_session=True))
    assert watched.over() == ["python"]


def test_what_the_key_reaches_is_not_told(watched, told):
    """A command in the group of its parent gets the signal by itself."""
    process = subprocess.Popen(IDLE)
    process.kill()
    process.wait()
    busy = subprocess.run([sys.executable, "-c", ""])
    assert (busy.returncode, told) == (0, [])


def test_what_ends_with_its_pipe_is_not_told(watched, told):
    """It reads from whoever has begun it."""
    process = begun(stdin=subprocess.PIPE)
    process.stdin.close()
    process.kill()
    process.wait()
    assert told == []


def test_what_was_told_to_end_is_not_told(watched, told):
    """Somebody waits for what it leaves behind."""
    process = begun()
    process.terminate()
    process.wait()
    assert told == []


def test_what_waits_in_another_thread_is_not_told(watched, told):
    """Python interrupts the main thread alone."""
    process = begun()
    thread = threading.Thread(target=process.wait)
    thread.start()
    process.kill()
    thread.join()
    assert told == []


def test_each_is_told_once(watched, told):
    """However often somebody waits for it."""
    told.append("another")
    process = begun()
    _looks(process)
    _looks(process)
    assert told == ["another", "python"]
    process.kill()
    process.wait()


def test_closed_it_leaves_nothing_behind(watched):
    """The methods of Popen are those of Python."""
    watched.close()
    assert {vars(subprocess.Popen)[name] for name in commands._REAL} == {*commands._REAL.values()}


@pytest.mark.parametrize(
    ("args", "name"),
    [
        ("echo 1 > file", "shell"),
        (["/usr/bin/python3.12", "-c", ""], "python"),
        (("git", "push"), "git"),
        (["3.1"], "3.1"),
        (b"ls", "shell"),
    ],
)
def test_what_a_command_is_called(args, name):
    """The same on every machine."""
    assert commands.program(args) == name
