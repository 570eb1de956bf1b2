"""Places: a line of a file of the repository, whatever a location says."""

from dataclasses import replace
from pathlib import Path

import pytest

from agentfuzz.report.places import Place, Places, inside

from .hostile import PAYLOADS
from .samples import ALL

CX = ALL["double_charge"]


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("shop/agent.py:31 charge", Place("shop/agent.py", 31)),
        ("./shop/agent.py:31 charge", Place("shop/agent.py", 31)),
        ("shop/my agent.py:31 <lambda>", Place("shop/my agent.py", 31)),
        ("shop/a:b.py:31 charge", Place("shop/a:b.py", 31)),
        ("shop\\agent.py:31 charge", Place("shop/agent.py", 31)),
        ("C:\\shop\\agent.py:31 charge", Place("agent.py", 31)),
        ("/usr/lib/agent.py:31 charge", Place("agent.py", 31)),
        ("../other/agent.py:31 charge", Place("agent.py", 31)),
        ("shop/agent.py:31", Place("shop/agent.py", 31)),
        ("shop/agent.py:0 charge", Place("shop/agent.py", 1)),
        ("agent.py", Place("tests/test_shop.py", 1)),
        ("", Place("tests/test_shop.py", 1)),
        (None, Place("tests/test_shop.py", 1)),
    ],
)
def test_a_place_is_relative_and_inside(location: str | None, place: Place) -> None:
    """Whatever the machine wrote; without one it is the test."""
    assert Places().of(replace(CX, location=location)) == place


def test_a_project_in_a_folder_of_the_repository() -> None:
    """Its folder comes first; a path that leads out of the project may still be in the repository,
    and one that leads out of that is its file's name."""
    places = Places(inside="services/shop")
    assert places.of(CX).path == "services/shop/shop/agent.py"
    assert places.test("../common/test_a.py::test_a").path == "services/common/test_a.py"
    assert places.test("../../../test_a.py::test_a").path == "test_a.py"


def test_a_file_that_is_not_in_the_project_is_not_shown(tmp_path: Path) -> None:
    """A location outside it is a bare name, which would be a wrong file: then it is the test."""
    places = Places(root=tmp_path, lines={CX.nodeid: 12})
    assert places.of(CX) == Place("tests/test_shop.py", 12)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/agent.py").touch()
    assert places.of(CX) == Place("shop/agent.py", 31)


@pytest.mark.parametrize("payload", [*PAYLOADS, "x" * 5_000 + ".py:1 f", "\0:1 f", "..", "../.."])
def test_hostile_text_is_never_a_place_elsewhere(payload: str, tmp_path: Path) -> None:
    hostile = replace(CX, location=payload, nodeid=payload)
    for places in (Places(), Places(inside="a/b"), Places(root=tmp_path)):
        path = places.of(hostile).path
        assert path
        assert not path.startswith("/")
        assert ".." not in path.split("/")


# The folder in the repository ------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project two folders below a workspace."""
    root = tmp_path / "work/services/shop"
    root.mkdir(parents=True)
    return root


def test_without_git_and_without_a_ci_it_is_the_repository(project: Path) -> None:
    assert inside(project, {}) == ""


def test_the_workspace_of_a_ci_is_the_repository(project: Path) -> None:
    """Of GitHub or GitLab, if the project is in it."""
    work = project.parents[1]
    assert inside(project, {"GITHUB_WORKSPACE": str(work)}) == "services/shop"
    assert inside(project, {"CI_PROJECT_DIR": f"{work}/"}) == "services/shop"
    assert inside(project, {"GITHUB_WORKSPACE": str(project)}) == ""
    assert inside(project, {"GITHUB_WORKSPACE": str(work.parent / "other")}) == ""
    assert inside(project, {"GITHUB_WORKSPACE": ""}) == ""


def test_what_git_knows_is_the_repository(project: Path) -> None:
    """A checkout in a folder of the workspace, a worktree (where `.git` is a file), and a workspace
    that lies in a repository of somebody else's."""
    (project.parent / ".git").write_text("gitdir: elsewhere")
    assert inside(project, {}) == "shop"
    assert inside(project, {"GITHUB_WORKSPACE": str(project.parents[1])}) == "shop"
    assert inside(project, {"GITHUB_WORKSPACE": str(project)}) == ""


def test_a_project_behind_a_symbolic_link(project: Path, tmp_path: Path) -> None:
    """Where it really is, whichever of the two is the link."""
    link = tmp_path / "link"
    link.symlink_to(project.parents[1], target_is_directory=True)
    work = str(project.parents[1])
    assert inside(link / "services/shop", {"GITHUB_WORKSPACE": work}) == "services/shop"
    assert inside(project, {"GITHUB_WORKSPACE": str(link)}) == "services/shop"
