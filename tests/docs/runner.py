"""A job of a workflow, done as the machine of its CI does it: GitHub's steps, GitLab's script.

Law: what is typed is what the file says, by `bash -e`, in a clone of the project, in an environment
of its own; an action is known by what it does to files, and one that is not known is an error.
What a red job leaves undone is left undone. Used by `fresh`.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template
from types import SimpleNamespace
from typing import Any, NamedTuple

import yaml

from tests.docs.environment import Environment

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_STATUS = ("always", "cancelled", "failure", "success")


class StepFailed(Exception):
    """A step that ends its job, unless the step says otherwise."""


class Job(NamedTuple):
    """What came of a job: whether it is green, all that it printed, its summary, what it kept, and
    the code scanning or code quality that it told."""

    green: bool
    log: str
    summary: str
    kept: Mapping[str, Path]
    told: Any


class Runner:
    """Jobs of one project, one after the other; `cache` is what one leaves to the next."""

    def __init__(self, project: Path, place: Path, fresh: Callable[[Path], Environment]) -> None:
        self.project, self.place, self._fresh = project, place, fresh
        self.jobs = 0
        place.mkdir()
        self.cache = place / "cache"
        self.cache.mkdir()

    def github(self, path: str, event: str = "pull_request") -> Job:
        """The only job of a workflow of GitHub."""
        return _GitHub(self, yaml.safe_load((self.project / path).read_text("utf-8")), event).job()

    def gitlab(self, path: str) -> Job:
        """The job `agentfuzz` of a pipeline of GitLab, with what the pipeline includes."""
        told = yaml.safe_load((self.project / path).read_text("utf-8"))
        for one in told.pop("include", ()):
            told |= yaml.safe_load((self.project / one["local"]).read_text("utf-8"))
        (job,) = told.values()
        return _gitlab(self, job)

    def begin(self) -> tuple[Path, Environment]:
        """A clone of the project as it is now, and an environment without anything."""
        self.jobs += 1
        place = self.place / str(self.jobs)
        place.mkdir()
        work = place / "work"
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@x.invalid"]
        for words in (
            ["init", "--quiet"],
            ["add", "--all"],
            ["commit", "--quiet", "--allow-empty", "--message=x"],
            ["clone", "--quiet", ".", str(work)],
        ):
            subprocess.run([*git, *words], cwd=self.project, check=True, capture_output=True)
        return work, self._fresh(place / "venv")

    def keep(self, key: str, source: Path) -> None:
        """Put a folder into the cache, if it is there."""
        if source.is_dir():
            shutil.copytree(source, self.cache / key)

    def bring(self, keys: list[str], target: Path) -> None:
        """The newest folder in the cache whose key begins with one of these, put in its place."""
        entries = sorted(self.cache.iterdir(), key=lambda one: one.stat().st_mtime_ns)
        for key in keys:
            if found := [one for one in entries if one.name.startswith(key)]:
                shutil.copytree(found[-1], target, dirs_exist_ok=True)
                return


class _GitHub:
    """One job of GitHub's."""

    def __init__(self, runner: Runner, workflow: Mapping[str, Any], event: str) -> None:
        self._runner, self._red = runner, False
        (self._job,) = workflow["jobs"].values()
        self._work, self._environment = runner.begin()
        self._names: dict[str, Any] = {name: self._status(name) for name in _STATUS}
        self._names["hashFiles"] = lambda form: "x" * any(self._work.glob(form))
        run = {"event_name": event, "run_id": str(runner.jobs), "run_attempt": "1"}
        self._names["github"] = SimpleNamespace(**run)
        self._env = {name: self._text(value) for name, value in workflow.get("env", {}).items()}
        self._names["env"] = SimpleNamespace(**self._env)
        self._summary = self._work.parent / "summary.md"
        self._summary.touch()
        self._log: list[str] = []
        self._kept: dict[str, Path] = {}
        self._after: list[Callable[[], None]] = []
        self._told: Any = None

    def job(self) -> Job:
        """Do its steps."""
        for step in self._job["steps"]:
            if not self._applies(str(step.get("if", "success()"))):
                continue
            try:
                self._run(step) if "run" in step else self._use(step)
            except StepFailed as failed:
                self._log.append(f"Error: {failed}")
                self._red = self._red or not step.get("continue-on-error", False)
        for action in () if self._red else self._after:
            action()
        summary = self._summary.read_text("utf-8")
        return Job(not self._red, "\n".join(self._log), summary, self._kept, self._told)

    def _status(self, name: str) -> Callable[[], bool]:
        says = {"always": True, "cancelled": False}
        return lambda: says.get(name, self._red if name == "failure" else not self._red)

    def _applies(self, condition: str) -> bool:
        said = _EXPRESSION.sub(r"(\1)", condition)
        if not any(f"{name}()" in said for name in _STATUS):
            said = f"success() && ({said})"
        return bool(self._value(said))

    def _value(self, expression: str) -> Any:
        python = re.sub(r"!(?!=)", " not ", expression).replace("&&", " and ")
        return eval(python.replace("||", " or ").strip(), {"__builtins__": {}}, self._names)

    def _text(self, value: Any) -> str:
        return _EXPRESSION.sub(lambda one: str(self._value(one[1])), str(value))

    def _run(self, step: Mapping[str, Any]) -> None:
        words = self._work.parent / "step.sh"
        words.write_text(self._text(step["run"]), "utf-8")
        ran = self._environment.run(
            ["bash", "-e", str(words)],
            self._work / self._text(step.get("working-directory", ".")),
            CI="true",
            GITHUB_ACTIONS="true",
            GITHUB_WORKSPACE=str(self._work),
            GITHUB_STEP_SUMMARY=str(self._summary),
            GITHUB_OUTPUT=str(self._work.parent / "output"),
            GITHUB_EVENT_NAME=self._names["github"].event_name,
            GITHUB_RUN_ID=self._names["github"].run_id,
            **self._env,
        )
        self._log += [f"$ {self._text(step['run'])}", ran.stdout]
        if ran.returncode:
            raise StepFailed(f"Process completed with exit code {ran.returncode}.")

    def _use(self, step: Mapping[str, Any]) -> None:
        given = {name: self._text(value) for name, value in step.get("with", {}).items()}
        name = str(step["uses"]).partition("@")[0]
        path = self._work / given.get("path", given.get("sarif_file", "."))
        if name == "actions/setup-python":
            self._set_up(given)
        elif name in ("actions/cache", "actions/cache/restore"):
            self._runner.bring([given["key"], *given["restore-keys"].split()], path)
            if name == "actions/cache":  # its other half is done after a green job alone
                self._after.append(lambda: self._runner.keep(given["key"], path))
        elif name == "actions/cache/save":
            self._runner.keep(given["key"], path)
        elif name == "actions/upload-artifact":
            self._kept |= {given["name"]: path} if path.exists() else {}
        elif name == "github/codeql-action/upload-sarif":
            self._told = json.loads(path.read_text("utf-8"))
        else:
            assert name == "actions/checkout", f"nobody knows what {step['uses']} does"

    def _set_up(self, given: Mapping[str, str]) -> None:
        assert given["python-version"], "which Python?"
        listed = ("**/requirements.txt", "**/pyproject.toml")
        if given.get("cache") == "pip" and not any(any(self._work.glob(one)) for one in listed):
            raise StepFailed(f"No file matched to [{' or '.join(listed)}]")


