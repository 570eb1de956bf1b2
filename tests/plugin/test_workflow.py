"""Doors: `--agentfuzz-ci` writes a workflow that GitHub or GitLab takes, and overwrites nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from agentfuzz.plugin.profiles import PROFILES

from .conftest import Project

GITHUB, GITLAB = ".github/workflows/agentfuzz.yml", ".gitlab/agentfuzz.yml"
MAIN = ".gitlab-ci.yml"


def valid(schema: str, *paths: Path) -> None:
    """Fail where the official schema refuses a file."""
    pytest.importorskip("check_jsonschema")
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    for path in paths:
        done = subprocess.run([*words, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def steps(path: Path) -> list[dict[str, object]]:
    """The steps of the job in a workflow of GitHub."""
    found: list[dict[str, object]] = yaml.safe_load(path.read_text())["jobs"]["agentfuzz"]["steps"]
    return found


def test_github(project: Project) -> None:
    """The workflow is valid; a second call leaves it alone."""
    done = project.run("--agentfuzz-ci", "github")
    assert done.ret == 0
    assert done.outlines == [f"wrote {GITHUB}"]
    path = project.path / GITHUB
    valid("github-workflows", path)
    path.write_text("mine")
    assert project.run("--agentfuzz-ci", "github").outlines == [f"{GITHUB} exists, left alone"]
    assert path.read_text() == "mine"


def test_github_keeps_what_a_red_job_found(project: Project) -> None:
    """The cache, the reports and the SARIF file are kept whatever the campaigns came to, with no
    more rights than that takes; at night the profile is another one."""
    project.run("--agentfuzz-ci", "github")
    told = yaml.safe_load((project.path / GITHUB).read_text())
    after = [one for one in steps(project.path / GITHUB) if "if" in one]
    assert [str(one["uses"]).partition("@")[0] for one in after] == [
        "actions/cache/save",
        "actions/upload-artifact",
        "github/codeql-action/upload-sarif",
    ]
    assert all("!cancelled()" in str(one["if"]) for one in after)
    rights = told["jobs"]["agentfuzz"]["permissions"]
    assert rights == {"contents": "read", "actions": "read", "security-events": "write"}
    for name in ("ci", "nightly"):
        assert f"'{name}'" in told["env"]["PROFILE"]
        assert name in PROFILES


def test_gitlab_where_there_is_none(project: Project) -> None:
    """The job, and the file that includes it; both are valid, and left alone the next time."""
    done = project.run("--agentfuzz-ci", "gitlab")
    assert done.outlines == [f"wrote {GITLAB}", f"wrote {MAIN}"]
    valid("gitlab-ci", project.path / GITLAB, project.path / MAIN)
    again = project.run("--agentfuzz-ci", "gitlab")
    assert again.outlines == [f"{GITLAB} exists, left alone"]


def test_gitlab_beside_a_pipeline(project: Project) -> None:
    """What the project's own file needs is said; the file is not touched."""
    main = project.file(MAIN, "build:\n  script: [make]\n")
    done = project.run("--agentfuzz-ci", "gitlab")
    include = "include: [{local: .gitlab/agentfuzz.yml}]"
    assert done.outlines == [f"wrote {GITLAB}", f"add to {MAIN}: {include}"]
    assert main.read_text() == "build:\n  script: [make]\n"
    main.write_text(f"{include}\n{main.read_text()}")
    valid("gitlab-ci", main)
    assert project.run("--agentfuzz-ci", "gitlab").outlines == [f"{GITLAB} exists, left alone"]


@pytest.mark.parametrize(
    ("files", "installs"),
    [
        ({}, "pytest-agentfuzz"),
        ({"requirements.txt": "httpx\n"}, "pytest-agentfuzz -r requirements.txt"),
        ({"pyproject.toml": "[tool.ruff]\n"}, "pytest-agentfuzz"),
        ({"pyproject.toml": "not [ toml"}, "pytest-agentfuzz"),
        ({"setup.py": ""}, "pytest-agentfuzz -e ."),
        (
            {"pyproject.toml": "[build-system]\nrequires = []\n[dependency-groups]\ndev = []\n"},
            "pytest-agentfuzz -e . --group dev",
        ),
    ],
)
def test_it_installs_what_the_project_says(
    project: Project, files: dict[str, str], installs: str
) -> None:
    """With pip, from what there is; a file that cannot be read is for others to tell."""
    for name, text in files.items():
        project.file(name, text)
    args = [] if "pyproject.toml" not in files else ["-c", str(project.file("pytest.ini", ""))]
    project.run("--agentfuzz-ci", "github", *args)
    run = f"python -m pip install {installs}"
    assert run in [one.get("run") for one in steps(project.path / GITHUB)]


def test_with_a_start_it_installs_what_that_needs(project: Project) -> None:
    """One call writes both, the test first; the extra is in the workflow."""
    done = project.run("--agentfuzz-init", "langgraph", "--agentfuzz-ci", "github")
    done.stdout.fnmatch_lines(["wrote tests/test_agentfuzz_langgraph.py", f"wrote {GITHUB}"])
    valid("github-workflows", project.path / GITHUB)
    assert "pip install 'pytest-agentfuzz[langgraph]'\n" in (project.path / GITHUB).read_text()


@pytest.mark.parametrize("folder", ["agents", "my agents"])
def test_a_project_below_the_top_of_its_repository(project: Project, folder: str) -> None:
    """Workflows lie at the top, and name the folder in which pytest runs."""
    (project.path / ".git").mkdir()
    project.file(f"{folder}/pytest.ini", "[pytest]\n")
    done = project.spawn("--agentfuzz-ci", "github", cwd=folder)
    assert done.stdout == f"wrote ../{GITHUB}\n"
    path = project.path / GITHUB
    valid("github-workflows", path)
    assert yaml.safe_load(path.read_text())["env"]["FOLDER"] == folder
    project.spawn("--agentfuzz-ci", "gitlab", cwd=folder)
    told = yaml.safe_load((project.path / GITLAB).read_text())
    assert told["agentfuzz"]["variables"]["FOLDER"] == folder


def test_another_ci_is_an_error(project: Project) -> None:
    """Exit 4, with the nearest; nothing is written."""
    done = project.run("--agentfuzz-ci", "githb")
    assert done.ret == 4
    done.stderr.fnmatch_lines(
        ["ERROR: --agentfuzz-ci githb: must be one of github, gitlab. Did you mean 'github'?"]
    )
    assert not list(project.path.iterdir())


def test_what_the_workflows_type_is_understood(project: Project) -> None:
    """Their command, with the profile that they choose, runs the campaigns and nothing else."""
    project.shop()
    project.file("test_other.py", "def test_other(): pass\n")
    project.run("--agentfuzz-ci", "github")
    (run,) = [
        str(one["run"]) for one in steps(project.path / GITHUB) if one.get("name") == "Campaigns"
    ]
    words = run.replace('"$PROFILE"', "ci").split()
    assert words[:3] == ["python", "-m", "pytest"]
    words = words[: words.index("--agentfuzz-report")]
    done = project.run(*words[3:], "--agentfuzz-depth=1", "--agentfuzz-max-runs=80")
    done.assert_outcomes(failed=1, deselected=1)
