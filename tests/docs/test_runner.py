"""The machine of a CI in `runner`: what its steps do and leave undone, before a workflow is judged
by it."""

import subprocess
from pathlib import Path

import pytest

from tests.docs.runner import Job, Runner

PATH = ".github/workflows/x.yml"
CACHED = """
      - uses: actions/cache@v6
        with: {path: kept, key: "k-${{ github.run_id }}", restore-keys: k-}
"""
HALVES = """
      - uses: actions/cache/restore@v6
        with: {path: kept, key: "k-${{ github.run_id }}", restore-keys: k-}
      - run: ls kept || echo nothing
      - run: mkdir -p kept && echo . > kept/${{ github.run_id }} && exit 1
      - uses: actions/cache/save@v6
        if: always()
        with: {path: kept, key: "k-${{ github.run_id }}"}
"""


class Shell:
    """An environment without a Python of its own."""

    def __init__(self, place: Path) -> None:
        place.mkdir()

    def run(self, words, folder, **more):
        given = {"PATH": "/usr/bin:/bin", **more}
        return subprocess.run(words, cwd=folder, env=given, text=True, stdout=subprocess.PIPE)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    (tmp_path / "project").mkdir()
    return Runner(tmp_path / "project", tmp_path / "jobs", Shell)


def job(runner: Runner, steps: str, event: str = "push") -> Job:
    """A job of these steps."""
    path = runner.project / PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "env: {WORD: \"${{ github.event_name == 'schedule' && 'night' || 'day' }}\"}\n"
    path.write_text(f"{head}jobs:\n  x:\n    steps:\n      - uses: actions/checkout@v7\n{steps}")
    return runner.github(PATH, event)


def test_after_a_red_step_only_what_asks_for_it_is_done(runner: Runner) -> None:
    """A step ends at its first failure; `if` says what follows all the same."""
    done = job(
        runner,
        """
      - run: |
          false
          echo after
      - run: echo plain
      - run: echo green
        if: ${{ success() && github.event_name == 'push' }}
      - run: echo always
        if: always()
      - run: echo failure
        if: failure()
      - run: echo kept
        if: ${{ !cancelled() && hashFiles('**/x.yml') != '' }}
      - run: echo none
        if: ${{ !cancelled() && hashFiles('**/nothing') != '' }}
""",
    )
    assert not done.green
    typed = [line for line in done.log.splitlines() if line and not line.startswith("$")]
    assert typed == [
        "echo after",
        "Error: Process completed with exit code 1.",
        "always",
        "failure",
        "kept",
    ]


def test_a_step_that_may_fail_leaves_the_job_green(runner: Runner) -> None:
    done = job(runner, "      - {run: exit 3, continue-on-error: true}\n      - run: echo $WORD\n")
    assert done.green
    assert done.log.endswith("day\n")
    assert job(runner, "      - run: echo $WORD\n", "schedule").log.endswith("night\n")


def test_a_summary_is_kept(runner: Runner) -> None:
    done = job(runner, '      - run: echo "# Told" >> "$GITHUB_STEP_SUMMARY"\n')
    assert done.summary == "# Told\n"


def test_a_cache_in_one_step_saves_nothing_of_a_red_job(runner: Runner) -> None:
    """In two halves it does, and the next job gets the newest."""
    steps = f"{CACHED}      - run: mkdir -p kept && touch kept/x"
    assert not job(runner, f"{steps} && exit 1\n").green
    assert "nothing" in job(runner, f"{CACHED}      - run: ls kept || echo nothing\n").log
    job(runner, f"{steps}\n")
    assert "x" in job(runner, f"{CACHED}      - run: ls kept\n").log.splitlines()
    job(runner, HALVES)
    assert "5" in job(runner, HALVES).log.splitlines()


def test_what_setup_python_refuses(runner: Runner) -> None:
    """A cache of pip wants a file that says what is installed."""
    steps = '      - {uses: actions/setup-python@v7, with: {python-version: "3", cache: pip}}\n'
    assert "requirements.txt" in job(runner, steps).log
    (runner.project / "requirements.txt").touch()
    assert job(runner, steps).green


def test_an_action_that_is_not_known_is_an_error(runner: Runner) -> None:
    with pytest.raises(AssertionError, match="nobody knows what actions/unheard@v1 does"):
        job(runner, "      - uses: actions/unheard@v1\n")


def test_a_pipeline_of_gitlab(runner: Runner) -> None:
    """What it includes, its variables, its two scripts in one shell; reports must be there."""
    (runner.project / "inner.yml").write_text("""
x:
  image: python:3.13
  variables: {FOLDER: inner}
  cache: {key: k, when: always, paths: [$FOLDER/kept]}
  before_script: [mkdir -p "$FOLDER", cd "$FOLDER", "cat kept/one || echo nothing"]
  script: [mkdir -p kept && echo two > kept/one, echo told > r.xml, "false | true"]
  artifacts:
    when: always
    paths: [$FOLDER/kept/]
    reports: {junit: $FOLDER/r.xml}
""")
    (runner.project / "main.yml").write_text("include:\n  - local: inner.yml\n")
    first, second = runner.gitlab("main.yml"), runner.gitlab("main.yml")
    assert (first.green, first.told) == (False, {"junit": "told\n"})
    assert (first.log, second.log) == ("nothing\n", "two\n")
