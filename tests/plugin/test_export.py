"""Doors: an exported test is red while the bug lives, green after the fix, and stands alone."""

import json
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from html import unescape

import pytest

from .conftest import Project
from .sources import BASE, FIXED, SHOP

Found = Callable[..., str]

ONLY = '@fuzz(charge_order, only=("once/timeout",))\n'
CALL = "billing_agent(world.tools, key)"
BUG, FIX = "attempt-{attempt}", "charge-A17"

METHOD = f'''
class TestShop:
    class TestBilling:
        {ONLY}        def test_it(self, world):
            key = "{BUG}"
            return {CALL}
'''
PARAMETRIZED = f'''
import pytest

@pytest.mark.parametrize("order", ["A17"])
@pytest.mark.parametrize(("cents", "odd"), [(1, ("a", None)), (2, ("b", None))])
{ONLY}def test_it(world, order, cents, odd):
    key = "{BUG}"
    assert (order, cents, odd) == ("A17", 1, ("a", None))
    return {CALL}
'''
OBJECT = f'''
import pytest

class Odd:
    key = "{BUG}"

@pytest.mark.parametrize("thing", [Odd()])
{ONLY}def test_it(world, thing):
    return billing_agent(world.tools, thing.key)
'''
FIXTURES = f'''
import pytest

@pytest.fixture
def key(prefix):
    return prefix + "{BUG}"

@pytest.fixture(params=["x-"])
def prefix(request, monkeypatch):
    monkeypatch.setenv("PREFIX", request.param)
    return request.param

@pytest.fixture(autouse=True)
def ready(tmp_path):
    global READY
    READY = tmp_path

{ONLY}def test_it(world, key, tmp_path):
    assert READY == tmp_path
    return {CALL}
'''
SET_UP = f'''
def setup_module():
    global key
    key = "{BUG}"

{ONLY}def test_it(world):
    return {CALL}
'''
ASYNC = f'''
{ONLY}async def test_it(world):
    for attempt in range(3):
        key = "{BUG}".format(attempt=attempt)
        try:
            reply = await world.tools.aio.charge_card(order_id="A", cents=1, idempotency_key=key)
        except TimeoutError:
            continue
        return Completion.success(handle=reply["charge_id"])
'''


def export(project: Project, name: str, *args: str) -> str:
    """Export by id; the file that was written."""
    result = project.run(f"--agentfuzz-export={name}", *args)
    assert result.ret == 0, result.stdout.str() + result.stderr.str()
    file = f"test_{name.lower().replace('-', '_')}.py"
    result.stdout.fnmatch_lines([f"wrote {file}: red while the bug lives, green after the fix"])
    return file


@pytest.mark.parametrize(
    "source",
    [METHOD, PARAMETRIZED, FIXTURES, SET_UP, ASYNC],
    ids=["nested class", "parametrize", "fixtures", "setup_module", "async"],
)
def test_an_exported_test_is_red_then_green(project: Project, found: Found, source: str) -> None:
    """Whatever shape the test has, its export fails with the bug and passes without it."""
    file = export(project, found(BASE + source))
    assert compile((project.path / file).read_text(), file, "exec")
    red = project.run(file)
    red.assert_outcomes(failed=1)
    red.stdout.fnmatch_lines(["AF101 charge_card ran 2x, expected 1"])
    project.file("test_shop.py", (BASE + source).replace(BUG, FIX))
    project.run(file).assert_outcomes(passed=1)


def test_a_session_that_searches_nothing_says_what_it_ran(project: Project, found: Found) -> None:
    """The plan of an exported test, a saved finding, or the run without faults alone."""
    file = export(project, name := found(SHOP))
    for arguments, covered in (
        ([file], "the one plan of this test"),
        (["test_shop.py"], "one run without faults, 1 saved finding"),
        (["--agentfuzz-replay", name], "one run without faults, 1 saved finding"),
        (["--agentfuzz", "test_shop.py"], "all * plans with one fault, *"),
    ):
        done = project.run(*arguments)
        assert done.ret == 1
        (result,) = json.loads((project.path / "reports/agentfuzz/report.json").read_text())[
            "campaigns"
        ]
        assert fnmatch(result["covered"], covered), arguments


def test_an_exported_test_says_when_its_plan_no_longer_applies(
    project: Project, found: Found
) -> None:
    """A slot that is not reached, or a tool that is gone, is a clear failure and never green."""
    file = export(project, found(SHOP))
    project.file("test_shop.py", SHOP.replace("range(3)", "range(0)"))
    idle = project.run(file)
    idle.assert_outcomes(failed=1)
    idle.stdout.fnmatch_lines(["PlanError: the plan 'charge_card#1:once/timeout' no longer appl*"])
    project.file("test_shop.py", SHOP.replace("charge_card", "bill_card"))
    gone = project.run(file)
    gone.assert_outcomes(failed=1)
    gone.stdout.fnmatch_lines(["PlanError: *names the tool 'charge_card'; *'bill_card'?"])


