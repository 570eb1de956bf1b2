"""Tests that exist, as campaigns: one mark, or one option, and not a line of the test changed."""

import sys

import pytest

from .conftest import Project

# An application with tools of its own, a retry that charges twice, and somebody's tests of it.
APPLICATION = """
import time


class Till:
    def __init__(self):
        self.paid = []

    def charge_card(self, order_id: str, cents: int = 42):
        self.paid.append(order_id)
        return {"charge_id": f"ch_{len(self.paid)}"}

    def get_order(self, order_id: str):
        return {"order": order_id}


def naive(till, order):
    "Tries again on whatever goes wrong."
    till.get_order(order)
    for _ in range(3):
        try:
            till.charge_card(order)
            return "charged"
        except (TimeoutError, ConnectionError, RuntimeError):
            continue
    return "failed"


def careful(till, order):
    "Looks before it tries again."
    try:
        till.charge_card(order)
    except Exception:
        return "unknown"
    return "charged"


def endless(till, order):
    while True:
        try:
            till.charge_card(order)
            return "charged"
        except RuntimeError:
            time.sleep(1)


def rude(till, order):
    till.charge_card(order)
    return "charged"
"""
TEST = """
import pytest
from app import Till, {loop}


@pytest.fixture
def till():
    return Till()


{mark}
def test_charge(till):
    assert {loop}(till, "A17") == "charged"
    assert till.paid == ["A17"]


def test_nothing():
    assert Till
"""
TOOLS = '["app:Till.charge_card", "app:Till.get_order"]'
MARK = f"@pytest.mark.agentfuzz(tools={TOOLS})"
CONFIRMED = """
[pytest]
agentfuzz_tools =
    charge_card: effect=charge scope=order_id transport=network
"""


@pytest.fixture
def made(project: Project):
    """A project with the application and a test of one of its loops."""

    def written(loop: str, mark: str = MARK, ini: str = "") -> Project:
        project.file("app.py", APPLICATION)
        project.file("test_app.py", TEST.format(loop=loop, mark=mark))
        if ini:
            project.file("pytest.ini", ini)
        return project

    return written


def test_without_campaigns_it_is_what_it_was(made):
    done = made("naive").run()
    done.assert_outcomes(passed=2)
    done.stdout.no_fnmatch_line("*agentfuzz*campaign*")


def test_a_guess_harms_nobody(made):
    """What is only guessed to have an effect is neither lost nor doubled: nothing is found."""
    done = made("naive").campaign()
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(["*1 campaign*0 findings*", "*charge_card: effect charge*"])


@pytest.mark.parametrize("loop", ["careful", "rude"])
def test_an_honest_loop_is_not_accused(made, loop):
    """Its assertions fail under faults, and are no findings: they say what holds without."""
    made(loop, ini=CONFIRMED.replace("=network", "=at_most_once")).campaign().assert_outcomes(
        passed=2
    )


def test_confirmed_and_the_retry_charges_twice(made):
    done = made("naive", ini=CONFIRMED.replace("=network", "=at_most_once")).campaign()
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        [
            "AF105 charge_card ran 2x, fault-free 1x",
            "*charge_card#1:once/*",
            "*there is no smaller plan*",
        ]
    )


def test_a_loop_without_end(made):
    done = made("endless").campaign()
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["AF201 never ended by itself"])


def test_assertions_count_where_the_mark_says_so(made):
    done = made("rude", mark=MARK.replace(")", ", asserts=True)")).campaign()
    done.assert_outcomes(failed=0, passed=2)  # it raises what the tool raised
    done = made("careful", mark=MARK.replace(")", ", asserts=True)")).campaign()
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(["AF906*"])


def test_a_file_of_tests_by_its_name(made):
    """No test is changed at all; one without a tool that is known is skipped, and told so."""
    done = made("naive", mark="").campaign("--agentfuzz-existing", "test_app.py", "-rs")
    done.assert_outcomes(skipped=2)
    done.stdout.fnmatch_lines(["*no campaign, none of its tools is known*"])


