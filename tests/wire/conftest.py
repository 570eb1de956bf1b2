"""Fixtures of the wire's tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from agentfuzz.clock import Clock, virtual_time


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Virtual time, and its clock."""
    with virtual_time() as clock:
        clock.reset()
        yield clock


@pytest.fixture
def replies() -> Iterator[list[Any]]:
    """Every reply given in this test, each validated against the SDKs' own types."""
    from .parts import checked

    with checked() as found:
        yield found
