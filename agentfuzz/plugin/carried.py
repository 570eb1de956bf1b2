"""What makes a test a campaign: `@fuzz` above it, or a mark on a test that exists.

Law: cheap to import, for every collected test is looked at. Read by the hooks, and by what hands a
test its fixtures.
"""

from collections.abc import Mapping
from typing import Any

import pytest

ADOPTED = pytest.StashKey[Mapping[str, Any]]()  # the words of the mark


def carried(item: Any) -> Any:
    """The `Fuzz` of a decorated test, the words of an adopted one, or None."""
    given = getattr(getattr(item, "obj", None), "agentfuzz", None)
    return item.stash.get(ADOPTED, None) if given is None else given


def asked(item: Any) -> list[str]:
    """The fixtures that a test asks for itself; another plugin may have added some, for a function
    of its own that it has put in the test's place."""
    info = item._fixtureinfo
    return [name for name in info.argnames if name in info.initialnames]
