"""The reports of a session: which formats, where they are written, and what goes to a CI's log.

Law: a report that cannot be written is one line and changes no verdict; where it was asked for, a
session that would have passed ends with pytest's code for a wrong setting. Called by the session,
and at the very end by the hooks.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import pytest

from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.core.findings import CampaignResult
from agentfuzz.plugin.settings import setting
from agentfuzz.report import write
from agentfuzz.report.account import Account
from agentfuzz.report.formats import terminal
from agentfuzz.report.formats.format import Format
from agentfuzz.report.places import Places, inside


def formats(config: pytest.Config) -> list[Format]:
    """The formats of a session. Raises UsageError."""
    value = setting(config, "report")
    try:
        return write.chosen(value, os.environ)
    except AgentfuzzError as error:
        place = "--agentfuzz-report (agentfuzz_report)"
        raise pytest.UsageError(f"{place} = {value}: {error}") from None


class Reporting:
    """What one session writes. `shown` is the report that people open first, once it is there."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.root = config.rootpath
        self.folder = self.root / setting(config, "report-dir")
        self.name = os.path.relpath(self.folder, self.root).replace(os.sep, "/")
        self.formats = formats(config)
        self._pages = next((each.suffix for each in self.formats if each.cause), "")
        self.shown = ""
        self.begins: dict[str, int] = {}  # the line of each test
        self._log: list[str] = []

    def properties(self, result: CampaignResult) -> list[tuple[str, str]]:
        """What the report of a test carries."""
        return write.properties(setting(self.config, "report"), result)

    def pages(self, results: Sequence[CampaignResult]) -> dict[str, str]:
        """The path of the page that people open first of each finding, by its id; none where none
        is written."""
        return terminal.pages(results, self.name, self._pages) if self._pages else {}

    def at(self, report: pytest.TestReport) -> None:
        """Remember where a test begins."""
        self.begins[report.nodeid] = (report.location[1] or 0) + 1

    def write(self, results: Sequence[CampaignResult], exit_code: int | None) -> list[str]:
        """Write the files. Returns what went wrong, a line each."""
        places = Places(inside(self.root, os.environ), self.root, self.begins)
        told = Account(results=results, exit_code=exit_code, places=places)
        wrong = []
        try:
            files = write.write(self.folder, told, self.formats)
            indexes = {each.index for each in self.formats if each.session}
            self.shown = next(
                (f"{self.name}/{one.name}" for one in files if one.name in indexes), ""
            )
        except OSError as error:
            self._pages = ""
            wrong.append(_failed(error, self.name))
        try:
            write.append(told, self.formats, os.environ)
        except OSError as error:
            wrong.append(_failed(error, "the summary of the step"))
        self._log = [line for each in self.formats if each.lines for line in each.lines(told)]
        return wrong

    def asked(self) -> bool:
        """Whether an option of this session asks for reports."""
        options = ("--agentfuzz-report", "--agentfuzz-report-dir")
        return any(self.config.getoption(one) is not None for one in options)

    def log(self) -> None:
        """Print the lines for the log of a CI, whatever else a terminal shows."""
        lines, self._log = self._log, []
        with suppress(OSError, ValueError, AttributeError):  # nobody reads it any more
            encoding = sys.stdout.encoding or "ascii"
            for line in lines:
                sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            sys.stdout.flush()


def _failed(error: OSError, what: str) -> str:
    return f"agentfuzz: report not written ({error.strerror or error}): {what}"
