"""Error paths in a session: whether they are watched, and what others have to say of a file.

Law: watched in campaigns only, and where the user asked for it, or coverage.py measures; of what
coverage.py measures nothing is read and nothing changed, and the lines that its settings exclude
are nobody's error path. Called by the hooks, around each campaign.
"""

import ast
import sys
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from agentfuzz.plugin.settings import campaigns_on, paths_on

if TYPE_CHECKING:
    from agentfuzz.runtime.paths.watch import Watch

_EXCLUDE = "report:exclude_lines"
_APART = ("--agentfuzz-replay", "--agentfuzz-record")


def watched(config: pytest.Config, given: Any) -> AbstractContextManager[None]:
    """What happens in the block is watched, if it is a campaign in which that was asked for."""
    campaign = campaigns_on(config) and getattr(given, "plan", None) is None
    if not campaign or any(config.getoption(name) for name in _APART):
        return nullcontext()
    asked = paths_on(config)
    if not (_measures() if asked is None else asked):
        return nullcontext()
    from agentfuzz.runtime.paths.watch import Watch, watching

    if _WATCH not in config.stash:
        config.stash[_WATCH] = Watch(config.rootpath, _rewritten, _Excluded())
    return watching(config.stash[_WATCH])


def again() -> list[str]:
    """The option with which another pytest watches as this one does now."""
    from agentfuzz.runtime.paths.watch import current

    return ["--no-agentfuzz-paths" if current() is None else "--agentfuzz-paths"]


def _measures() -> bool:
    """Whether coverage.py is at work in this process."""
    if "coverage" not in sys.modules:
        return False
    from coverage import Coverage

    return Coverage.current() is not None


def _rewritten(module: ModuleType, tree: ast.Module, text: str) -> bool:
    """Do to a tree what pytest has done to its module, if it has: tests tell of their asserts."""
    from _pytest.assertion.rewrite import AssertionRewritingHook, rewrite_asserts

    loader = getattr(module, "__loader__", None)
    if not isinstance(loader, AssertionRewritingHook):
        return False
    rewrite_asserts(tree, text.encode(), module.__file__, loader.config)
    return True


class _Excluded:
    """The lines of a file that the settings of coverage.py exclude."""

    def __init__(self) -> None:
        from coverage import Coverage

        measuring = Coverage.current()
        self._reader = Coverage(data_file=None, config_file=measuring is None)
        if measuring is not None:
            self._reader.set_option(_EXCLUDE, measuring.get_option(_EXCLUDE))

    def __call__(self, path: str) -> set[int]:
        from coverage.exceptions import CoverageException

        try:
            return set(self._reader.analysis2(path)[2])
        except CoverageException:  # no source that it can read: nothing is excluded
            return set()


_WATCH: "pytest.StashKey[Watch]" = pytest.StashKey()
