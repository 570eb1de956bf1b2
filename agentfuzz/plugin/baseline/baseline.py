"""The baseline of a session: what is known fails no test, what is new does, what is fixed is named.

Law: a finding is known in a test that its entry lists, and in as many others as there are listed
tests that are gone (a test that was renamed). Only a campaign that walked all plans of a size says
that one of that size is fixed. The file is written once, whole or not at all, by the session that
was asked to, at its end; what another process has written meanwhile stays. Called by the session.

That a process died (AF902) is never known: nothing else of its test is run. A replay shows what it
was asked for, known or not.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agentfuzz.archive import baseline as archive
from agentfuzz.archive.baseline import Baseline, Entry, Key, key_of
from agentfuzz.core import escaping
from agentfuzz.core.errors import NewerFileError, SavedFileError
from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.plugin.baseline.gone import Gone
from agentfuzz.plugin.baseline.recorded import Recorded
from agentfuzz.plugin.findings import Failed
from agentfuzz.plugin.options import ACTIONS, ANSWERS
from agentfuzz.plugin.settings import campaigns_on, setting, shard
from agentfuzz.report.write import put
from agentfuzz.search.found.died import CODE as DIED
from agentfuzz.search.phases.walked import walked

NAME = "agentfuzz-baseline"  # among pytest's plugins
UPDATE, PRUNE = "--agentfuzz-baseline-update", "--agentfuzz-baseline-prune"
_DOUBT = "AF904"  # comes and goes by itself
_SILENT = ("--agentfuzz-serve", "--agentfuzz-record", *ANSWERS)
_NO_END = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)


def begin(config: pytest.Config) -> None:
    """Read the baseline that a session names, and take part in it. Raises UsageError."""
    actions = [f"--agentfuzz-{name}" for name, *_ in ACTIONS]
    if any(config.getoption(one) is not None for one in (*_SILENT, *actions)):
        return
    if config.option.collectonly or config.option.help:
        return
    writes = [one for one in (UPDATE, PRUNE) if config.getoption(one)]
    name = setting(config, "baseline")
    if writes and not name:
        raise pytest.UsageError(
            f"{writes[0]} writes a file: name it, as --agentfuzz-baseline agentfuzz-baseline.json "
            "(or agentfuzz_baseline in the ini file)"
        )
    if writes and not campaigns_on(config):
        raise pytest.UsageError(f"{writes[0]} is of campaigns: add --agentfuzz")
    if writes and shard(config):
        raise pytest.UsageError(f"{writes[0]} and --agentfuzz-shard exclude each other")
    given = config.getoption("--agentfuzz-baseline")
    path = (config.rootpath if given is None else config.invocation_params.dir) / name
    known = _read(path, name, missing=UPDATE in writes)
    ratchet = Ratchet(config, path, name, known)
    config.pluginmanager.register(ratchet, NAME)
    config.pluginmanager.register(ratchet.gone)


def of(config: pytest.Config) -> "Ratchet":
    """The baseline of a session; one that knows nothing, if none is named."""
    found = config.pluginmanager.get_plugin(NAME)
    return found if isinstance(found, Ratchet) else Ratchet(config, None, "", Baseline())


def _read(path: Path, name: str, *, missing: bool) -> Baseline:
    """The file; an empty one where it may be missing. Raises UsageError."""
    shown = escaping.visible(name)
    try:
        if missing and not os.path.exists(path):
            return Baseline()
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise pytest.UsageError(f"--agentfuzz-baseline {shown}: is no regular file")
        return archive.read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise pytest.UsageError(
            f"--agentfuzz-baseline {shown}: there is no such file. Write it with what is found "
            f"today: pytest --agentfuzz --agentfuzz-baseline {shown} {UPDATE}"
        ) from None
    except NewerFileError as error:
        raise pytest.UsageError(f"--agentfuzz-baseline {shown}: {error}") from None
    except (SavedFileError, UnicodeDecodeError) as error:
        raise pytest.UsageError(
            f"--agentfuzz-baseline {shown}: {error}. Mend it, or take it from git; it is never "
            "written over"
        ) from None
    except OSError as error:
        raise pytest.UsageError(f"--agentfuzz-baseline {shown}: {error.strerror}") from None


class Ratchet:
    """What one session (of one worker, or of the controller) knows and makes of it."""

    def __init__(
        self, config: pytest.Config, path: Path | None, name: str, known: Baseline
    ) -> None:
        self.config, self.path, self.name, self.known = config, path, name, known
        self.update = path is not None and config.getoption(UPDATE)
        self.prune = path is not None and config.getoption(PRUNE)
        self.gone = Gone(config, {one for entry in known.entries.values() for one in entry.tests})

    @property
    def on(self) -> bool:
        """Whether there is a baseline."""
        return self.path is not None

    # One test -----------------------------------------------------------------------------

    def judged(self, result: CampaignResult) -> CampaignResult:
        """The result, with what is known marked."""
        found = tuple(replace(cx, known=self._known(cx)) for cx in result.findings)
        return replace(result, findings=found) if self.on else result

    def _known(self, cx: Counterexample) -> str:
        entry = self.known.entries.get(key_of(cx))
        if not self.on or cx.code == DIED:
            return ""
        if entry is not None and cx.nodeid in entry.tests:
            return cx.nodeid
        older = "" if entry is None else self.gone.older(entry, cx.nodeid)
        return older or (cx.nodeid if self.update else "")

    def lines(self, result: CampaignResult) -> list[str]:
        """What there is to say below the blocks of a test that fails."""
        told = [
            escaping.terminal(f"  {line}")
            for cx in result.findings
            if (line := f"known: {_told(cx)}" if cx.known else self._further(cx))
        ]
        return ["\n".join(told)] if told else []

    def _further(self, cx: Counterexample) -> str:
        """Where the cause of a new finding is known: as it is, or at another tool."""
        key = key_of(cx)
        alike = [one for one in self.known.entries.values() if one.key.kinds == key.kinds]
        entry = self.known.entries.get(key) or (min(alike, key=_order) if alike else None)
        if entry is None or not entry.tests or not (key.troubles or entry.key == key):
            return ""
        return (
            f"{cx.id} is a further place of a cause that is known in {entry.tests[0]} "
            f"({entry.title}, {entry.id})"
        )

    def no_rest(self, result: CampaignResult) -> None:
        """Raise Failed for what is fixed and still stands in the baseline."""
        fixed = [] if self.prune else self._fixed(result)
        if fixed:
            lines = [f"  {one.key.code} {one.title}  {one.id}" for one in fixed]
            first = f"{fixed[0].key.code} is fixed, and still in {self.name} (strict)"
            last = f"  take {'it' if len(fixed) == 1 else 'them'} out: pytest --agentfuzz {PRUNE}"
            told = [f"strict: the baseline {self.name} knows what is fixed", *lines, last]
            raise Failed(escaping.terminal(first), "\n".join(map(escaping.terminal, told)))

    def _fixed(self, result: CampaignResult) -> list[Entry]:
        """What is not there any more in a test, by a campaign that would have met it."""
        entries = self.known.entries.values()
        return [one for one in sorted(entries, key=_order) if self._gone_from(one, result)
                and one.key.code != _DOUBT]  # fmt: skip

    def _gone_from(self, entry: Entry, result: CampaignResult) -> bool:
        if result.nodeid not in entry.tests or not campaigns_on(self.config):
            return False
        if any(cx.code == DIED or key_of(cx) == entry.key for cx in result.findings):
            return False
        return walked(result, entry.plan, setting(self.config, "depth"))

    # The whole session --------------------------------------------------------------------

    def settled(
        self, session: pytest.Session, results: Sequence[CampaignResult]
    ) -> tuple[list[CampaignResult], list[str]]:
        """The results of all workers, and what the summary says. Writes the file, if asked to; the
        session fails where that failed, or where workers took one test for several."""
        if not self.on:
            return list(results), []
        results, further = self._counted(results)
        lines = []
        if further and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        found = [cx for result in results for cx in result.findings]
        fixed = [(one, result.nodeid) for result in results for one in self._fixed(result)]
        if campaigns_on(self.config) or found:
            lines.append(self._headline(found, fixed))
        lines += [f"new, for fewer tests were renamed: {_told(cx)} ({cx.nodeid})" for cx in further]
        lines += [f"fixed: {one.key.code} {one.title}  {one.id} ({test})" for one, test in fixed]
        if fixed and not self.prune:
            lines.append(f"take out what is fixed: pytest --agentfuzz {PRUNE}")
        lines += [
            f"known under {cx.known}: {_told(cx)} ({cx.nodeid}); {UPDATE} renames it"
            for cx in found
            if cx.known and cx.known != cx.nodeid and not self.update
        ]
        if (self.update or self.prune) and session.exitstatus in _NO_END:
            lines.append(f"baseline {self.name}: not written, for the session did not end")
        elif self.update or self.prune:
            lines += self._written(session, results)
        return results, lines

    def _headline(self, found: Sequence[Counterexample], fixed: Sequence[object]) -> str:
        listed = {(key, test) for key, one in self.known.entries.items() for test in one.tests}
        fresh = sum(self.update and cx.known == cx.nodeid and (key_of(cx), cx.nodeid) not in listed
                    for cx in found)  # fmt: skip
        known = sum(bool(cx.known) for cx in found) - fresh
        return (
            f"baseline {self.name}: {known:,} known, {len(found) - known:,} new, "
            f"{len(fixed):,} fixed"
        )

    def _counted(
        self, results: Sequence[CampaignResult]
    ) -> tuple[list[CampaignResult], list[Counterexample]]:
        """Each worker has its own count of renamed tests: what is more than there are is new."""
        room: dict[Key, int] = {}
        further: list[Counterexample] = []
        for cx in [cx for result in results for cx in result.findings]:
            if not cx.known or cx.known == cx.nodeid:
                continue
            entry = self.known.entries[key_of(cx)]
            left = room.setdefault(entry.key, len(self.gone.tests.intersection(entry.tests)))
            room[entry.key] = left - 1
            if left < 1 and not self.update:
                further.append(cx)
        new = {cx.id for cx in further}
        return [
            replace(result, findings=tuple(replace(cx, known="") if cx.id in new else cx
                                           for cx in result.findings))
            for result in results
        ], further  # fmt: skip

    def _written(self, session: pytest.Session, results: Sequence[CampaignResult]) -> list[str]:
        """Write the file anew, over what it is by now."""
        assert self.path is not None
        try:
            fresh = _read(self.path, self.name, missing=self.update)
            made = Recorded(fresh)
            if self.update:
                made.add([cx for result in results for cx in result.findings])
            if self.prune:
                made.take_out(results, self._gone_from, self.gone.tests)
            text = archive.text(made.baseline)
            if self.path.exists() and self.path.read_bytes() == text.encode():
                return [f"baseline {self.name}: nothing to write"]
            self.path.parent.mkdir(parents=True, exist_ok=True)
            put(self.path.resolve(), text.encode())
        except (OSError, pytest.UsageError) as error:
            if session.exitstatus == 0:
                session.exitstatus = pytest.ExitCode.USAGE_ERROR
            why = getattr(error, "strerror", None) or error
            return [f"baseline {self.name}: not written ({why})"]
        return [f"baseline {self.name}: written. {made.told()}"]


def _told(cx: Counterexample) -> str:
    return f"{cx.code} {cx.title}  {cx.id}"


def _order(entry: Entry) -> str:
    return entry.key.name
