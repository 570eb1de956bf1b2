"""The findings of a session: what is saved of them, noted about them, and shown.

Law: what one session found is the first thing that the next one runs; a folder that cannot be
written is one line and changes no verdict. Used by the session, and by what tells of processes
that died.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from shlex import quote

import pytest
from _pytest._code.code import ExceptionChainRepr, ReprEntryNative, ReprFileLocation, ReprTraceback

from agentfuzz.archive.saved import Saved, find, forget, load, load_all, save
from agentfuzz.archive.shared import Shared
from agentfuzz.core import escaping
from agentfuzz.core.codec import digest
from agentfuzz.core.errors import SavedFileError
from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.core.lanes import shows_ascii_only
from agentfuzz.core.migrations import migrated
from agentfuzz.plugin import database
from agentfuzz.report.formats import terminal
from agentfuzz.telling.causes import causes

SAVED = ".agentfuzz"
ELSEWHERE = ": as told in "


class Failed(Exception):
    """A `@fuzz` test failed: the text to show instead of a traceback, and its one line."""

    def __init__(self, line: str, text: str) -> None:
        super().__init__(line)
        self.line = line
        self.text = text


class Broken(Failed, AssertionError):
    """A `@fuzz` test failed because something was found: an AssertionError, as every violation.
    `after` is what is said after its blocks."""

    def __init__(self, line: str, text: str, after: Sequence[str] = ()) -> None:
        super().__init__(line, "\n\n".join([text, *after]))
        self.after = list(after)


class Findings:
    """The counterexamples in `.agentfuzz/` and the lines about them. `lines` are for the summary,
    `untold` the tests in which a process died before this session."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.root = config.rootpath
        self.folder = self.root / SAVED
        self.lines: list[str] = []
        self.untold: list[str] = []
        self.replay: str | None = config.getoption("--agentfuzz-replay")
        self._shared = Shared(partial(database.opened, config, self.note), self.note)
        self.read()

    def read(self) -> None:
        """Take in what is saved now, or what of it is to be replayed."""
        self._saved, notes = load_all(self.folder)
        self.note(notes)
        if self.replay is not None:
            file = self.replay.endswith(".json")
            self._saved = [load(Path(self.replay))] if file else find(self._saved, self.replay)

    def note(self, lines: Iterable[str]) -> None:
        """Keep lines for the summary, each once however many workers say it."""
        self.lines += [line for line in dict.fromkeys(lines) if line not in self.lines]

    def elsewhere(self) -> list[str]:
        """What there is to say where the paths that are shown do not begin where pytest was
        called."""
        root = os.path.relpath(self.root, self.config.invocation_params.dir)
        cure = f"paths, and lines to paste, begin at the rootdir: cd {quote(Path(root).as_posix())}"
        return [] if root == os.curdir else [cure]

    def saved_for(self, nodeid: str) -> list[Saved]:
        """The saved counterexamples of one test, those that were written last first, then those
        that others have shared."""
        own = [one for one in self._saved if one.nodeid == nodeid]
        known = {one.bug for one in own}
        return own + [one for one in self._shared.of(nodeid) if one.bug not in known]

    def forget(self, fixed: Sequence[Saved]) -> None:
        """These are no longer there: delete their files."""
        self._shared.forget(fixed)
        self._delete(fixed)

    def _delete(self, gone: Sequence[Saved]) -> None:
        own = [one for one in self._saved if one in gone]
        self._saved = [one for one in self._saved if one not in gone]
        try:
            forget(self.folder, own)
        except OSError as error:
            self.note([f"{SAVED} cannot be written: {error.strerror}"])

    def told_elsewhere(self, again: Sequence[Counterexample]) -> None:
        """Another test tells these: what is saved of them here is not replayed any more."""
        self._delete([one for finding in again for one in self._of(finding)])

    def retract(self, again: Sequence[Counterexample]) -> None:
        """A test of another process tells these, and this one's has saved them."""
        self.read()
        self.forget([one for finding in again for one in self._of(finding)])

    def remember(self, found: Counterexample) -> None:
        """Save a finding that no test of this session has made."""
        self.untold.append(found.nodeid)
        self._saved = [one for one in self._saved if one.id != found.id]
        try:
            self._saved.append(load(save(self.folder, found)))
        except OSError as error:
            self.note([f"agentfuzz: counterexamples not saved ({error.strerror})"])
        except SavedFileError as error:  # a newer agentfuzz wrote the file of this id
            self.note([f"AF903 {error}; left where it is"])

    def store(self, result: CampaignResult, *, share: bool = True) -> None:
        """Keep the findings for the next session, instead of older ones of the same bug."""
        if share:
            self._shared.keep(result)
        try:
            ids = {finding.id for finding in result.findings}
            for finding in result.findings:
                old = [one for one in self._of(finding) if one.id not in ids]
                was = next((one for one in old if _today(one, finding)), None)
                save(self.folder, finding, was.id if was else "")
                forget(self.folder, old)
                if was is not None and not finding.id.startswith(was.id):
                    self.note(
                        [
                            f"agentfuzz: {was.id} is {finding.id} from now on: its plan is written "
                            f"{finding.plan}"
                        ]
                    )
        except OSError as error:
            self.note(
                [
                    f"agentfuzz: counterexamples not saved ({error.strerror}): {SAVED}/ cannot be "
                    "written, so they will not be replayed first"
                ]
            )

    def _of(self, finding: Counterexample) -> list[Saved]:
        """What is saved of the same bug."""
        bug = (finding.nodeid, finding.code, finding.violation.subject)
        return [one for one in self._saved if (one.nodeid, one.code, one.subject) == bug]

    def compared(self, result: CampaignResult) -> list[str]:
        """Whether a replayed history is the one that was saved, byte for byte."""
        out = []
        for finding in result.findings:
            saved = next((one for one in self._of(finding) if _today(one, finding)), None)
            if saved is not None:
                now = digest(finding.history, saved.format)
                same = "the same, byte for byte"
                if now != saved.digest:
                    same = "another history than saved"
                out.append(f"  history  sha256 {now[:16]}  {same}")
        return out

    def failure(
        self, result: CampaignResult, more: Sequence[str] = (), at: Mapping[str, str] = {}
    ) -> Failed:
        """How what is new in a result is shown; `at` are its pages."""
        first, *others = causes(result.new)
        line = f"{first.lead.code} {first.lead.title}{f' (+{len(others)} more)' * bool(others)}"
        elsewhere = "\n".join(
            escaping.terminal(f"  {what}{ELSEWHERE}{test}") for what, test in result.told.items()
        )
        text = terminal.blocks(result.new, ascii_only=shows_ascii_only(sys.__stdout__), at=at)
        return Broken(escaping.terminal(line), text, [*filter(None, [elsewhere]), *more])

    def show(self, report: pytest.TestReport, failed: Failed) -> None:
        """Put the block in place of a traceback."""
        path, line, _ = report.location
        place = ReprFileLocation(path, (line or 0) + 1, failed.line)
        shown = [] if self.config.getoption("tbstyle", "auto") == "line" else [failed.text + "\n"]
        entry = ReprTraceback([ReprEntryNative(shown)], None, "native")
        report.longrepr = ExceptionChainRepr([(entry, place, None)])


def _today(saved: Saved, finding: Counterexample) -> bool:
    """Whether a finding is the very plan that was saved, perhaps in an older format."""
    return migrated(saved.plan, finding.history.tools) == finding.plan
