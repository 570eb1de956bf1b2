"""Doors: `--agentfuzz-ci` writes a workflow that GitHub or GitLab takes, and overwrites nothing."""

from pathlib import Path

import pytest
import yaml

from agentfuzz.plugin.profiles import PROFILES

from .conftest import Project
from .workflows import linted, valid

GITHUB, GITLAB = ".github/workflows/agentfuzz.yml", ".gitlab/agentfuzz.yml"
MAIN = ".gitlab-ci.yml"


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
    linted(path)
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


BUILT = "[build-system]\nrequires = []\n"
ALONE = '[project]\nname = "x"\nversion = "0"\ndependencies = ["httpx"]\n'
EXPORTED = "pip install pytest-agentfuzz -r locked.txt"
UV = "uv export --quiet --frozen --no-hashes --output-file locked.txt"
POETRY = "poetry export --all-groups --without-hashes --output locked.txt"
PIPENV = "pipenv requirements --dev > locked.txt"
HERE = 'uv pip install --python "$(command -v python)" pytest-agentfuzz -r pyproject.toml'


@pytest.mark.parametrize(
    ("files", "typed"),
    [
        ({}, ["pip install pytest-agentfuzz"]),
        ({"requirements.txt": "httpx\n"}, ["pip install pytest-agentfuzz -r requirements.txt"]),
        (
            {"requirements/base.txt": "", "requirements/test.txt": "", "dev-requirements.txt": ""},
            [
                "pip install pytest-agentfuzz -r requirements/base.txt -r dev-requirements.txt"
                " -r requirements/test.txt"
            ],
        ),
        (
            {"requirements.txt": "httpx==1 --hash=sha256:0\n"},
            ["pip install -r requirements.txt", "pip install pytest-agentfuzz"],
        ),
        ({"pyproject.toml": "[tool.ruff]\n"}, ["pip install pytest-agentfuzz"]),
        ({"pyproject.toml": "not [ toml"}, ["pip install pytest-agentfuzz"]),
        ({"pyproject.toml": "project = 1\ntool = 2\n"}, ["pip install uv", HERE]),
        ({"setup.py": ""}, ["pip install pytest-agentfuzz -e ."]),
        (
            {"pyproject.toml": f"{BUILT}[dependency-groups]\ndev = []\ndocs = []\n"},
            ["pip install pytest-agentfuzz -e . --group dev"],
        ),
        (
            {"pyproject.toml": f"{BUILT}{ALONE}[project.optional-dependencies]\ntest = []\n"},
            ["pip install pytest-agentfuzz -e '.[test]'"],
        ),
        ({"pyproject.toml": ALONE}, ["pip install uv", HERE]),
        (
            {"pyproject.toml": f"{ALONE}[project.optional-dependencies]\ndev = []\n"},
            ["pip install uv", f"{HERE} --extra dev"],
        ),
        (
            {"pyproject.toml": f"{ALONE}[dependency-groups]\ntest = []\n"},
            ["pip install uv", f"{HERE} --group test"],
        ),
        ({"pyproject.toml": ALONE, "uv.lock": ""}, ["pip install uv", UV, EXPORTED]),
        ({"pyproject.toml": BUILT, "uv.lock": ""}, ["pip install uv", UV, EXPORTED]),
        (
            {"pyproject.toml": BUILT, "poetry.lock": ""},
            [
                "pip install poetry-plugin-export",
                POETRY,
                "pip install pytest-agentfuzz -e . -r locked.txt",
            ],
        ),
        (
            {
                "pyproject.toml": f"{BUILT}[tool.poetry]\npackage-mode = false\n",
                "poetry.lock": "",
            },
            ["pip install poetry-plugin-export", POETRY, EXPORTED],
        ),
        ({"Pipfile": "", "Pipfile.lock": ""}, ["pip install pipenv", PIPENV, EXPORTED]),
        ({"Pipfile": ""}, ["pip install pipenv", f"pipenv lock && {PIPENV}", EXPORTED]),
    ],
)
def test_it_installs_what_the_project_says(
    project: Project, files: dict[str, str], typed: list[str]
) -> None:
    """From what there is, a lock first; a file that cannot be read is for others to tell. Both
    workflows type the same, and are valid."""
    for name, text in files.items():
        project.file(name, text)
    args = [] if "pyproject.toml" not in files else ["-c", str(project.file("pytest.ini", ""))]
    project.run("--agentfuzz-ci", "github", *args)
    project.run("--agentfuzz-ci", "gitlab", *args)
    expected = [f"python -m {one}" if one.startswith("pip ") else one for one in typed]
    (run,) = [one["run"] for one in steps(project.path / GITHUB) if "install" in str(one)]
    assert str(run).splitlines() == expected
    before = yaml.safe_load((project.path / GITLAB).read_text())["agentfuzz"]["before_script"]
    assert before == ['cd "$FOLDER"', *expected]
    linted(project.path / GITHUB)


@pytest.mark.parametrize(
    ("source", "installed"),
    [
        ("from agentfuzz import fuzz, scenario\n", "pytest-agentfuzz"),
        ("from agentfuzz import fuzz, wire\n", "'pytest-agentfuzz[wire]'"),
        ("import agentfuzz.wire as w\n", "'pytest-agentfuzz[wire]'"),
        ("from agentfuzz import wire\nwire.mcp.mount\n", "'pytest-agentfuzz[mcp,wire]'"),
        ("from agentfuzz import adapters\nadapters.trio, adapters.testing\n", "pytest-agentfuzz"),
        (
            "from agentfuzz import adapters\nadapters.pydantic_ai.tools(world)\n",
            "'pytest-agentfuzz[pydantic-ai]'",
        ),
        ("import agentfuzz.adapters.langgraph\n", "'pytest-agentfuzz[langgraph]'"),
        ("from agentfuzz import fuzz\nworld.serve()\n", "'pytest-agentfuzz[mcp,wire]'"),
        ("import wire\nwire.cut()\n", "pytest-agentfuzz"),
        ("agentfuzz is no Python\n", "pytest-agentfuzz"),
    ],
)
def test_it_installs_the_extras_that_the_tests_need(
    project: Project, source: str, installed: str
) -> None:
    """By what their files import; not by those of an environment in the folder."""
    project.file("inner/helpers.py", source)
    project.file("env/pyvenv.cfg", "")
    project.file("env/lib/x.py", "from agentfuzz.adapters import crewai\n")
    project.run("--agentfuzz-ci", "github")
    assert f"pip install {installed}\n" in (project.path / GITHUB).read_text()


def test_the_lock_of_a_workspace_is_that_of_its_members(project: Project) -> None:
    """uv keeps one at the top; beyond the repository nothing is looked for."""
    project.file("uv.lock", "")
    for folder in ("inner/agents", "agents"):
        project.file(f"{folder}/pyproject.toml", f"{ALONE}[tool.pytest.ini_options]\n")
    (project.path / "inner" / ".git").mkdir()
    project.spawn("--agentfuzz-ci", "github", cwd="inner/agents")
    assert f"{HERE}\n" in (project.path / "inner" / GITHUB).read_text()
    (project.path / ".git").mkdir()
    project.spawn("--agentfuzz-ci", "github", cwd="agents")
    assert f"{UV}\n" in (project.path / GITHUB).read_text()


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
    linted(path)
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
    done = project.run(*words[3:], "--agentfuzz-depth=1", "--agentfuzz-max-runs=80")
    done.assert_outcomes(failed=1, deselected=1)