def test_a_mark_without_a_tool_fails(made):
    done = made("naive", mark="@pytest.mark.agentfuzz").campaign()
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(["*test_charge is no campaign: none of its tools is known*"])


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("@pytest.mark.agentfuzz(tool=[])", "*tool=...*knows tools*"),
        ("@pytest.mark.agentfuzz('app:Till')", "*takes words alone*"),
        ("@pytest.mark.agentfuzz(tools=['app:Till.chrage'])", "*app:Till.chrage*"),
    ],
)
def test_a_wrong_word(made, mark, words):
    done = made("naive", mark=mark).campaign()
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines([words])


def test_a_path_that_there_is_not(made):
    done = made("naive").campaign("--agentfuzz-existing", "tests/nowhere.py")
    done.stderr.fnmatch_lines(["*tests/nowhere.py: there is no such file or folder*"])


def test_what_was_found_is_replayed_and_is_its_own_regression_test(made):
    project = made("naive", ini=CONFIRMED)
    done = project.campaign()
    (saved,) = [line.split()[-1] for line in done.outlines if "--agentfuzz-replay" in line]
    project.run("--agentfuzz-replay", saved).assert_outcomes(failed=1)
    done = project.run("--agentfuzz-export", saved)
    assert done.ret == 0
    done.stdout.fnmatch_lines(
        [
            f"*is its own regression test: campaigns try {saved} first",
            f"next: git add -f .agentfuzz/{saved}.json",
        ]
    )
    assert (project.path / f".agentfuzz/{saved}.json").exists()
    done.stdout.no_fnmatch_line("mark it*")


def test_a_test_that_is_not_marked_is_to_be(made):
    """The line that keeps a finding can be pasted, and says the rest."""
    ini = CONFIRMED.replace("charge_card:", "app:Till.charge_card:")
    project = made("naive", ini=ini, mark="")
    done = project.run("--agentfuzz-existing", "test_app.py", "--agentfuzz-depth=1")
    keep, *_ = [line.split()[2:] for line in done.outlines if line.startswith("  keep ")]
    done = project.run(*keep)
    assert done.ret == 0
    done.stdout.fnmatch_lines(["mark it with @pytest.mark.agentfuzz, *", "next: git add -f *"])


def test_a_test_that_fails_by_itself_is_no_finding(made):
    project = made("naive")
    project.file("test_app.py", TEST.format(loop="naive", mark=MARK).replace('["A17"]', "[]"))
    done = project.campaign()
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(["*no campaign: in a simulation it fails without any fault*"])


# Shapes of tests ------------------------------------------------------------------------------

SHAPES = """
import asyncio
import threading
import time

import pytest

from app import Till, careful, endless, naive


@pytest.fixture
def till():
    return Till()


{body}
"""


@pytest.fixture
def shaped(project: Project):
    """A project with one test of this body, its tools confirmed or not."""

    def campaign(body: str, *lines: str, args: tuple[str, ...] = ()):
        project.file("app.py", APPLICATION)
        project.file("test_app.py", SHAPES.format(body=body.replace("@MARK", MARK)))
        if lines:
            told = "".join(f"    {line}\n" for line in lines)
            project.file("pytest.ini", f"[pytest]\nagentfuzz_tools =\n{told}")
        return project.campaign(*args)

    return campaign


