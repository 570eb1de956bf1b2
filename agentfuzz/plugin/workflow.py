"""The workflow that `--agentfuzz-ci` writes, for GitHub or GitLab.

Law: a workflow is a file in `starts/`; what differs from project to project is two lines of it: the
folder in which pytest runs, and what is installed before. Called by `start`.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from agentfuzz.core.errors import AgentfuzzError, near_miss

STARTS = Path(__file__).parent / "starts"
CIS = ("github", "gitlab")
INCLUDE = "include: [{local: .gitlab/agentfuzz.yml}]"


class Workflow(NamedTuple):
    """Files with their texts, and lines that say what is still to be done."""

    files: list[tuple[Path, str]]
    next: list[str]


def of(root: Path, ci: str, extra: str) -> Workflow:
    """The workflow for a project whose tests lie here. `extra` is the one of agentfuzz that they
    need, if they do. Raises AgentfuzzError for another CI."""
    if ci not in CIS:
        raise AgentfuzzError(
            f"--agentfuzz-ci {ci}: must be one of {', '.join(CIS)}.{near_miss(ci, CIS)}"
        )
    top = repository(root)
    text = _fitted(ci, root.relative_to(top).as_posix(), _installs(root, extra))
    if ci == "github":
        return Workflow([(top / ".github" / "workflows" / "agentfuzz.yml", text)], [])
    files, main = [(top / ".gitlab" / "agentfuzz.yml", text)], top / ".gitlab-ci.yml"
    if not main.exists():
        files.append((main, (STARTS / "gitlab-ci.yml").read_text(encoding="utf-8")))
    elif ".gitlab/agentfuzz.yml" not in main.read_text(encoding="utf-8", errors="replace"):
        return Workflow(files, [f"add to {main.name}: {INCLUDE}"])
    return Workflow(files, [])


def repository(folder: Path) -> Path:
    """The top of the git repository that this folder is in, or the folder itself."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def _fitted(ci: str, folder: str, installs: str) -> str:
    text = (STARTS / f"{ci}.yml").read_text(encoding="utf-8")
    shown = folder if re.fullmatch(r"[\w./-]+", folder) else json.dumps(folder)
    for words, before, after in (
        ("FOLDER: ", ".", shown),
        ("pip install ", "pytest-agentfuzz", installs),
    ):
        assert text.count(f"{words}{before}\n") == 1, words
        text = text.replace(f"{words}{before}\n", f"{words}{after}\n")
    return text


def _installs(root: Path, extra: str) -> str:
    """What pip is told to install: agentfuzz, and the project with what it needs."""
    words = [f"'pytest-agentfuzz[{extra}]'" if extra else "pytest-agentfuzz"]
    try:
        told = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or none that can be read: that is for others to tell
        told = {}
    if "build-system" in told or (root / "setup.py").is_file():
        words.append("-e .")
    if "dev" in told.get("dependency-groups", {}):
        words.append("--group dev")
    listed = ("requirements.txt", "requirements-dev.txt")
    words += [f"-r {name}" for name in listed if (root / name).is_file()]
    return " ".join(words)
