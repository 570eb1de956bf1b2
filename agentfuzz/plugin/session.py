"""One pytest session: runs `@fuzz` tests, gathers results, writes reports and the summary.

Law: one test is one campaign on one worker; a result travels as JSON on its test report, so that
xdist, plain runs and reruns take the same way; a report that cannot be written is one line and
changes no verdict. Called by the plugin.
"""

import os
from collections.abc import Mapping
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn
from unittest import SkipTest

import pytest

from agentfuzz._fuzz import Fuzz
from agentfuzz.archive.transport import to_json
from agentfuzz.core import escaping
from agentfuzz.core.codec import dump, message
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.secrets.redaction import redacted
from agentfuzz.engine.outcomes import Outcomes
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.plugin import capture, existing, misuse, paths, reruns, strict
from agentfuzz.plugin.allowance import Allowance
from agentfuzz.plugin.baseline import baseline
from agentfuzz.plugin.carried import asked
from agentfuzz.plugin.ends import interruption, process_death, timeouts
from agentfuzz.plugin.findings import Broken, Failed, Findings
from agentfuzz.plugin.fixtures.each_run import EachRun
from agentfuzz.plugin.recording import Recording
from agentfuzz.plugin.reporting import Reporting
from agentfuzz.plugin.reruns import Reruns
from agentfuzz.plugin.settings import executor, memo, profile_line, setting, strict_on, workers
from agentfuzz.plugin.sharding import dealing
from agentfuzz.plugin.shown import summary
from agentfuzz.plugin.shown.progress import ProgressLine
from agentfuzz.plugin.shown.retold import Retold
from agentfuzz.plugin.shown.told import TOOLS, Told, tools_of
from agentfuzz.runtime.clock import FOREVER
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign

REPLAYING = 2.0  # real seconds of a plain test in which saved findings are replayed
SERVE = "--agentfuzz-serve"  # two descriptors: runs are made for the campaign of another process
FRESH = ("--agentfuzz", "-p", "no:cacheprovider", "-p", "no:terminal")
OUTCOMES = Outcomes(
    leave=(pytest.skip.Exception, pytest.xfail.Exception, pytest.exit.Exception, SkipTest),
    fail=(pytest.fail.Exception,),
)