CHARGE = "charge_card: effect=charge scope=order_id transport=at_most_once"
HONEST = {
    "looks before it tries again": """
@MARK
def test_it(till):
    for _ in range(2):
        try:
            till.charge_card("A17")
        except Exception:
            if "A17" in till.paid:
                break
    assert till.paid == ["A17"]
""",
    "a tool whose repeat is recognised": """
@MARK
def test_it(till):
    paid, done = till.charge_card, set()
    for _ in range(3):
        try:
            if "A17" not in till.paid:
                till.charge_card("A17")
            break
        except Exception:
            continue
    assert till.paid == ["A17"]
""",
    "the model is told of the error": """
@MARK
def test_it(till):
    said = []
    for name in ("get_order", "charge_card"):
        try:
            said.append(str(getattr(till, name)("A17")))
        except Exception as error:
            said.append(f"error: {error}")
    assert len(said) == 2
""",
    "the error propagates": """
@MARK
def test_it(till):
    till.charge_card("A17")
    assert till.paid == ["A17"]
""",
    "a double counts the calls": """
@MARK
def test_it(till, monkeypatch):
    calls = []
    monkeypatch.setattr(Till, "get_order", lambda self, order: calls.append(order))
    till.get_order("A17")
    till.charge_card("A17")
    assert calls == ["A17"]
""",
    "fixtures have state": """
@pytest.fixture
def ledger(till, tmp_path):
    (tmp_path / "ledger").write_text("")
    yield tmp_path / "ledger"
    assert (tmp_path / "ledger").exists()


@MARK
def test_it(till, ledger):
    till.charge_card("A17")
    ledger.write_text("A17")
    assert till.paid == ["A17"]
""",
    "parametrized": """
@MARK
@pytest.mark.parametrize("order", ["A17", "B1"])
def test_it(till, order):
    assert careful(till, order) in ("charged", "unknown")
    assert till.paid in ([], [order])
""",
    "two tools of one effect": """
@MARK
def test_it(till):
    try:
        till.charge_card("A17")
    except Exception:
        till.charge_card("B1")
    assert till.paid
""",
    "polls with a limit": """
@MARK
def test_it(till):
    for _ in range(20):
        try:
            if till.get_order("A17")["order"]:
                break
        except RuntimeError:
            time.sleep(1)
    assert not till.paid
""",
    "a batch, each item once": """
@MARK
def test_it(till):
    failed = []
    for order in ("A17", "B1", "C2"):
        try:
            till.charge_card(order)
        except Exception:
            failed.append(order)
    assert len(till.paid) + len(failed) >= 3
""",
    "in a class, and in threads": """
class TestIt:
    @MARK
    def test_it(self, till):
        threads = [threading.Thread(target=careful, args=(till, one)) for one in ("A17", "B1")]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        time.sleep(2)
        assert len(till.paid) <= 2
""",
    "tasks that are awaited": """
@MARK
def test_it(till):
    async def one(order):
        await asyncio.sleep(1)
        return till.charge_card(order)

    async def main():
        return await asyncio.gather(one("A17"), one("B1"), return_exceptions=True)

    assert len(asyncio.run(main())) == 2
""",
    "a program that gives up": """
@MARK
def test_it(till):
    try:
        till.charge_card("A17")
    except Exception:
        raise SystemExit(1)
""",
    "a test that is skipped where the till is down": """
@MARK
def test_it(till):
    try:
        till.charge_card("A17")
    except Exception as error:
        pytest.skip(f"no till: {error}")
""",
    "a test that is expected to fail where the till is down": """
@MARK
def test_it(till):
    try:
        till.charge_card("A17")
    except Exception as error:
        pytest.xfail(f"no till: {error}")
""",
    "a test that fails in words": """
@MARK
def test_it(till):
    try:
        till.charge_card("A17")
    except Exception as error:
        pytest.fail(f"not charged: {error}")
""",
    "an async test of its own": """
@MARK
async def test_it(till):
    await asyncio.sleep(1)
    till.charge_card("A17")
    assert till.paid == ["A17"]
""",
}


@pytest.mark.parametrize("shape", HONEST)
@pytest.mark.parametrize("lines", [(), (CHARGE,)], ids=["guessed", "confirmed"])
def test_honest_shapes_are_not_accused(shaped, shape, lines):
    done = shaped(HONEST[shape], *lines)
    done.assert_outcomes(passed=2 if shape == "parametrized" else 1)
    done.stdout.fnmatch_lines(["*campaign*0 findings*"])


