"""Deaths: a process that dies under a plan tells it to the next one (to xdist at once)."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.extent import some

from .conftest import Project
from .sources import body

XDIST = ("-p", "xdist.plugin", "-n", "2")
CALL = "reply = world.tools.charge_card(order_id='A17', cents=1, idempotency_key='k')"
PLAN = "charge_card#1:once/timeout"
NODE = "test_agent.py::test_agent"
DEATHS = {
    "exits": ("os._exit(1)", "exit 1"),
    "exits with nothing": ("os._exit(0)", "exit 0"),
    "is killed": ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    "segfaults": ("ctypes.string_at(0)", "SIGSEGV"),
}


def dies(project: Project, death: str) -> Path:
    """An agent whose process dies after a lost reply."""
    return project.agent(
        body("import ctypes, os, signal", "try:", f"    {CALL}", "except TimeoutError:",
             f"    {death}", "return Completion.success(handle='ch_1')")
    )  # fmt: skip


def left(project: Project) -> list[str]:
    """The files that were written ahead."""
    return sorted(path.name for path in (project.path / ".agentfuzz").glob("ahead-*"))


def lines(done: "subprocess.CompletedProcess[str]") -> list[str]:
    return [line.rstrip() for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("name", DEATHS)
def test_a_death_is_told_at_the_next_start(project: Project, name: str) -> None:
    """The plan is written ahead; the next session names it, tries it in a process of its own, and
    fails the test with the plan and the replay line. The tests after it run."""
    death, how = DEATHS[name]
    dies(project, death)
    first = project.spawn("--agentfuzz", "--agentfuzz-depth=1")
    assert "passed" not in first.stdout
    assert len(left(project)) == 1
    on = ("--agentfuzz", "--agentfuzz-depth=1")
    for mode in ((), on) if name in some(DEATHS, 2) else ((),):
        again = project.spawn(*mode)
        assert again.returncode == 1
        assert "1 failed, 1 passed" in lines(again)[-1]
        (id_,) = project.saved()
        text = " ".join(again.stdout.split())
        assert f"it died again: {how}." in text
        assert f"call 1 of charge_card: delivered once, reply lost in a timeout {PLAN}" in text
        assert "not shrunk: each try could end the process" in text
        assert f"replay pytest --agentfuzz-replay {id_}" in text
        assert f"FAILED {NODE} - AF902 the process died" in lines(again)
        assert left(project) == []
    saved = json.loads((project.path / ".agentfuzz" / f"{id_}.json").read_text())
    assert (saved["code"], saved["plan"], saved["nodeid"]) == ("AF902", PLAN, NODE)


def test_the_stack_of_a_crash_is_shown(project: Project) -> None:
    """What Python's fault handler says of the replay, without the harness and the paths."""
    dies(project, "ctypes.string_at(0)")
    project.spawn("--agentfuzz", "--agentfuzz-depth=1")
    done = project.spawn()
    assert "stack    test_agent.py:" in done.stdout
    (page,) = (project.path / "reports/agentfuzz").glob("AF-*.json")
    stack = json.loads(page.read_text())["stack"]
    assert stack[0].startswith("test_agent.py:")
    assert stack[0].endswith(" test_agent")
    assert str(project.path) not in page.read_text()


def test_the_first_session_says_what_an_earlier_one_left(project: Project) -> None:
    """A session that does not run the test says it once, in its summary and its exit status."""
    dies(project, "os._exit(1)")
    project.file("test_other.py", "def test_other(): pass\n")
    project.spawn("--agentfuzz", "--agentfuzz-depth=1", NODE)
    told = project.spawn("test_other.py")
    (id_,) = project.saved()
    assert told.returncode == 1
    assert (
        f"AF902 {NODE}: the process died under the plan {PLAN}; replay it (this may end pytest "
        f"again): pytest --agentfuzz-replay {id_}"
    ) in told.stdout
    silent = project.spawn("test_other.py")
    assert silent.returncode == 0
    assert "AF902" not in silent.stdout


def test_a_death_that_is_mended_is_forgotten(project: Project) -> None:
    """A plan that its replay survives is told as a note, and the test runs as ever."""
    path = dies(project, "os._exit(1)")
    project.spawn("--agentfuzz", "--agentfuzz-depth=1")
    path.write_text(path.read_text().replace("os._exit(1)", "return Completion.failed()"))
    done = project.spawn()
    assert done.returncode == 0, done.stdout
    assert f"({NODE}, {PLAN}) survived its replay in a process of its own; forgotten" in done.stdout
    assert project.saved() == []
    assert "survived" not in project.spawn().stdout


def test_a_death_without_any_fault(project: Project) -> None:
    """The fault-free run is written ahead as well."""
    project.agent(body("import os", "os._exit(3)"))
    project.spawn()
    done = project.spawn()
    assert "it died again: exit 3." in " ".join(done.stdout.split())
    assert "no fault needed: it happens in the plain run" in done.stdout


def test_the_replay_line_runs_the_plan(project: Project) -> None:
    """--agentfuzz-replay does what it says, though it ends pytest; the next start tells it."""
    dies(project, "os._exit(7)")
    project.spawn("--agentfuzz", "--agentfuzz-depth=1")
    project.spawn("--co")
    assert len(left(project)) == 1  # collecting tells nothing
    project.spawn()
    (id_,) = project.saved()
    assert project.spawn(f"--agentfuzz-replay={id_}").returncode == 7
    assert len(left(project)) == 1
    assert "AF902 the process died" in project.spawn().stdout
    assert project.saved() == [id_]


