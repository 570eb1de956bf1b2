"""A release: what is in its archives, what its changelog tells, and that one place says each thing.

Law: `make release-check` would find what is missing, what is too much and what is not told. The
part of it that needs an index is not run here.
"""

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import release

import agentfuzz
from agentfuzz.plugin.hooks import DISTRIBUTION

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
GIT = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout of git")


def test_the_version_is_told_in_one_place() -> None:
    """The package says it, and the archives read it there."""
    assert release.version_of() == agentfuzz.__version__
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]
    assert PROJECT["name"] == DISTRIBUTION


def test_the_changelog_tells_the_version() -> None:
    """That of the package, released or to come."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert list(release.untold(agentfuzz.__version__, changelog)) == []


FIRST = "## [0.1.0] - 2026-11-22\n\n- One.\n"


@pytest.mark.parametrize(
    ("changelog", "wrong"),
    [
        (f"## [Unreleased]\n\nWill be 0.2.0.\n\n{FIRST}", ""),
        (f"## [Unreleased]\n\n## [0.2.0] - 2026-12-24\n\n- Two.\n\n{FIRST}", ""),
        (f"## [Unreleased]\n\nMore.\n\n{FIRST}", "does not tell of 0.2.0"),
        (f"## [Unreleased]\n\n- x\n\n## [0.2.0] - 2026-12-24\n\n{FIRST}", "something unreleased"),
        (f"## [Unreleased]\n\n## [0.2.0]\n\n{FIRST}", "no date for 0.2.0"),
        (f"## [0.2.0] - 2026-12-24\n\n{FIRST}", "does not begin with ## [Unreleased]"),
        ("## [Unreleased]\n\n## [0.3.0] - 2027-01-01\n\n## [0.2.0] - 2026-12-24\n", "older than"),
        ("", "does not begin"),
    ],
)
def test_what_a_changelog_does_not_tell_is_found(changelog: str, wrong: str) -> None:
    """Each way of being out of date, by itself."""
    found = list(release.untold("0.2.0", f"# Changelog\n\n{changelog}"))
    assert len(found) == bool(wrong), found
    assert all(wrong in line for line in found)


def text_of(name: str) -> str:
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@GIT
def test_the_addresses_of_the_project_are_told_in_one_place() -> None:
    """Nothing but `pyproject.toml` names one: who needs one asks the installed package."""
    told = release.addresses()
    assert set(told) >= {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
    hosts = {urlsplit(address).netloc for address in told.values()}
    naming = {
        name
        for name in release.tracked()
        for host in hosts
        if host in text_of(name) and name != "pyproject.toml"
    }
    assert naming == set()


def test_what_should_not_be_there_and_what_is_missing_are_named() -> None:
    """In one line each."""
    assert list(release.different({"a", ".env"}, {"a", "b"})) == [
        ".env should not be there",
        "b is missing",
    ]


@pytest.mark.parametrize(
    ("component", "licences"),
    [
        ({"licenses": [{"license": {"id": "MIT"}}, {"license": {"id": "MIT"}}]}, ["MIT"]),
        ({"licenses": [{"expression": "Apache-2.0 OR MIT"}]}, ["Apache-2.0 OR MIT"]),
        ({"licenses": [{"license": {"name": "BSD"}}]}, ["BSD"]),
        ({"licenses": [{"license": {}}]}, []),
        ({}, []),
    ],
)
def test_licences_are_read_in_each_form(component: dict[str, object], licences: list[str]) -> None:
    """As an id, an expression or a name; one that says nothing is none."""
    assert release.licences_of(component) == licences


@GIT
@pytest.mark.slow
def test_the_archives_are_the_checkout_and_the_package(tmp_path: Path) -> None:
    """The source archive has every file and no other, the wheel that is built of it has the package
    and its licence; both say what they are."""
    pytest.importorskip("build")
    sdist, made = release.built(tmp_path)
    files = release.tracked("--cached", "--others", "--exclude-standard")
    assert list(release.archives(sdist, made, files)) == []
    said = release.metadata(made)
    assert dict(line.split(", ", 1) for line in said.get_all("Project-URL", [])) == (
        release.addresses()
    )
    assert list(release.archives(sdist, made, {*files, "agentfuzz/more.py"})) == [
        f"{sdist.name}: agentfuzz/more.py is missing",
        f"{made.name}: agentfuzz/more.py is missing",
    ]