BROKEN = {
    "AF105": """
@MARK
def test_it(till):
    assert naive(till, "A17") == "charged"
""",
    "AF201": """
@MARK
def test_it(till):
    assert endless(till, "A17") == "charged"
""",
    "AF907": """
@MARK
def test_it(till):
    thread = threading.Thread(target=till.charge_card, args=("A17",))
    thread.start()
    thread.join()
""",
    "AF203": """
@MARK
def test_it(till):
    done = threading.Event()

    def work():
        try:
            till.charge_card("A17")
        except Exception:
            return
        done.set()

    threading.Thread(target=work).start()
    done.wait()
""",
}


@pytest.mark.parametrize("code", BROKEN)
def test_broken_shapes_are_found(shaped, code):
    done = shaped(BROKEN[code], *([CHARGE] if code == "AF105" else []))
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([f"{code} *"])


# What is told ---------------------------------------------------------------------------------

PASSES = """
@MARK
def test_it(till):
    assert careful(till, "A17") in ("charged", "unknown")
"""


def test_guesses_are_told_once_with_their_origins(shaped):
    done = shaped(PASSES + PASSES.replace("test_it", "test_other"))
    done.assert_outcomes(passed=2)
    told = [line for line in done.outlines if line.startswith("note: tool")]
    assert len(told) == 1
    assert told[0].startswith("note: tool charge_card: effect charge_card (the verb 'charge' in")


def test_a_line_that_fits_no_tool_is_told_once(shaped):
    done = shaped(PASSES, "chrage_card: effect=charge")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*'chrage_card: effect=charge' fits no tool*'charge_card'*"])


def test_a_line_says_where_a_tool_is(shaped):
    """No mark, and no framework: one line of the ini file."""
    body = BROKEN["AF105"].replace("@MARK\n", "")
    line = f"app:Till.{CHARGE}"
    done = shaped(body, line, args=("--agentfuzz-existing", "test_app.py"))
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["AF105 charge_card ran 2x, fault-free 1x"])


def test_runs_that_differ_are_a_doubt_and_no_finding(shaped):
    """A test that nobody wrote for a simulation keeps state in its module."""
    done = shaped(
        """
seen = []

@MARK
def test_it(till):
    seen.append(1)
    till.charge_card(f"A{len(seen)}")
"""
    )
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*AF904 two histories*"])


def test_strict_asks_for_nothing_that_nobody_declared(shaped):
    done = shaped(PASSES, args=("--agentfuzz-strict",))
    done.assert_outcomes(passed=1)


@pytest.mark.parametrize(("how", "kept"), [("skip", "skipped"), ("xfail", "xfailed")])
def test_a_test_that_leaves_is_left(shaped, how, kept):
    done = shaped(
        f"""
@MARK
def test_it(till):
    till.get_order("A17")
    pytest.{how}("not today")
"""
    )
    done.assert_outcomes(**{kept: 1})


def test_a_unittest_case_is_told(shaped):
    done = shaped(
        """
import unittest

class TestIt(unittest.TestCase):
    @MARK
    def test_it(self):
        careful(Till(), "A17")
"""
    )
    done.stderr.fnmatch_lines(["*a unittest.TestCase runs by itself*"])


def test_quiet(shaped):
    done = shaped(PASSES, args=("-q",))
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["1 campaign*"])
    done.stdout.no_fnmatch_line("note: tool*")


# In company -----------------------------------------------------------------------------------

