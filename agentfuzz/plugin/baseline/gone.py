"""Tests that a baseline lists and that are not there any more: deleted, or called otherwise now.

Law: a test that this session leaves out is not gone, and neither is one whose file was skipped,
ignored or could not be imported; every worker says the same, for each collects everything.
Registered with pytest for what is collected; asked by the baseline of the session.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from agentfuzz.archive.baseline import Entry, Key


class Gone:
    """Of the tests that are listed."""

    def __init__(self, config: pytest.Config, listed: Collection[str]) -> None:
        self._config, self._listed = config, listed
        self._collected: set[str] = set()
        self._files: set[str] = set()  # that were collected, and everything else that was
        self._looked: list[Path] | None = None  # where all tests were collected
        self._found: frozenset[str] | None = None
        self._older: dict[Key, dict[str, str]] = {}  # by what a test is called now

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self._collected.add(item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.passed:
            self._files.add(report.nodeid)

    def pytest_collection_finish(self) -> None:
        here = self._config.invocation_params.dir
        self._looked = [(here / one).resolve() for one in self._config.args if "::" not in one]

    def pytest_sessionfinish(self) -> None:
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["agentfuzz_gone"] = sorted(self.tests)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        found = getattr(node, "workeroutput", {}).get("agentfuzz_gone")
        if found is not None:
            self._found = frozenset(found)

    @property
    def tests(self) -> frozenset[str]:
        """Those that are gone; none before all are collected."""
        if self._found is None:
            if self._looked is None:
                return frozenset()
            missing = set(self._listed) - self._collected
            self._found = frozenset(one for one in missing if self._is_gone(one, self._looked))
        return self._found

    def _is_gone(self, nodeid: str, looked: Collection[Path]) -> bool:
        file = nodeid.partition("::")[0]
        path = os.path.join(self._config.rootpath, file)
        if not os.path.exists(path):
            return True
        return file in self._files and any(Path(path).resolve().is_relative_to(p) for p in looked)

    def older(self, entry: Entry, nodeid: str) -> str:
        """What a test was called that is not listed: the likest of those that are gone, each of
        which is the older name of one test only. Empty for none."""
        taken = self._older.setdefault(entry.key, {})
        free = self.tests.intersection(entry.tests).difference(taken.values())
        if nodeid not in taken and free:
            taken[nodeid] = min(free, key=lambda one: (*_unlike(one, nodeid), one))
        return taken.get(nodeid, "")


def _unlike(one: str, other: str) -> tuple[bool, bool]:
    """How unlike two tests are called: the function, the file."""
    path, _, name = one.partition("::")
    its_path, _, its_name = other.partition("::")
    return name != its_name, path != its_path