class Session:
    """The agentfuzz side of one pytest session (of one worker, or of the controller)."""

    def __init__(self, config: pytest.Config, campaigns: bool) -> None:
        self.config = config
        self.campaigns = campaigns
        self.strict = strict_on(config)
        self.root = config.rootpath
        self.reporting = Reporting(config)
        self.results: list[CampaignResult] = []
        self.unreported: CampaignResult | None = None  # its test is over, and pytest tells it
        self.findings = Findings(config)
        self.retold = Retold(config, self.findings)
        self.telling = Told()
        self.reruns = Reruns()
        self.allowance = Allowance(config)
        self.workers: list[int] = []  # of xdist: their processes
        self.left = False  # this worker has left an unfinished test to its controller
        self.recording = Recording(config)
        self.baseline = baseline.of(config)

    # One test -----------------------------------------------------------------------------

    def run(self, item: pytest.Function, carried: Fuzz | Mapping[str, Any]) -> None:
        """Run one test: of `@fuzz`, or one that exists. Raises Failed when something was found."""
        try:
            given = carried if isinstance(carried, Fuzz) else existing.made(item, carried)
            misuse.no_fixture_first(item, given)
            reruns.begin(item, self.findings)
            if self.recording.wanted:
                told = self.recording.run(given.scenario, self._agent(item, given))
                self.findings.note([told])
                return
            died = (
                None
                if self.findings.replay
                else process_death.judge(self.findings, item.nodeid, given.scenario.name)
            )
            result = died or self._campaign(item, given)
            if given.existing is not None:
                result = existing.judged(item, given.existing, result)
        except interruption.Interrupted as interrupted:
            result = timeouts.struck(item, interrupted.result) or self._unfinished(interrupted)
        except AgentfuzzError as error:
            existing.left_alone(item, error)
            line = str(error).partition(". ")[0][:120]
            place = misuse.place(error, self.root)
            text = redacted(f"{type(error).__name__}: {error}{place}")
            raise Failed(redacted(line), text) from error
        if given.plan is None:
            self.findings.store(result, share=result.stopped != "timeout")
        more = self.findings.compared(result) if self.findings.replay else []
        # From here on it is told.
        result = item.stash[reruns.RESULT] = self.baseline.judged(redacted(result))
        self.unreported = result
        # On the item, not a report: JUnit reads the last one.
        item.user_properties += self.reporting.properties(result)
        nothing = [text for text in result.untested if text.startswith("AF801")]
        runs = "max_runs= of this test" if given.max_runs else "--agentfuzz-max-runs"
        bounds = {"max_runs": runs, "max_time": self.allowance.bound}
        if result.new:
            more += self.baseline.lines(result)
            raise self.findings.failure(result, more, self.reporting.pages([result]))
        if result.stopped == "timeout":
            raise timeouts.failure(item)
        if nothing:
            lines = [f"{nothing[0]}. A campaign without a fault proves nothing.", *result.escapes]
            lines += [f"Raise {bounds[result.stopped]}."] if result.stopped in bounds else []
            raise Failed(nothing[0], "\n".join(map(escaping.terminal, lines)))
        if self.campaigns and not self.findings.replay and given.plan is None and self.strict:
            laws = given.scenario.invariants
            declared = [law.name for law in laws if law.name not in given.scenario.implied]
            if lacking := strict.left_open(result, declared, bounds):
                raise strict.failure(lacking)
            self.baseline.no_rest(result)

    def _unfinished(self, interrupted: interruption.Interrupted) -> NoReturn:
        """Keep what a test had found when the session was interrupted in it. It gets no report of
        its own any more."""
        with interruption.undisturbed():
            self.findings.store(interrupted.result, share=False)
            result = self.baseline.judged(redacted(interrupted.result))
            if hasattr(self.config, "workerinput"):
                self.left = True
                interruption.leave(self.findings.folder, result)
            else:
                self.results.append(result)
        raise KeyboardInterrupt from None

    def _agent(self, item: pytest.Function, given: Fuzz) -> Agent:
        owner = [item.instance] if given.method else []
        return given.agent(*owner, **{name: item.funcargs[name] for name in asked(item)})

    def _campaign(self, item: pytest.Function, given: Fuzz) -> CampaignResult:
        agent, around = self._agent(item, given), None
        if given.each_run:
            around = EachRun(item, given)
            agent = around.agent
        budget = Budget(
            max_runs=given.max_runs or setting(self.config, "max-runs"),
            max_seconds=self.allowance.of(item),
            depth=setting(self.config, "depth"),
            seed=setting(self.config, "seed"),
            workers=workers(self.config),
            memo="off" if around else memo(self.config),  # it knows nothing of what they hold
        )
        with (
            closing(process_death.log_of(self.findings, item.nodeid, given.scenario.name)) as log,
            closing(dealing(self.config, self.reporting.folder, item.nodeid)) as dealt,
            capture.terminal(self.config) as screen,
            Simulation(
                setting(self.config, "run-timeout"),
                OUTCOMES,
                allow_network=given.allow_network,
                around=around,
            ) as simulation,
            closing(ProgressLine(self.config, screen)) as line,
            nullcontext() if given.existing is None else given.existing.looking(),
            timeouts.minded(item),
        ):
            campaign = Campaign(
                given.scenario,
                agent,
                simulation,
                nodeid=item.nodeid,
                space=given.space(),
                budget=budget,
                root=self.root,
                crash_log=log,
                same_as=given.same_as,
                watch=line,
                fresh=[
                    *process_death.command(self.config),
                    *FRESH,
                    *existing.again(item),
                    *paths.again(),
                    item.nodeid,
                    SERVE,
                ],
                cluster=executor(self.config),
                dealing=dealt,
            )
            if serves := self.config.getoption(SERVE):
                campaign.runner.serve(*map(int, serves.split(",")))
                os._exit(0)
            simulation.watchdog.ends_process(partial(process_death.stuck, campaign, screen), screen)
            saved = self.findings.saved_for(item.nodeid)
            searches = self.campaigns and given.plan is None and not self.findings.replay
            with capture.muted(self.config) if searches else nullcontext():
                try:
                    if given.plan is not None:
                        campaign.regress(given.plan, given.code)
                    elif searches:
                        campaign.search(saved)
                    else:
                        asked = self.findings.replay is not None
                        campaign.plain(saved, asked=asked, seconds=FOREVER if asked else REPLAYING)
                except OUTCOMES.leave as left:
                    if not campaign.found or isinstance(left, pytest.exit.Exception):
                        raise
                    campaign.left(f"{type(left).__name__}: {message(left)}")
                except KeyboardInterrupt:
                    raise interruption.of(campaign) from None
                simulation.outcomes = replace(OUTCOMES, stays=True)
                if given.plan is None and not self.findings.replay:
                    self.findings.forget(campaign.fixed)
                try:
                    found = campaign.result()
                except KeyboardInterrupt:
                    raise interruption.of(campaign) from None
                if not searches or self.baseline.on:  # what is known must not hang on others
                    return found
                expected = item.get_closest_marker("xfail") is not None
                tools = tools_of(found, given.scenario)
                result, again = self.telling.once(found, tools, alone=expected)
                item.stash[TOOLS] = {} if expected else tools
                self.findings.told_elsewhere(again)
                return result

    def told(self, item: pytest.Item, call: Any, report: pytest.TestReport) -> None:
        """Put the result on the test's report, and the block in place of a traceback."""
        result = item.stash.get(reruns.RESULT, None)
        if result is not None:
            report.agentfuzz = dump(to_json(result), in_order=True)  # type: ignore[attr-defined]
        error = None if call.excinfo is None else call.excinfo.value
        if isinstance(error, Broken):
            report.agentfuzz_after = error.after  # type: ignore[attr-defined]
            report.agentfuzz_tools = item.stash.get(TOOLS, {})  # type: ignore[attr-defined]
        if isinstance(error, Failed):
            self.findings.show(report, error)

    # The whole session --------------------------------------------------------------------

    def collect(self, report: Any) -> None:
        """Take in a report, of this process or a worker, and the result that it brings."""
        self.reporting.at(report)
        self.telling.gather(report, self.findings, self.reporting)
        if (result := self.reruns.take(report, self.results)) is not None:
            self.unreported = None
            self.retold.keep(report, result)

    def finish(self, session: pytest.Session) -> None:
        """Write the reports. Never raises: a full disk must not swallow the verdict."""
        process_death.tell(self.findings)  # a worker of xdist, if nobody has said so yet
        if (interrupted := session.exitstatus == pytest.ExitCode.INTERRUPTED) and self.workers:
            with interruption.undisturbed():
                left = interruption.gather(self.findings.folder, self.workers, self.config)
                self.results += left
        if interrupted and self.unreported is not None:
            self.results.append(self.unreported)
        if (missed := self.recording.missed()) and session.exitstatus == 0:
            self.findings.note([missed])
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        self.results.sort(key=lambda result: result.nodeid)  # workers finish in any order
        self.results, told = self.baseline.settled(session, self.results)
        self.findings.note(told)
        self.findings.note(existing.unused(self.config, self.results))
        self.findings.note(self.reruns.told(self.results))
        if set(self.findings.untold) - {r.nodeid for r in self.results} and session.exitstatus in (
            0,
            5,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.results and (self.campaigns or any(r.findings for r in self.results)):
            self._report(session, interrupted)
        self.retold.tell(self.results, self.reporting.pages(self.results))

    def _report(self, session: pytest.Session, interrupted: bool) -> None:
        code = int(pytest.ExitCode.INTERRUPTED) if interrupted else None
        wrong = self.reporting.write(self.results, code)
        self.findings.note(wrong or self.findings.elsewhere())
        if wrong and self.reporting.asked() and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def summary(self, reporter: Any) -> None:
        """The agentfuzz section at the end of the session."""
        more = [*profile_line(self.config), *self.findings.lines]
        if not (self.campaigns or more or any(r.findings or r.notes for r in self.results)):
            return
        reporter.section("agentfuzz", sep="=")
        width, verbosity = reporter._tw.fullwidth, self.config.get_verbosity()
        wide = {"verbosity": verbosity, "width": width}
        for line in summary.of(self.results, more, self.reporting, **wide):
            reporter.write_line(line)
