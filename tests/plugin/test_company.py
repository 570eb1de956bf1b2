"""Company: `@fuzz` tests among fixtures, parameters, classes, marks, options and other plugins."""

import re
from xml.etree import ElementTree

import pytest

from .conftest import Project
from .sources import BASE, FIXED, ORDINARY

LINE = "AF101 charge_card ran 2x, expected 1"

TOGETHER = (
    BASE
    + """
import os
import pytest

ONLY = {"only": ("once/timeout",)}
CALLS = {"function": 0, "module": 0}


@pytest.fixture(scope="module")
def once():
    CALLS["module"] += 1
    return CALLS["module"]


@pytest.fixture
def fresh(once):
    CALLS["function"] += 1
    yield once
    CALLS["done"] = True


@fuzz(charge_order, **ONLY)
def test_fixtures(world, fresh, once, tmp_path, monkeypatch, request):
    monkeypatch.setenv("ORDER", "A17")
    assert os.environ["ORDER"] == "A17" and tmp_path.is_dir()
    assert (fresh, once, CALLS["function"]) == (1, 1, 1)
    return billing_agent(world.tools, "charge-A17")


@pytest.mark.parametrize("key", ["charge-A17", "attempt-{attempt}"], ids=["fixed", "buggy"])
@fuzz(charge_order, **ONLY)
def test_parameters(world, key):
    return billing_agent(world.tools, key)


class TestShop:
    key = "charge-A17"

    @pytest.fixture
    def prefix(self):
        return "x"

    def setup_method(self):
        self.ready = True

    @fuzz(charge_order, **ONLY)
    def test_method(self, world, prefix):
        assert self.ready
        return billing_agent(world.tools, prefix + self.key)


class TestOuter:
    class TestInner:
        @fuzz(charge_order, **ONLY)
        async def test_inner(self, world):
            return billing_agent(world.tools, "charge-A17")


@pytest.mark.xfail(strict=True)
@fuzz(charge_order, **ONLY)
def test_xfail(world):
    return billing_agent(world.tools)


@pytest.mark.skip(reason="later")
@fuzz(charge_order, **ONLY)
def test_skip(world):
    raise AssertionError("never called")


def test_after():
    assert CALLS["done"]
"""
)


@pytest.mark.parametrize("mode", [(), ("--agentfuzz", "--agentfuzz-depth=1")], ids=["plain", "on"])
def test_everything_of_pytest_goes_together(project: Project, mode: tuple[str, ...]) -> None:
    """Fixtures are set up once per test, not per run; parameters, classes, xfail and skip mean
    what they always mean."""
    project.file("test_together.py", TOGETHER)
    result = project.run("-v", *mode)
    if mode:
        result.assert_outcomes(passed=5, failed=1, xfailed=1, skipped=1)
        result.stdout.fnmatch_lines(["*::test_parameters?buggy? FAILED*"])
    else:
        result.assert_outcomes(passed=6, failed=1, skipped=1)
        result.stdout.fnmatch_lines(["*XPASS(strict)*"])


def test_a_conftest_of_the_user_takes_part(project: Project) -> None:
    """Hooks and fixtures of a conftest see a @fuzz test as one item with one report."""
    project.file(
        "conftest.py",
        "import pytest\n"
        "@pytest.fixture(autouse=True)\n"
        "def around():\n"
        "    yield\n"
        "    print('AROUND')\n"
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call':\n"
        "        print('REPORT', report.nodeid, report.outcome)\n",
    )
    project.shop()
    text = project.campaign("-s").stdout.str()
    assert text.count("AROUND") == 1
    assert text.count("REPORT test_shop.py::test_billing failed") == 1


def test_ordinary_tests_are_untouched(project: Project) -> None:
    """A module without @fuzz prints the same with the plugin as without, line by line."""
    project.file("test_ordinary.py", ORDINARY)

    def lines(*args: str) -> str:
        text = project.spawn(*args, "-vv", "test_ordinary.py").stdout
        return re.sub(r"\d+\.\d\ds|plugins:.*\n", "", text)

    assert lines() == lines("-p", "no:agentfuzz.plugin")


