"""What a session writes into its baseline: what it found, what was renamed, what is fixed.

Law: what was not run stays as it is, and so does an example while its test is there. Called by the
baseline of a session, at its end.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from agentfuzz.archive.baseline import Baseline, Entry, entry_of
from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.search.found.died import CODE as DIED


class Recorded:
    """A baseline in the making: counts of what was done to it."""

    def __init__(self, baseline: Baseline) -> None:
        self._entries = dict(baseline.entries)
        self._more = baseline.more
        self._new = self._renamed = self._removed = self._dead = 0

    @property
    def baseline(self) -> Baseline:
        """As it is now."""
        return Baseline({key: one for key, one in self._entries.items() if one.tests}, self._more)

    def add(self, found: Sequence[Counterexample]) -> None:
        """Record findings; of a test that was renamed the older name goes."""
        for cx in found:
            if cx.code == DIED:
                self._dead += 1
                continue
            fresh = entry_of(cx)
            entry = self._entries.get(fresh.key)
            if entry is None:
                self._new += 1
            elif cx.nodeid in entry.tests:
                fresh = entry
            elif cx.known in entry.tests:
                self._renamed += 1
                tests = {*entry.tests, cx.nodeid} - {cx.known}
                fresh = replace(fresh, tests=tuple(sorted(tests)), more=entry.more)
            else:
                self._new += 1
                fresh = replace(entry, tests=tuple(sorted({*entry.tests, cx.nodeid})))
            self._entries[fresh.key] = fresh

    def take_out(
        self,
        results: Sequence[CampaignResult],
        fixed: Callable[[Entry, CampaignResult], bool],
        gone: Collection[str],
    ) -> None:
        """Take out the tests in which an entry is fixed, and those that are gone, unless another
        test is known by that name still."""
        older = {cx.known for result in results for cx in result.findings}
        for key, entry in self._entries.items():
            out = {result.nodeid for result in results if fixed(entry, result)}
            out |= {test for test in entry.tests if test in gone and test not in older}
            left = tuple(test for test in entry.tests if test not in out)
            self._removed += len(entry.tests) - len(left)
            self._entries[key] = replace(entry, tests=left)

    def told(self) -> str:
        """`Recorded: 40, removed: 2; 41 known now`."""
        counts = {"Recorded": self._new, "renamed": self._renamed, "removed": self._removed}
        done = ", ".join(f"{word}: {n:,}" for word, n in counts.items() if n) or "Recorded: 0"
        known = sum(len(one.tests) for one in self._entries.values())
        dead = f"; {self._dead:,} AF902 left out, for nothing else of those tests is run"
        return f"{done}{dead * bool(self._dead)}; {known:,} known now"