@pytest.mark.slow
@pytest.mark.parametrize("name", some(DEATHS, 2))
def test_under_xdist_a_death_is_reported_at_once(project: Project, name: str) -> None:
    """The controller puts the plan in place of `worker crashed`, and the other tests run."""
    dies(project, DEATHS[name][0])
    done = project.spawn(*XDIST, "--agentfuzz", "--agentfuzz-depth=1")
    assert done.returncode == 1
    assert "1 failed, 1 passed" in lines(done)[-1]
    (id_,) = project.saved()
    text = " ".join(done.stdout.split())
    assert f"delivered once, reply lost in a timeout {PLAN}" in text
    assert f"replay pytest --agentfuzz-replay {id_}" in text
    assert f"FAILED {NODE} - AF902 the process died" in lines(done)
    assert "crashed while running" not in done.stdout
    assert left(project) == []
    assert (project.path / "reports/agentfuzz" / f"{id_}.html").exists()


def test_a_regression_test_that_dies(project: Project) -> None:
    """It is tried in a process of its own as a campaign's plan is."""
    dies(project, "os._exit(1)")
    project.file(
        "test_regression.py",
        "from agentfuzz import regression\nimport test_agent\n"
        f"test_again = regression(test_agent.test_agent, plan={PLAN!r})\n",
    )
    project.spawn("test_regression.py")
    done = project.spawn("test_regression.py")
    assert "it died again: exit 1." in " ".join(done.stdout.split())
    assert "FAILED test_regression.py::test_again - AF902 the process died" in lines(done)


def test_under_xdist_a_death_is_tried_again_by_a_worker(project: Project) -> None:
    """The next session under xdist judges it as one without does."""
    dies(project, "os._exit(1)")
    project.spawn(*XDIST, "--agentfuzz", "--agentfuzz-depth=1")
    again = project.spawn(*XDIST)
    assert "it died again: exit 1." in " ".join(again.stdout.split())
    assert "1 failed, 1 passed" in lines(again)[-1]


def test_what_ends_normally_leaves_nothing(project: Project) -> None:
    """Findings, an error and Ctrl-C are normal ends."""
    project.shop()
    project.campaign()
    assert left(project) == []
    project.agent(body("raise KeyboardInterrupt"))
    project.campaign()
    assert left(project) == []


BROKEN = {
    "text": b"hello\n",
    "bytes": b"\xff\xfe\x80",
    "half a head": b'{"schema": "agentfuzz.ahead/1", "for',
    "another": b'{"schema": "agentfuzz.saved/1", "format": 1, "nodeid": "a", "scenario": "b"}\n\n',
    "no format": b'{"schema": "agentfuzz.ahead/1", "nodeid": "a", "scenario": "b"}\n\n',
    "a list": b"[]\n\n",
    "no plan": b'{"schema": "agentfuzz.ahead/1", "format": 1, "nodeid": "a", "scenario": "b"}\n',
    "no such fault": b'{"schema": "agentfuzz.ahead/1", "format": 1, "nodeid": "a", '
    b'"scenario": "b"}\nx#1:once/timeot\n',
    "numbers": b'{"schema": "agentfuzz.ahead/1", "format": 1, "nodeid": 1, "scenario": 2}\n\n',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_line(project: Project, name: str) -> None:
    """It is named and set aside, and the session is as any other."""
    project.file("test_other.py", "def test_other(): pass\n")
    (project.path / ".agentfuzz").mkdir()
    path = project.path / ".agentfuzz/ahead-0123456789-12.plan"
    path.write_bytes(BROKEN[name])
    result = project.run()
    assert result.ret == 0
    text = result.stdout.str()
    assert text.count("AF903 ahead-0123456789-12.plan: ") == 1
    assert "; moved to .agentfuzz/bad/ahead-0123456789-12.plan" in text
    assert "Traceback" not in text
    assert path.parent.joinpath("bad", path.name).read_bytes() == BROKEN[name]


def test_a_file_of_a_newer_agentfuzz_is_one_line_and_left(project: Project) -> None:
    """It is said, and kept for the agentfuzz that can read it."""
    project.file("test_other.py", "def test_other(): pass\n")
    name = ".agentfuzz/ahead-0123456789-12.plan"
    head = '{"schema": "agentfuzz.ahead/3", "format": 1, "nodeid": "a", "scenario": "b"}\n\n'
    path = project.file(name, head)
    result = project.run()
    assert result.ret == 0
    text = " ".join(result.stdout.str().split())
    assert text.count("AF903 ahead-0123456789-12.plan: written by a newer agentfuzz (") == 1
    assert "; left where it is" in text
    assert "Traceback" not in text
    assert path.read_text() == head


def test_an_empty_file_is_removed(project: Project) -> None:
    """A process that died before it began a run has nothing to tell."""
    project.file("test_other.py", "def test_other(): pass\n")
    (project.path / ".agentfuzz").mkdir()
    project.file(".agentfuzz/ahead-0123456789-12.plan", "")
    result = project.run()
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*AF90*")
    assert left(project) == []


def test_a_folder_that_cannot_be_written(project: Project) -> None:
    """The campaign runs all the same, and one line says what it lacks."""
    project.shop()
    project.file(".agentfuzz", "a file")
    result = project.campaign()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*.agentfuzz cannot be written (*): if the process dies, *"])
