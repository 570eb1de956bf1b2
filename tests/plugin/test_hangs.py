"""Runs that nothing can interrupt, and processes that an agent forks: pytest goes on, or ends with
what it was doing, and the next one does not walk into it again. Each in a process of its own."""

import os
import signal

import pytest

from tests.extent import some

from .conftest import Project
from .sources import SCENARIO, body

CALL = "reply = world.tools.charge_card(order_id='A17', cents=1, idempotency_key='k')"
ON = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-run-timeout=0.3")
NODE = "test_agent.py::test_agent"
PLAN = "charge_card#1:once/timeout"
SOON = "import agentfuzz.runtime.watchdog_thread as thread\nthread.PATIENCE = 1.0\n"
IMPORTS = "import _thread, os, signal, sys, time\n"


def project_of(project: Project, *lines: str) -> None:
    """An agent that does this after a lost reply."""
    project.agent(
        body("try:", f"    {CALL}", "except TimeoutError:", *(f"    {line}" for line in lines),
             "return Completion.success(handle='ch_1')"),
        scenario=IMPORTS + SOON + SCENARIO,
    )  # fmt: skip


HANGS = {
    "in C": ("sum(range(10**13))",),
    "in C, with every signal blocked": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))", "sum(range(10**13))"),
    "in a lock, with every signal blocked": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))", "lock = _thread.allocate_lock()",
        "lock.acquire(), lock.acquire()"),
}  # fmt: skip


@pytest.mark.parametrize("name", HANGS)
def test_a_run_that_cannot_be_interrupted_ends_its_process(project: Project, name: str) -> None:
    """With the stacks of its threads, and its plan saved; the next plain run tells it (AF902), in a
    second process, and goes on to the other tests."""
    project_of(project, *HANGS[name])
    done = project.spawn(*ON)
    assert done.returncode in (1, -signal.SIGPROF)
    assert "AF902" in done.stderr
    assert "in test_agent" in done.stderr
    again = project.spawn("--agentfuzz-run-timeout=0.3")
    text = " ".join(again.stdout.split())
    assert f"FAILED {NODE} - AF902 the process died" in again.stdout
    assert "it died again: it hung." in text
    assert "stack test_agent.py:" in text
    assert PLAN in text
    assert "1 failed, 1 passed" in again.stdout


@pytest.mark.slow
def test_under_xdist_another_worker_goes_on(project: Project) -> None:
    """A worker that hangs in C is reported at once, as one that died."""
    project_of(project, *HANGS["in C"])
    done = project.spawn("-p", "xdist.plugin", "-n", "2", *ON)
    assert f"FAILED {NODE} - AF902 the process died" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_what_waits_in_c_is_interrupted(project: Project) -> None:
    """Where a signal reaches it, the run alone is cut off (AF202), and pytest goes on."""
    project_of(project, "lock = _thread.allocate_lock()", "lock.acquire(), lock.acquire()")
    done = project.spawn(*ON)
    assert f"FAILED {NODE} - AF202" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_the_default_is_patient(project: Project) -> None:
    """C code that takes its time, and comes back, is let be: twenty seconds of it at least."""
    project.agent(
        body("sum(range(10**7))", CALL, "return Completion.success(handle='ch_1')"),
        scenario=SCENARIO,
    )
    done = project.spawn("--agentfuzz-run-timeout=0.01")
    assert done.returncode in (0, 1), done.stderr
    assert "AF902" not in done.stdout + done.stderr


FORKS = {
    "returns": ("pid = os.fork()", "if pid == 0: return None", "os.waitpid(pid, 0)"),
    "raises": ("pid = os.fork()", "if pid == 0: raise ValueError", "os.waitpid(pid, 0)"),
    "exits": ("pid = os.fork()", "if pid == 0: sys.exit(5)",
              "code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])",
              "assert code == 5, code"),
    "crosses": ("pid = os.fork()", f"if pid == 0: {CALL}; return None", "os.waitpid(pid, 0)"),
}  # fmt: skip
KINDS = ("sync", "async")
FORKED = [(name, KINDS[(n + m) % 2]) for n, name in enumerate(FORKS) for m in range(2)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.parametrize(("name", "kind"), some(FORKED, 4))  # each name, both kinds
def test_a_fork_that_comes_back_is_stopped(project: Project, name: str, kind: str) -> None:
    """Nothing of the campaign goes on in the child: what pytest says is said once, and no test runs
    twice."""
    lines = (*FORKS[name], CALL, "return Completion.success(handle='ch_1')")
    path = project.agent(body(*lines), scenario=IMPORTS + SCENARIO)
    text = path.read_text().replace(
        "def test_ordinary():\n", "def test_ordinary():\n    open('ran.txt', 'a').write('once ')\n"
    )
    if kind == "async":
        text = text.replace("def test_agent", "async def test_agent")
    path.write_text(text)
    done = project.spawn("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=10")
    assert (project.path / "ran.txt").read_text() == "once "
    assert done.stdout.count("test session starts") == 1
    assert done.stdout.count(" passed") == 1
    assert "Traceback" not in done.stderr