@pytest.mark.parametrize("tb", ["line", "no", "short", "native", "long", "auto"])
def test_every_traceback_style_names_the_finding(project: Project, tb: str) -> None:
    """The summary line is the finding, whatever --tb; no frame of ours is ever shown."""
    project.shop()
    result = project.campaign(f"--tb={tb}")
    result.stdout.fnmatch_lines([f"FAILED test_shop.py::test_billing - {LINE}"])
    text = result.stdout.str()
    assert "plugin/session.py" not in text
    assert "Traceback" not in text
    assert ("replay   pytest" in text) == (tb not in ("line", "no"))


@pytest.mark.parametrize(
    "args",
    [
        ("-p", "no:cacheprovider"),
        ("-p", "no:terminal"),
        ("-p", "no:logging"),
        ("-p", "no:warnings"),
        ("-p", "no:junitxml"),
        ("-s",),
        ("-k", "billing"),
        ("--import-mode=importlib",),
        ("--capture=sys",),
        ("--maxfail=1",),
        ("--strict-config", "--strict-markers"),
        ("--durations=1",),
    ],
    ids=lambda args: " ".join(args),
)
def test_options_of_pytest_change_no_verdict(project: Project, args: tuple[str, ...]) -> None:
    """The finding, its file and exit 1, with and without each part of pytest."""
    project.shop()
    result = project.campaign(*args)
    assert result.ret == 1, result.stdout.str() + result.stderr.str()
    assert len(project.saved()) == 1
    assert (project.path / "reports/agentfuzz/index.html").exists()
    if args != ("-p", "no:terminal"):
        result.stdout.fnmatch_lines([f"FAILED * - {LINE}"])


def test_quiet_and_verbose(project: Project) -> None:
    """-q keeps one line of the summary, -v the table, -vv adds what every level covered."""
    project.shop()
    quiet = project.campaign("-q", "--tb=no").stdout
    quiet.fnmatch_lines(["1 campaign, *: 1 finding. *"])
    quiet.no_fnmatch_line("*covered*")
    verbose = project.campaign("-v", "--tb=no").stdout
    verbose.fnmatch_lines(["*covered*"])
    more = project.campaign("-vv", "--tb=no").stdout
    assert len(more.lines) > len(verbose.lines) + 5


def test_exitfirst_and_last_failed(project: Project) -> None:
    """-x stops at the first finding and still reports it; --lf runs that test again."""
    project.shop("test_a.py")
    project.shop("test_b.py")
    first = project.campaign("-x")
    first.assert_outcomes(failed=1)
    first.stdout.fnmatch_lines(["1 campaign, *: 1 finding*", "FAILED test_a.py*"])
    again = project.campaign("--lf")
    again.assert_outcomes(failed=1)
    project.file("test_a.py", FIXED)
    project.campaign("--lf").assert_outcomes(passed=1)


def test_junit_holds_the_block(project: Project) -> None:
    """--junitxml parses, its failure message is the finding, and its text the whole block."""
    project.shop()
    project.campaign("--junitxml=out.xml")
    failure = ElementTree.parse(project.path / "out.xml").find(".//failure")
    assert failure is not None
    assert failure.get("message") == LINE
    assert "replay   pytest --agentfuzz-replay AF-" in (failure.text or "")
    values = {
        p.get("name"): p.get("value")
        for p in ElementTree.parse(project.path / "out.xml").iterfind(".//property")
    }
    assert values["agentfuzz.code"] == "AF101"


def test_junit_parses_with_hostile_text(project: Project) -> None:
    """Control characters and markup in what an agent returns never break the XML."""
    project.agent("    return '\\x1b[31m</failure>]]>\\x00\\ud800<b>'")
    project.campaign("--junitxml=out.xml").assert_outcomes(failed=1, passed=1)
    assert ElementTree.parse(project.path / "out.xml").find(".//failure") is not None


def test_warnings_as_errors(project: Project) -> None:
    """With -W error the verdict is the same: nothing of ours warns."""
    project.shop()
    result = project.spawn("-W", "error", "--agentfuzz", "--agentfuzz-depth=1")
    assert result.returncode == 1, result.stdout + result.stderr
    assert len(project.saved()) == 1