def test_what_an_exported_test_found_is_seen_again_by_the_test(
    project: Project, found: Found
) -> None:
    """It is in no saved file, so no line to paste asks for one by its id: neither in the terminal
    nor in a report. Its own name is quoted."""
    file = export(project, found(BASE + FIXTURES))
    shutil.rmtree(project.path / "reports")
    again = f"pytest '{file}::{file.removesuffix('.py')}[x-]'"
    red = project.run(file)
    red.stdout.fnmatch_lines([f"  replay   {again.replace('[', '[[]')}"])
    assert "agentfuzz-export" not in red.stdout.str()
    for name in ("index.html", "index.md", "AF-*.html", "AF-*.md"):
        (page,) = (project.path / "reports/agentfuzz").glob(name)
        text = unescape(page.read_text())
        assert again in text, name
        assert "agentfuzz-replay" not in text, name
        assert "agentfuzz-export" not in text, name


@pytest.mark.slow
def test_an_exported_test_stands_alone(project: Project, found: Found) -> None:
    """It needs no .agentfuzz folder, no Hypothesis, no id and no host path; and without the
    plugin it is still a test."""
    file = export(project, found(SHOP))
    text = (project.path / file).read_text()
    assert str(project.path) not in text
    for saved in (project.path / ".agentfuzz").iterdir():
        saved.unlink()
    project.file(
        "conftest.py",
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    print('hypothesis', 'hypothesis' in sys.modules)\n",
    )
    done = project.spawn(file)
    assert done.returncode == 1, done.stdout
    assert "AF101 charge_card ran 2x, expected 1" in done.stdout
    assert "hypothesis False" in done.stdout
    plain = project.spawn("-p", "no:agentfuzz.plugin", file)
    assert plain.returncode == 1
    assert "AF101" in plain.stdout
    project.file("test_shop.py", FIXED)
    assert project.spawn("-p", "no:agentfuzz.plugin", file).returncode == 0


def test_export_overwrites_nothing(project: Project, found: Found) -> None:
    """A file of that name is left alone."""
    name = found(SHOP)
    file = export(project, name)
    (project.path / file).write_text("# mine\n")
    again = project.run(f"--agentfuzz-export={name}")
    assert again.ret == 0
    again.stdout.fnmatch_lines([f"{file} exists, left alone"])
    assert (project.path / file).read_text() == "# mine\n"


def test_export_runs_no_test_and_works_beside_xdist(project: Project, found: Found) -> None:
    """Export collects and runs nothing, also where -n is among the options."""
    name = found(SHOP)
    done = project.spawn("-p", "xdist.plugin", "-n", "2", f"--agentfuzz-export={name}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"wrote test_{name.lower().replace('-', '_')}.py" in done.stdout
    assert "FAILED" not in done.stdout


def test_export_of_a_deleted_test_is_an_error(project: Project, found: Found) -> None:
    """The error names the id and the test."""
    name = found(SHOP)
    project.file("test_shop.py", "def test_other(): pass\n")
    assert project.run(f"--agentfuzz-export={name}").ret == 4
    result = project.run(f"--agentfuzz-export={name}", "test_shop.py")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {name} was found by test_shop.py::test_billing, which*"])


def test_a_parameter_that_is_no_literal_is_named(project: Project, found: Found) -> None:
    """A parameter that cannot be written as Python is named, with a cure."""
    result = project.run(f"--agentfuzz-export={found(BASE + OBJECT)}")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: *the parameter thing = <*Odd object> cannot be written*"])


def test_a_fixture_of_a_class_is_named(project: Project, found: Found) -> None:
    """What pytest would do for the class does not happen for an exported test: it is refused."""
    source = f'''
class TestShop:
    def setup_method(self):
        self.key = "{BUG}"

    {ONLY}    def test_it(self, world):
        return billing_agent(world.tools, self.key)
'''
    result = project.run(f"--agentfuzz-export={found(BASE + source)}")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: *needs setup_method or setup_class of its class*"])


def test_nothing_of_a_saved_file_becomes_code(project: Project, found: Found) -> None:
    """A title or plan with quotes and line breaks stays text in the exported file."""
    name = found(SHOP)
    path = project.path / f".agentfuzz/{name}.json"
    evil = r"x\"\"\"\nimport os\nos.mkdir('owned')\n\"\"\" \\"
    path.write_text(path.read_text().replace("charge_card ran 2x, expected 1", evil))
    file = export(project, name)
    project.run(file).assert_outcomes(failed=1)
    assert not (project.path / "owned").exists()
