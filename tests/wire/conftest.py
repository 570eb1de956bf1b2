"""Fixtures of the wire's tests."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from agentfuzz.runtime.clock import Clock
from agentfuzz.runtime.virtual_time import virtual_time


@pytest.fixture
def time_of() -> Any:
    """The time of a door: virtual in process; over a socket real time passes, and the world's own
    clock stands still."""
    return lambda door: virtual_time() if door == "in process" else nullcontext(Clock())


@pytest.fixture
def replies() -> Iterator[list[Any]]:
    """Every reply given in this test, each validated against the SDKs' own types."""
    from .parts import checked

    with checked() as found:
        yield found
