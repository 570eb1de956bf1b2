"""A test that is run again in the same session, as pytest-rerunfailures does it.

Law: the last time counts, in every report; what an earlier one found is the first thing that the
next one tries, and is named where it did not come back. Called by the session and by the hooks.
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from agentfuzz.archive.transport import from_json
from agentfuzz.core.findings import CampaignResult
from agentfuzz.plugin.findings import Findings

_OURS = "agentfuzz."  # properties of a test, for JUnit
_BEGUN = pytest.StashKey[bool]()
RESULT = pytest.StashKey[CampaignResult]()  # what the report of a test carries


def begin(item: pytest.Item, findings: Findings) -> None:
    """A test begins. Where it has been run in this session, what it told is forgotten, and what it
    saved is read."""
    if item.stash.get(_BEGUN, False):
        item.user_properties[:] = of_others(item.user_properties)
        findings.read()
        if RESULT in item.stash:
            del item.stash[RESULT]
    item.stash[_BEGUN] = True


class Reruns:
    """The results of a session, one for each test; `told` says which tests were run again."""

    def __init__(self) -> None:
        self._superseded: set[str] = set()  # tests that are about to be run again
        self._earlier: dict[str, list[str]] = {}  # ids that were found, of each test
        self._times: dict[str, int] = {}

    def take(self, report: Any, results: list[CampaignResult]) -> CampaignResult | None:
        """Take in a test report, and the result that it brings, if it does; the result where it
        counts. The reports of a test that is about to be run again name nothing that was found."""
        result = from_json(json.loads(report.agentfuzz)) if hasattr(report, "agentfuzz") else None
        if result is not None:
            self._put(results, result)
        if report.outcome == "rerun":
            self._superseded.add(report.nodeid)
        elif report.when == "call":
            self._superseded.discard(report.nodeid)
        if report.nodeid in self._superseded:
            report.user_properties[:] = of_others(report.user_properties)
            return None
        return result

    def _put(self, results: list[CampaignResult], result: CampaignResult) -> None:
        name = result.nodeid
        if name in self._superseded:
            place = max(n for n, one in enumerate(results) if one.nodeid == name)
            self._earlier.setdefault(name, []).extend(cx.id for cx in results.pop(place).findings)
            self._times[name] = self._times.get(name, 1) + 1
        results.append(result)

    def told(self, results: Sequence[CampaignResult]) -> list[str]:
        """What there is to say."""
        return [
            f"{one.nodeid} was run {self._times[one.nodeid]} times, and the last time counts"
            + self._gone(one)
            for one in results
            if one.nodeid in self._earlier
        ]

    def _gone(self, last: CampaignResult) -> str:
        now = {cx.id for cx in last.findings}
        gone = [one for one in dict.fromkeys(self._earlier[last.nodeid]) if one not in now]
        return f"; what was found before did not come back: {', '.join(gone)}" if gone else ""


def of_others(properties: Sequence[tuple[str, object]]) -> list[tuple[str, object]]:
    """The properties of a report that are not ours."""
    return [one for one in properties if not one[0].startswith(_OURS)]
