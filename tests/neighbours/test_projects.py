"""Where a project lies, and what else is installed: several projects below one folder, and PyPI's
other `agentfuzz`."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import company
import pytest

from .conftest import IN_CI, ON, ROOT, Project, Seen, interpreter
from .sources import HEAD, INI, SHOP

pytestmark = pytest.mark.slow

Alone = Callable[[bool], Seen]
BUGGY = (
    HEAD.replace("from shop", "from shop_{name}")
    + """

@fuzz(charge_order)
def test_{name}(world):
    return billing_agent(world.tools)
"""
)
CD = "paths, and lines to paste, begin at the rootdir: cd "


# Several projects ---------------------------------------------------------------------------


@pytest.fixture
def mono(tmp_path: Path) -> Project:
    """Two projects, each with an ini file of its own, in a folder without one."""
    made = Project(tmp_path, interpreter("newest"))
    for name in ("one", "two"):
        made.file(f"{name}/pytest.ini", INI.replace("pythonpath = .\n", ""))
        made.file(f"{name}/tests/shop_{name}.py", SHOP)
        made.file(f"{name}/tests/test_{name}.py", BUGGY.replace("{name}", name))
    return made


def places(seen: Seen) -> set[str]:
    """The folders in which something is saved or reported."""
    return {name.rpartition("/")[0] for name in seen.files}


def codes(seen: Seen) -> set[str]:
    """The places in the code that are shown."""
    return set(re.findall(r"^  code +(\S+:\d+)", seen.output, re.MULTILINE))


def test_a_project_from_above_and_from_inside(mono: Project) -> None:
    """It is the same: its settings, its ids, its files, paths that begin at its root; and what to
    type where pytest was called elsewhere."""
    inside = mono.run(ON, cwd="one")
    assert places(inside) == {"one/.agentfuzz", "one/reports/agentfuzz"}
    assert codes(inside) == {"tests/shop_one.py:20"}
    assert inside.tests["tests.test_one::test_one"][1] == "AF101 charge_card ran 2x, expected 1"
    assert CD not in inside.output
    for words, cwd, where in (
        (["one"], ".", "one"),
        (["--rootdir=one", "one"], ".", "one"),
        ([], "one/tests", ".."),
    ):
        mono.forget()
        seen = mono.run(ON, *words, cwd=cwd)
        assert (seen.code, seen.files) == (1, inside.files), seen.output
        assert codes(seen) == codes(inside)
        assert f"{CD}{where}\n" in seen.output
    (name,) = {path for path in inside.files if path.startswith("one/.agentfuzz")}
    again = mono.run("--agentfuzz-replay", Path(name).stem, cwd="one/tests")
    assert "the same, byte for byte" in again.output


def test_several_projects_at_once(mono: Project) -> None:
    """With a root above them everything lies there, and can be replayed; without one, pytest takes
    the first project for the root, and a replay that does not know the others says so."""
    seen = mono.run(ON, "--rootdir=.", "one", "two")
    assert places(seen) == {".agentfuzz", "reports/agentfuzz"}
    assert codes(seen) == {"one/tests/shop_one.py:20", "two/tests/shop_two.py:20"}
    again = mono.run("--agentfuzz-replay", "all")
    assert again.output.count("the same, byte for byte") == 2
    first = mono.run(ON, "one", "two")
    assert places(first) - places(seen) == {"one/.agentfuzz", "one/reports/agentfuzz"}
    assert len(first.tests) == 2
    refused = mono.run("--agentfuzz-replay", "all", cwd="one")
    assert refused.code == 4
    assert "names the test tests/test_two.py::test_two, and" in refused.output
    known = mono.run("--agentfuzz-replay", "all", "one", "two")
    assert known.output.count("the same, byte for byte") == 2


# The other agentfuzz ------------------------------------------------------------------------

OTHER, OURS = "agentfuzz==0.4.0", "pytest-agentfuzz"
BOTH = "two distributions own the import package 'agentfuzz': pytest-agentfuzz and agentfuzz 0.4.0"


class Shared:
    """An environment into which this and the other distribution go."""

    def __init__(self, project: Project, python: Path, wheel: Path) -> None:
        self.project, self._python, self._wheel = project, python, wheel
        self.uninstall("agentfuzz", OURS)

    def _pip(self, *words: str | Path) -> None:
        command = (company.UV, "pip", words[0], "--quiet", "--python", self._python, *words[1:])
        subprocess.run(command, check=True)

    def install(self, name: str) -> None:
        self._pip("install", "--no-deps", "--reinstall", self._wheel if name == OURS else name)

    def uninstall(self, *names: str) -> None:
        self._pip("uninstall", *names)

    def run(self) -> Seen:
        return self.project.run(ON, PYTHONPATH="")


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    try:
        python = company.python_of("oldest", agentfuzz=False)
        build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist")
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        [wheel] = (tmp_path / "dist").glob("*.whl")
        made = Shared(Project(tmp_path, python), python, wheel)
        made.install(OTHER)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"the other agentfuzz cannot be installed: {error}"
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    for name, text in (("pytest.ini", INI), ("shop_x.py", SHOP)):
        made.project.file(name, text)
    made.project.file("test_x.py", BUGGY.replace("{name}", "x"))
    return made


def test_beside_the_other_agentfuzz(shared: Shared) -> None:
    """Installed before or after this one, it is named, and what to type; that helps. Uninstalled by
    itself it takes files along, which is said as well."""
    shared.install(OURS)
    seen = shared.run()
    assert (seen.code, seen.output.count(BOTH)) == (4, 1), seen.output
    assert "pip uninstall agentfuzz pytest-agentfuzz; pip install pytest-agentfuzz" in seen.output
    shared.uninstall("agentfuzz", OURS)
    shared.install(OURS)
    assert shared.run().tests["test_x::test_x"][1] == "AF101 charge_card ran 2x, expected 1"
    shared.install(OTHER)
    seen = shared.run()
    assert (seen.code, seen.output.count(BOTH)) == (4, 1), seen.output
    shared.uninstall("agentfuzz")
    seen = shared.run()
    assert seen.code == 4
    assert "pip install --force-reinstall pytest-agentfuzz" in seen.output
    shared.install(OURS)
    assert shared.run().tests["test_x::test_x"][1] == "AF101 charge_card ran 2x, expected 1"
