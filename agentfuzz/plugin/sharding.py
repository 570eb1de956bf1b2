"""A session that is one of N shards, or the merge of all of them, or one in a row of sessions.

Law: a shard's files lie beside its report; a merge runs the tests of the files and no others, so
that its report is the one of a session in one part; any other session goes on where the budget of
the last one ended. Called by the hooks and by the session.
"""

from pathlib import Path

import pytest

from agentfuzz.archive.shards import found, gathered, name_of
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.core.escaping import visible
from agentfuzz.plugin.findings import SAVED
from agentfuzz.plugin.options import MERGE
from agentfuzz.plugin.settings import shard
from agentfuzz.search.parts.continued import Continued
from agentfuzz.search.parts.dealing import Dealing
from agentfuzz.search.parts.shards import Merged, Share


def dealing(config: pytest.Config, report_dir: Path, nodeid: str) -> Dealing:
    """How the campaign of a test is dealt. Raises ShardError."""
    if part := shard(config):
        number, of = part
        return Share(report_dir / f"shard-{number}-of-{of}", nodeid, number, of)
    folders = _folders(config)
    if not folders:
        return Dealing() if _apart(config) else Continued(config.rootpath / SAVED, nodeid)
    tests = gathered(found(folders, name_of(nodeid)))
    return Merged(nodeid, tests.get(nodeid, []), folders)


def _apart(config: pytest.Config) -> bool:
    """Whether this session asks for something of its own, that is no part of a row of sessions."""
    asked = ("seed", "replay", "serve")
    return any(config.getoption(f"--agentfuzz-{name}") is not None for name in asked)


def keep_merged(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what is no `@fuzz` test. Raises UsageError where the tests of the files are not
    among those that were collected."""
    kept = [item for item in items if hasattr(getattr(item, "obj", None), "agentfuzz")]
    try:
        tests = gathered(found(_folders(config)))
    except AgentfuzzError as error:
        raise pytest.UsageError(str(error)) from error
    if gone := sorted(set(tests) - {item.nodeid for item in kept}):
        raise pytest.UsageError(
            f"{tests[gone[0]][0].path}: is of {visible(gone[0][:200])}, which is not among the "
            "tests here. Merge the tests of the shards (their paths, after --), of the same commit."
        )
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _folders(config: pytest.Config) -> list[Path]:
    return [Path(text) for text in config.getoption(MERGE) or ()]
