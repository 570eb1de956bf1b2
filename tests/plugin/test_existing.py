"""Tests that exist, as campaigns: one mark, or one option, and not a line of the test changed."""

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
    done.stderr.fnmatch_lines(["*its own regression test*"])


def test_a_test_that_fails_by_itself_is_no_finding(made):
    project = made("naive")
    project.file("test_app.py", TEST.format(loop="naive", mark=MARK).replace('["A17"]', "[]"))
    done = project.campaign()
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(["*no campaign: in a simulation it fails without any fault*"])
