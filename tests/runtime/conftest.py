"""Virtual time for one test."""

from collections.abc import Iterator

import pytest

from agentfuzz.runtime.clock import Clock, Real
from agentfuzz.runtime.virtual_time import virtual_time


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Frozen time for one test, with a limit on the real time that it may take."""
    before = Real.monotonic()
    with virtual_time() as entered:
        yield entered
    assert Real.monotonic() - before < 60
