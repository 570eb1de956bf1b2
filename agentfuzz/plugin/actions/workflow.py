"""The workflow that `--agentfuzz-ci` writes, for GitHub or GitLab.

Law: a workflow is a file in `starts/`; what differs from project to project is the folder in which
pytest runs, and what is installed before (`installs`, `extras`). Called by `start`.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

from agentfuzz.core.errors import AgentfuzzError, near_miss
from agentfuzz.plugin.actions import extras, installs

STARTS = Path(__file__).parents[1] / "starts"
CIS = ("github", "gitlab")
INSTALL = "python -m pip install pytest-agentfuzz"
INCLUDE = "include: [{local: .gitlab/agentfuzz.yml}]"


class Workflow(NamedTuple):
    """Files with their texts, and lines that say what is still to be done."""

    files: list[tuple[Path, str]]
    next: list[str]


def of(root: Path, ci: str, extra: str) -> Workflow:
    """The workflow for a project whose tests lie here. `extra` is the one of agentfuzz that a
    start needs which is still to be written, if any. Raises AgentfuzzError for another CI."""
    if ci not in CIS:
        raise AgentfuzzError(
            f"--agentfuzz-ci {ci}: must be one of {', '.join(CIS)}.{near_miss(ci, CIS)}"
        )
    top = repository(root)
    needed = extras.used(root) | ({extra} if extra else set())
    folder = root.relative_to(top).as_posix()
    text = _fitted(ci, folder, installs.commands(root, top, needed))
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


def _fitted(ci: str, folder: str, commands: list[str]) -> str:
    """The file of this CI, with the project's folder and with what installs it, a line each."""
    text = (STARTS / f"{ci}.yml").read_text(encoding="utf-8")
    shown = folder if re.fullmatch(r"[\w./-]+", folder) else json.dumps(folder)
    if ci == "gitlab":
        typed = "\n    - ".join(commands)
    else:
        typed = "\n          ".join(["|", *commands] if commands[1:] else commands)
    for before, after in (("FOLDER: .\n", f"FOLDER: {shown}\n"), (f"{INSTALL}\n", f"{typed}\n")):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text
