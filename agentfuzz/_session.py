"""One pytest session: runs `@fuzz` tests, gathers results, writes reports and the summary.

Law: one test is one campaign on one worker; a result travels as JSON on its test report, so that
xdist, plain runs and reruns take the same way; a report that cannot be written is one line and
changes no verdict. Called by the plugin.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ExceptionChainRepr, ReprEntryNative, ReprFileLocation, ReprTraceback

from agentfuzz import _died
from agentfuzz._fuzz import Fuzz
from agentfuzz._muted import muted
from agentfuzz._run import Agent, Simulation
from agentfuzz.codec import digest, dump
from agentfuzz.errors import AgentfuzzError
from agentfuzz.plugin import setting
from agentfuzz.report import sinks, terminal, write
from agentfuzz.report.details import details
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.confirm import relative
from agentfuzz.search.result import CampaignResult, Counterexample
from agentfuzz.search.saved import Saved, forget, load, load_all, save
from agentfuzz.search.transport import from_json, to_json

SAVED = ".agentfuzz"


class Failed(Exception):
    """A `@fuzz` test failed: the text to show instead of a traceback, and its one line."""

    def __init__(self, line: str, text: str) -> None:
        super().__init__(line)
        self.line = line
        self.text = text


class Session:
    """The agentfuzz side of one pytest session (of one worker, or of the controller)."""

    def __init__(self, config: pytest.Config, campaigns: bool) -> None:
        self.config = config
        self.campaigns = campaigns
        self.root = config.rootpath
        self.saved_dir = self.root / SAVED
        self.report_dir = self.root / setting(config, "report-dir")
        self.results: list[CampaignResult] = []
        self.lines: list[str] = []
        self.replay: str | None = config.getoption("--agentfuzz-replay")
        self._saved, notes = load_all(self.saved_dir)
        self.note(notes)
        if self.replay and self.replay.endswith(".json"):
            self._saved = [load(Path(self.replay))]
        self._written = ""
        self._untold: list[str] = []  # tests in which a process died before this session

    def note(self, lines: Iterable[str]) -> None:
        """Keep lines for the summary, each once however many workers say it."""
        self.lines += [line for line in dict.fromkeys(lines) if line not in self.lines]

    def saved_for(self, nodeid: str) -> list[Saved]:
        """The saved counterexamples of one test."""
        wanted = self.replay if self.replay and not self.replay.endswith(".json") else "all"
        return [s for s in self._saved if s.nodeid == nodeid and wanted in ("all", s.id)]

    # One test -----------------------------------------------------------------------------

    def run(self, item: pytest.Function, given: Fuzz) -> None:
        """Run one `@fuzz` test. Raises Failed when something was found."""
        try:
            if wanted := self.config.getoption("--agentfuzz-record"):
                self._record(item, given, wanted)
                return
            died = None if self.replay else _died.judge(self, item.nodeid, given.scenario.name)
            result = died or self._campaign(item, given)
        except AgentfuzzError as error:
            line = str(error).partition(". ")[0][:120]
            place = _place(error, self.root)
            raise Failed(line, f"{type(error).__name__}: {error}{place}") from error
        item.stash[_RESULT] = result
        for finding in result.findings:  # on the item, not a report: JUnit reads the last one
            item.user_properties.append(("agentfuzz.finding", finding.id))
            item.user_properties.append(("agentfuzz.code", finding.code))
        if given.plan is None:
            self._store(result)
        problems = result.findings
        nothing = [text for text in result.untested if text.startswith("AF801")]
        if problems:
            raise self.failure(problems, self._compared(result) if self.replay else [])
        if nothing:
            raise Failed(nothing[0], f"{nothing[0]}. A campaign without a fault proves nothing.")

    def failure(self, found: Sequence[Counterexample], more: Sequence[str] = ()) -> Failed:
        """How these findings are shown."""
        first, *others = found
        line = f"{first.code} {first.title}{f' (+{len(others)} more)' if others else ''}"
        text = terminal.blocks(found, ascii_only=not _unicode(sys.__stdout__))
        return Failed(line, "\n\n".join([text, *more]))

    def _record(self, item: pytest.Function, given: Fuzz, wanted: str) -> None:
        """Run the test once in real time with its real model, and write its cassette."""
        from agentfuzz.cassettes import record_run

        path = given.scenario.cassette
        if path is None or path != Path(
            os.path.abspath(self.config.invocation_params.dir / wanted)
        ):
            named = "no cassette" if path is None else f"the cassette {path.name}"
            pytest.skip(f"not recorded: its scenario names {named}, not {wanted}")
        turns = record_run(given.scenario, self._agent(item, given), path)
        self.note([f"agentfuzz: recorded {turns} turns of a model in {wanted}"])

    def _agent(self, item: pytest.Function, given: Fuzz) -> Agent:
        owner = [item.instance] if given.method else []
        names = item._fixtureinfo.argnames
        return given.agent(*owner, **{name: item.funcargs[name] for name in names})

    def _campaign(self, item: pytest.Function, given: Fuzz) -> CampaignResult:
        budget = Budget(
            max_runs=given.max_runs or setting(self.config, "max-runs"),
            max_seconds=setting(self.config, "max-time"),
            depth=setting(self.config, "faults"),
            seed=setting(self.config, "seed"),
        )
        with (
            closing(_died.ahead_of(self, item.nodeid, given.scenario.name)) as ahead,
            Simulation(setting(self.config, "run-timeout")) as simulation,
        ):
            campaign = Campaign(
                given.story(simulation),
                self._agent(item, given),
                simulation,
                nodeid=item.nodeid,
                space=given.space(),
                budget=budget,
                root=self.root,
                ahead=ahead,
            )
            simulation.watchdog.stuck = partial(_died.stuck, campaign)
            saved = self.saved_for(item.nodeid)
            if given.plan is not None:
                campaign.regress(given.plan, given.code)
            elif self.replay:
                campaign.plain(saved)
            elif self.campaigns:
                with muted(self.config):
                    campaign.search(saved)
                    self.forget(campaign.fixed)
                    return campaign.result()
            else:
                campaign.plain(saved)
                self.forget(campaign.fixed)
            return campaign.result()

    def forget(self, fixed: Sequence[Saved]) -> None:
        """These are no longer there: delete their files."""
        self._saved = [one for one in self._saved if one not in fixed]
        try:
            forget(self.saved_dir, fixed)
        except OSError as error:
            self.note([f"{SAVED} cannot be written: {error.strerror}"])

    def remember(self, found: Counterexample) -> None:
        """Save a finding that no test of this session has made."""
        self._untold.append(found.nodeid)
        self._saved = [one for one in self._saved if one.id != found.id]
        try:
            self._saved.append(load(save(self.saved_dir, found)))
        except OSError as error:
            self.note([f"agentfuzz: counterexamples not saved ({error.strerror})"])

    def _store(self, result: CampaignResult) -> None:
        """Keep the findings for the next session, instead of older ones of the same bug."""
        try:
            for finding in result.findings:
                old = [
                    s
                    for s in self._saved
                    if (s.nodeid, s.code, s.subject)
                    == (finding.nodeid, finding.code, finding.violation.subject)
                    and s.id != finding.id
                ]
                save(self.saved_dir, finding)
                forget(self.saved_dir, old)
        except OSError as error:
            self.note(
                [
                    f"agentfuzz: counterexamples not saved ({error.strerror}): {SAVED}/ cannot be "
                    "written, so they will not be replayed first"
                ]
            )

    def _compared(self, result: CampaignResult) -> list[str]:
        """Whether a replayed history is the one that was saved, byte for byte."""
        known = {saved.id: saved.digest for saved in self._saved}
        out = []
        for finding in result.findings:
            now = digest(finding.history)
            before = known.get(finding.id)
            if before is not None:
                same = "the same, byte for byte" if now == before else "another history than saved"
                out.append(f"  history  sha256 {now[:16]}  {same}")
        return out

    def told(self, item: pytest.Item, call: Any, report: pytest.TestReport) -> None:
        """Put the result on the test's report, and the block in place of a traceback."""
        result = item.stash.get(_RESULT, None)
        if result is not None:
            report.agentfuzz = dump(to_json(result))  # type: ignore[attr-defined]
        error = None if call.excinfo is None else call.excinfo.value
        if isinstance(error, Failed):
            self.show(report, error)

    def show(self, report: pytest.TestReport, failed: Failed) -> None:
        """Put the block in place of a traceback."""
        path, line, _ = report.location
        place = ReprFileLocation(path, (line or 0) + 1, failed.line)
        shown = [] if self.config.getoption("tbstyle", "auto") == "line" else [failed.text + "\n"]
        entry = ReprTraceback([ReprEntryNative(shown)], None, "native")
        report.longrepr = ExceptionChainRepr([(entry, place, None)])

    # The whole session --------------------------------------------------------------------

    def collect(self, text: str) -> None:
        """Take in one result, from this process or a worker."""
        self.results.append(from_json(json.loads(text)))

    def finish(self, session: pytest.Session) -> None:
        """Write the reports. Never raises: a full disk must not swallow the verdict."""
        _died.tell(self)  # a worker of xdist, if nobody has said so yet
        self.results.sort(key=lambda result: result.nodeid)  # workers finish in any order
        if set(self._untold) - {r.nodeid for r in self.results} and session.exitstatus in (0, 5):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if not self.results or not (self.campaigns or any(r.findings for r in self.results)):
            return
        shown = os.path.relpath(self.report_dir, self.root)
        try:
            write.write(self.report_dir, self.results)
            self._written = f"{shown}/index.html".replace(os.sep, "/")
        except OSError as error:
            self.note([f"agentfuzz: report not written ({error.strerror or error}): {shown}"])
            if self.config.getoption("--agentfuzz-report-dir") and session.exitstatus == 0:
                session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def summary(self, reporter: Any) -> None:
        """The agentfuzz section at the end of the session."""
        notes = [note for result in self.results for note in result.notes]
        found = any(result.findings for result in self.results)
        if not (self.campaigns or found or notes or self.lines):
            return
        reporter.section("agentfuzz", sep="=")
        lines = terminal.summary(self.results, report=self._written or None)
        if self.config.get_verbosity() < 0:
            lines = lines[:1]
        if self.config.get_verbosity() > 1:
            lines += [line for result in self.results for line in details(result)]
        for line in [*lines, *map(sinks.terminal, self.lines)]:
            reporter.write_line(line)


_RESULT = pytest.StashKey[CampaignResult]()


def _place(error: AgentfuzzError, root: Path) -> str:
    """The line of the user's own code that led to the error, if there is one."""
    frames = [
        (frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    users = [one for one in frames if not one[0].startswith((_OWN, "<"))]
    if not users:
        return ""
    path, line, name = users[-1]
    return f"\n  {relative(f'{path}:{line} in {name}', root)}"


_OWN = str(Path(__file__).parent)


def _unicode(stream: Any) -> bool:
    return "utf" in (getattr(stream, "encoding", None) or "").lower()