def _gitlab(runner: Runner, job: Mapping[str, Any]) -> Job:
    work, environment = runner.begin()
    assert job["image"].startswith("python:"), "which Python?"
    variables = {name: str(value) for name, value in job.get("variables", {}).items()}
    (folder,) = (work / _filled(one, variables) for one in job["cache"]["paths"])
    runner.bring([job["cache"]["key"]], folder)
    words = work.parent / "script.sh"
    words.write_text("\n".join([*job.get("before_script", ()), *job["script"]]), "utf-8")
    told = {"CI": "true", "GITLAB_CI": "true", "CI_PROJECT_DIR": str(work), **variables}
    ran = environment.run(["bash", "-eo", "pipefail", str(words)], work, **told)
    shutil.rmtree(runner.cache / job["cache"]["key"], ignore_errors=True)
    assert job["cache"]["when"] == job["artifacts"]["when"] == "always"
    runner.keep(job["cache"]["key"], folder)
    kept = {one: work / _filled(one, variables) for one in job["artifacts"]["paths"]}
    reports = {
        name: (work / _filled(one, variables)).read_text("utf-8")
        for name, one in job["artifacts"]["reports"].items()
    }
    return Job(not ran.returncode, ran.stdout, "", kept, reports)


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return os.path.normpath(Template(text).substitute(variables))