AWAITED = """
import asyncio

import pytest

from app import Till


@pytest.fixture
async def till():
    yield Till()


@pytest.mark.{plugin}
async def test_it(till):
    for _ in range(2):
        try:
            await asyncio.sleep(1)
            till.charge_card("A17")
            break
        except Exception:
            continue
    assert till.paid == ["A17"]


@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
EXISTING = ("--agentfuzz-existing", "test_app.py", "--agentfuzz-depth=1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plugin", "module"), [("asyncio", "pytest_asyncio.plugin"), ("anyio", "anyio.pytest_plugin")]
)
@pytest.mark.parametrize("after", [False, True])
def test_async_tests_of_other_plugins(project, plugin, module, after):
    """Whichever was loaded first: the campaign is agentfuzz's, the fixtures are theirs."""
    project.file("app.py", APPLICATION)
    project.file("test_app.py", AWAITED.format(plugin=plugin))
    mode = "asyncio_mode = auto\n" if plugin == "asyncio" else ""
    project.file("pytest.ini", f"[pytest]\n{mode}agentfuzz_tools =\n    app:Till.{CHARGE}\n")
    others = ("-p", module) if after else ()
    command = [sys.executable, "-m", "pytest", *(() if after else ("-p", module))]
    done = project.spawn("-p", "agentfuzz.plugin", *others, *EXISTING, command=command)
    assert "AF105 charge_card ran 2x, fault-free 1x" in done.stdout, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("spawned", [False, True], ids=["forked", "spawned"])
def test_runs_in_other_processes(made, monkeypatch, spawned):
    """A process that makes runs takes the test in, too: by its mark, or by the option."""
    project = made("naive", mark="")
    project.file("pytest.ini", f"[pytest]\nagentfuzz_tools =\n    app:Till.{CHARGE}\n")
    if spawned:  # a thread that somebody left behind: forking is not safe
        project.file(
            "conftest.py",
            "import threading\n"
            "threading.Thread(target=threading.Event().wait, daemon=True).start()\n",
        )
    done = project.spawn(*EXISTING, "--agentfuzz-workers=2", "-v")
    assert "AF105 charge_card ran 2x, fault-free 1x" in done.stdout, done.stdout
    assert "AF904" not in done.stdout  # they tell an assertion at the same length


@pytest.mark.slow
def test_under_xdist(made):
    """Each worker takes its tests in; lines are judged by what all of them met."""
    project = made("naive", mark="")
    line = f"app:Till.{CHARGE}"
    project.file("pytest.ini", f"[pytest]\nagentfuzz_tools =\n    {line}\n    nobody: reads\n")
    done = project.spawn("-p", "xdist", "-n2", *EXISTING)
    assert "AF105 charge_card ran 2x, fault-free 1x" in done.stdout, done.stdout
    assert done.stdout.count("fits no tool that was met") == 1


@pytest.mark.parametrize("named", [True, False], ids=["by its path", "by its mark"])
def test_a_fixture_that_cannot_be_renewed(shaped, named):
    """Whoever marked the test is told; of one among many it is the reason of a skip."""
    body = """
@pytest.fixture
def once(request):
    (request.config.rootpath / "once").mkdir()

@MARK
def test_it(till, once):
    till.charge_card("A17")
"""
    args = EXISTING if named else ()
    done = shaped(body.replace("@MARK\n", "") if named else body, f"app:Till.{CHARGE}", args=args)
    done.assert_outcomes(**({"skipped": 1} if named else {"failed": 1}))


SHELL = """
import os
import signal
import subprocess


def naive(command):
    process = subprocess.Popen(command, shell=True, start_new_session=True)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    return process.returncode


def careful(command):
    process = subprocess.Popen(command, shell=True, start_new_session=True)
    try:
        process.wait(30)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode


def agent(run):
    for _ in range(2):
        try:
            return run("exit 3")
        except KeyboardInterrupt:
            print("Interrupted.")
"""
SHELL_TEST = """
from shell import agent, careful, naive

def test_naive():
    assert agent(naive) == 3

def test_careful():
    assert agent(careful) == 3
"""


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_a_command_that_ctrl_c_leaves_running(project: Project):
    """AF908 of the shell that ends its command after a timeout alone; no tool is named."""
    project.file("shell.py", SHELL)
    project.file("test_shell.py", SHELL_TEST)
    done = project.campaign("--agentfuzz-existing", "test_shell.py")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*test_naive*", "AF908 shell goes on after Ctrl-C"])
