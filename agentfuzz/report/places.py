"""Places in the repository: where a CI shows a finding.

Law: a path is relative to the repository, with `/`, and inside it; a finding whose line of code is
not known, or lies elsewhere, is shown at its test. Called by the formats that a CI reads, and (the
folder of the project in its repository) by the doors.
"""

import posixpath
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agentfuzz.core.findings import Counterexample

WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")  # where a runner of GitHub, GitLab checks out
_LOCATION = re.compile(r"(.+):(\d{1,9})(?: [^:]*)?")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file of the repository."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Places:
    """What is known of the files of a session. `inside` is the project's folder in its repository,
    empty for the repository itself; `root` the project's on this machine, to see whether a file is
    there (None: it is taken to be); `lines` where tests begin."""

    inside: str = ""
    root: Path | None = None
    lines: Mapping[str, int] = field(default_factory=dict)

    def of(self, cx: Counterexample) -> Place:
        """The line of the agent's code that a finding names, else its test."""
        found = _LOCATION.fullmatch(cx.location or "")
        if found is not None and self._is_there(found[1]):
            return Place(self._path(found[1]), max(int(found[2]), 1))
        return self.test(cx.nodeid)

    def test(self, nodeid: str) -> Place:
        """Where a test begins, or its file."""
        path = nodeid.partition("::")[0].partition("\n")[0]
        return Place(self._path(path or "tests"), max(self.lines.get(nodeid, 1), 1))

    def _is_there(self, path: str) -> bool:
        if self.root is None:
            return True
        with suppress(OSError, ValueError):
            return (self.root / path).is_file()
        return False

    def _path(self, path: str) -> str:
        """A path in the repository; what lies outside it is named by its file alone."""
        path = path.replace("\\", "/")
        whole = posixpath.normpath(posixpath.join(self.inside, path))
        if whole.startswith(("../", "/")) or whole == ".." or _DRIVE.match(path):
            name = path.rpartition("/")[2]
            return name if name.strip(".") else "tests"
        return whole


def inside(root: Path, environ: Mapping[str, str]) -> str:
    """The folder of a project in its repository, empty if it is the repository: the next folder
    above that git knows, but no higher than the workspace of the CI; without git, the workspace."""
    root = root.resolve()
    above = (root, *root.parents)
    given = [Path(environ[name]).resolve() for name in WORKSPACES if environ.get(name)]
    workspace = next((one for one in given if one in above), None)
    top = next((one for one in above if (one / ".git").exists()), workspace or root)
    if workspace is not None and workspace not in (top, *top.parents):
        top = workspace
    within = root.relative_to(top).as_posix()
    return "" if within == "." else within
