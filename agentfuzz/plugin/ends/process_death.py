"""The process died under a plan: a segfault, os._exit, a kill. Told with its plan, and survived.

Law: a plan under which a process died is never run again in a process that has other work to do,
unless somebody asks for just that (--agentfuzz-replay). A session that met it again would die
before it could report anything, at the first test of a long list; so it is replayed in a process
of its own, a second pytest for this one test. Dies that too, the test fails with the plan and how
the process ended, and nothing else of it is run; does it survive, the death is told as a note and
forgotten, and the test runs as ever. Called by the session: at its start, at its end, and when a
worker of xdist has died.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from agentfuzz.archive import crash_log
from agentfuzz.archive.crash_log import Left
from agentfuzz.archive.saved import Saved
from agentfuzz.archive.transport import to_json
from agentfuzz.core import escaping
from agentfuzz.core.codec import dump
from agentfuzz.core.findings import CampaignResult, Counterexample, Level
from agentfuzz.core.locations import relative, shortened
from agentfuzz.plugin.findings import Findings
from agentfuzz.plugin.settings import setting
from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.user_code import is_beginning, is_own
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.found.died import CODE, died

PATIENCE = 60.0  # real seconds for the start of a process of its own, beside its run
_SETTLE = 2.0  # real seconds for the kernel to clear up after a worker
_FRAME = re.compile(r'  File "(.+)", line (\d+) in (.+)')


class End(NamedTuple):
    """How a process ended: in words, and where it was."""

    words: str = ""
    stack: str = ""


def log_of(findings: Findings, nodeid: str, scenario: str) -> crash_log.CrashLog:
    """Where the campaign of a test writes its plans: nowhere, if it makes runs for another one,
    which knows them, and may end it at any moment."""
    if findings.config.getoption("--agentfuzz-serve"):
        return crash_log.CrashLog()
    try:
        return crash_log.CrashLog(findings.folder, nodeid, scenario)
    except OSError as error:
        findings.note([f"agentfuzz: {findings.folder.name} cannot be written ({error.strerror}): "
                      "if the process dies, nobody will know under which plan"])  # fmt: skip
        return crash_log.CrashLog()


def stuck(campaign: Campaign, terminal: int, stacks: str) -> None:
    """A run cannot be interrupted: its stacks go where they survive it, and the process ends."""
    campaign.runner.crash_log.stuck(stacks)
    text = (
        f"\nAF902 {campaign.nodeid}: a run does not react, and nothing interrupts it. This process "
        f"ends here; the plan of the run is saved, and the next pytest tells it.\n\n{stacks}\n"
    )
    with suppress(OSError):
        lines = "\n".join(map(escaping.terminal, text.splitlines()))
        os.write(terminal, f"{lines}\n".encode("utf-8", "replace"))
    os._exit(1)


def tell(findings: Findings) -> None:
    """Keep and note what processes left behind that died, in this session or an earlier one."""
    left, notes = crash_log.take(findings.folder)
    findings.note(notes)
    for one in left:
        _kept(findings, one)


def crashed(findings: Findings, report: pytest.TestReport) -> None:
    """A worker of xdist died in this test: report it at once, if it wrote a plan ahead."""
    deadline = Real.monotonic() + _SETTLE
    left, notes = crash_log.take(findings.folder, report.nodeid)
    while not left and crash_log.held(findings.folder, report.nodeid):
        if Real.monotonic() > deadline:
            break
        Real.sleep(0.01)
        left, notes = crash_log.take(findings.folder, report.nodeid)
    findings.note(notes)
    if left:
        found = [_kept(findings, one) for one in left]
        told = _result(findings, found)
        report.agentfuzz = dump(to_json(told), in_order=True)  # type: ignore[attr-defined]
        findings.show(report, findings.failure(told))


def judge(findings: Findings, nodeid: str, scenario: str) -> CampaignResult | None:
    """The verdict on a test in which a process died before; None when it may run (again)."""
    found: list[Counterexample] = []
    for one in findings.saved_for(nodeid):
        if one.code != CODE:
            continue
        end = _replayed(findings, one)
        if end is not None:
            found.append(finding(Left(nodeid, one.plan, scenario), end))
            continue
        findings.note([f"agentfuzz: {one.id} ({nodeid}, {one.plan}) survived its replay in a "
                      "process of its own; forgotten"])  # fmt: skip
        findings.forget([one])
    return _result(findings, found) if found else None


def _kept(findings: Findings, left: Left) -> Counterexample:
    """A death that is new: a finding, saved and noted."""
    found = finding(left, End("", _stack(left.stacks, findings.root)))
    again = f"replay it (this may end pytest again): pytest --agentfuzz-replay {found.id}"
    findings.note([f"AF902 {left.nodeid}: the process died under the plan {found.plan}; {again}"])
    findings.remember(found)
    return found


def finding(left: Left, end: End) -> Counterexample:
    """A death that left its plan behind."""
    said = f"Replayed in a process of its own, it died again: {end.words}." if end.words else ""
    return died(left.nodeid, left.scenario, left.plan, said, end.stack)


def _result(findings: Findings, found: Sequence[Counterexample]) -> CampaignResult:
    return CampaignResult(
        nodeid=found[0].nodeid,
        scenario=found[0].scenario,
        runs=len(found),
        seconds=0.0,
        struck=0,
        stopped="exhausted",
        seed=setting(findings.config, "seed"),
        levels=(Level(f"run{'s' * (len(found) > 1)} that ended the process", len(found), None),),
        findings=tuple(found),
    )


# In a process of its own ----------------------------------------------------------------------


def _replayed(findings: Findings, saved: Saved) -> End | None:
    """Replay a plan in a second pytest. None when that comes to its end, whatever it finds."""
    patience = PATIENCE + 4 * float(setting(findings.config, "run-timeout"))
    environ = {name: v for name, v in os.environ.items() if name != "PYTEST_ADDOPTS"}
    with tempfile.TemporaryDirectory() as reports:
        try:
            done = subprocess.run(
                [*command(findings.config), "--agentfuzz-replay", saved.id,
                 "--agentfuzz-report-dir", reports],
                cwd=findings.config.invocation_params.dir,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=patience,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            crash_log.take(findings.folder, saved.nodeid)
            return End(f"it did not end within {patience:g} s")
    left, _ = crash_log.take(findings.folder, saved.nodeid)
    if not left and done.returncode in (0, 1):
        return None
    stacks = done.stderr.decode("utf-8", "replace")
    if left and left[0].stacks:
        return End("it hung", _stack(left[0].stacks, findings.root))
    how = _how(done.returncode) if left else f"pytest itself failed ({_how(done.returncode)})"
    return End(how, _stack(stacks, findings.root))


def command(config: pytest.Config) -> list[str]:
    """pytest as it was called, without paths, and without what its ini file adds to every call
    (workers, reports, coverage); Python's own options (-O, -W, -X) as they were."""
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    given = [sys.executable, *flags, "-m", "pytest", "-o", "addopts="]
    given.append(f"--rootdir={config.rootpath}")
    if config.inipath is not None:
        given += ["-c", str(config.inipath)]
    for name in config.option.plugins or ():
        given += ["-p", name]
    for text in config.option.override_ini or ():
        given += ["-o", text]
    for text in config.option.pythonwarnings or ():
        given += ["-W", text]
    timeout = setting(config, "run-timeout")
    return [
        *given,
        f"--import-mode={config.option.importmode}",
        *("-o", f"verbosity_assertions={config.get_verbosity()}"),  # what is told of a failed one
        f"--agentfuzz-run-timeout={timeout:g}",
    ]


def _how(code: int) -> str:
    if code >= 0:
        return f"exit {code}"
    if -code == getattr(signal, "SIGPROF", 0):
        return "it hung"  # the last resort of the watchdog
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _stack(dump: str, root: Path) -> str:
    """The agent's part of the stacks that Python's fault handler writes (of the thread in which
    it ran), outermost call first."""
    threads = re.split(r"\n(?=(?:Thread|Current thread|Stack) )", dump)
    for thread in threads:
        frames = [found for line in thread.splitlines() if (found := _FRAME.match(line))]
        calls: list[str] = []
        for path, line, name in (frame.groups() for frame in frames):
            if is_beginning(path, name):
                return shortened(calls[::-1])
            if not is_own(path):
                calls.append(relative(f"{path}:{line} {name}", root))
    return ""
