"""Commands: whoever waits for one may be interrupted, and what becomes of it then is seen."""

import os
import select
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


def test_what_ends_with_its_terminal_is_not_told(watched, told):
    """Whoever has the other end closes it, and need not signal anybody."""
    other, own = os.openpty()
    reads, writes = os.pipe()
    for file in (own, reads):
        process = begun(stdin=file)
        process.kill()
        process.wait()
    for file in (other, own, reads, writes):
        os.close(file)
    assert told == []


def test_what_reads_a_file_is_told(watched, told):
    """Nobody ends it by closing that."""
    with open(os.devnull) as nothing, open(__file__) as file:
        for stdin in (nothing, file):
            told.append("another")
            process = begun(stdin=stdin)
            _looks(process)
            process.kill()
            process.wait()
    assert told == ["another", "python"] * 2


def test_where_the_run_has_a_handler_of_its_own_nothing_is_told(watched, told, handled):
    """Ctrl-C calls it, and interrupts nobody."""
    process = begun()
    _looks(process)
    process.kill()
    process.wait()
    assert told == []


@pytest.fixture
def handled(watched):
    """A run that has its own way with Ctrl-C."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    yield
    signal.signal(signal.SIGINT, before)


def test_what_was_begun_before_the_run_is_none_of_its(told):
    """It may be a server that other runs need as well."""
    process = begun()
    found = commands.Commands(told.append)
    found.open()
    _looks(process)
    found.close()
    assert (told, found.over(), process.poll()) == ([], [], None)
    process.kill()
    process.wait()


def test_with_popen_waits_for_it_no_more_than_python_does(watched):
    """Python leaves it at once: it thinks that the key has reached the command, too."""
    with pytest.raises(KeyboardInterrupt), begun() as process:
        process.wait()
    assert watched.over() == ["python"]
    with begun() as other:
        other.kill()


def test_a_program_that_kills_may_end_it(watched):
    """`kill`, `pkill` and what else there is, by whatever it names."""
    process = interrupted(begun())
    subprocess.run(["kill", "-9", "--", f"-{process.pid}"], check=True)
    assert watched.over() == []
    process.wait()


@pytest.mark.skipif(not hasattr(signal, "pidfd_send_signal"), reason="Linux")
def test_a_signal_by_its_file_may_end_it(watched):
    """Python tells no hook of that."""
    process = interrupted(begun())
    file = os.pidfd_open(process.pid)
    signal.pidfd_send_signal(file, signal.SIGKILL)
    os.close(file)
    assert watched.over() == []
    process.wait()


def test_one_that_has_changed_its_group_is_ended_by_itself(watched):
    """It alone: in the group are others."""
    script = "import os, signal; os.setpgid(0, os.getpgid(os.getppid())); signal.pause()"
    process = interrupted(subprocess.Popen([sys.executable, "-c", script], process_group=0))
    assert watched.over() == ["python"]
    assert process.returncode == -signal.SIGKILL


def test_in_the_group_of_another_it_alone_is_ended(watched, told):
    """What else is in that group is none of it."""
    other = subprocess.Popen(IDLE, process_group=0)
    process = interrupted(subprocess.Popen(IDLE, process_group=other.pid))
    assert watched.over() == ["python"]
    assert process.returncode == -signal.SIGKILL
    assert other.poll() is None
    other.kill()
    other.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only there it is known what a number means")
def test_what_a_command_has_begun_ends_with_the_run(watched):
    """Python ends a shell, and not what the shell waits for; nor does every agent."""
    reads, writes = os.pipe()
    with pytest.raises(KeyboardInterrupt):
        subprocess.run(
            f"{sys.executable} -c 'import signal; signal.pause()'; true",
            shell=True,
            start_new_session=True,
            pass_fds=[writes],
        )
    os.close(writes)
    assert select.select([reads], [], [], 0)[0] == []  # somebody has the other end
    assert watched.over() == []
    assert os.read(reads, 1) == b""
    os.close(reads)


def test_what_cannot_be_ended_is_not_waited_for(watched, monkeypatch):
    """It is another user's by now."""
    process = interrupted(begun())
    with monkeypatch.context() as patched:
        for name in ("kill", "killpg"):
            patched.setattr(os, name, _refuses)
        assert watched.over() == ["python"]
    assert process.poll() is None
    process.kill()
    process.wait()


def _refuses(*_):
    raise PermissionError


def test_an_agent_that_has_died_could_care_about_nobody(watched):
    """What it left is ended, and not told of."""
    process = interrupted(begun())
    watched.died()
    assert (watched.over(), process.returncode) == ([], -signal.SIGKILL)


@pytest.fixture
def patched(monkeypatch):
    """Somebody else has put his own in the place of a method, before the run."""
    heard, real = [], subprocess.Popen.wait

    def wait(process, timeout=None):
        heard.append(process)
        return real(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", wait)
    return heard, wait


def test_what_somebody_else_has_put_there_is_heard_and_stays(patched, told):
    """As it would without us."""
    heard, wait = patched
    found = commands.Commands(told.append)
    found.open()
    subprocess.Popen([sys.executable, "-c", ""]).wait()
    found.close()
    assert len(heard) == 1
    assert subprocess.Popen.wait is wait


def test_what_a_run_has_left_there_does_not_grow(told):
    """A fixture puts back what it found within a run, when that is over."""
    real = subprocess.Popen.wait
    for _ in range(3):
        found = commands.Commands(told.append)
        found.open()
        within = subprocess.Popen.wait
        found.close()
        subprocess.Popen.wait = within
    found = commands.Commands(told.append)
    found.open()
    found.close()
    assert subprocess.Popen.wait is real


def test_closed_it_leaves_nothing_behind():
    """The methods of Popen are those of Python."""
    before = dict(vars(subprocess.Popen))
    found = commands.Commands(lambda name: None)
    found.open()
    assert dict(vars(subprocess.Popen)) != before
    found.close()
    assert dict(vars(subprocess.Popen)) == before


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ({"args": "exit 0 # kill", "shell": True}, "shell"),
        ({"args": ["exit 0"], "shell": True}, "shell"),
        ({"args": iter([sys.executable, "-c", ""])}, "command"),
        ({"args": "true"}, "true"),
    ],
)
def test_a_command_of_any_shape(watched, told, words, name):
    """However Popen takes it."""
    interrupted(subprocess.Popen(**words, start_new_session=True))
    assert (told, watched.over()) == ([name], [name])
