"""Fixtures of the wire's tests."""

from collections.abc import Iterator

import pytest

pytest.importorskip("openai")
pytest.importorskip("anthropic")

from agentfuzz.clock import Clock, virtual_time
from agentfuzz.wire.face import WireReply

from .parts import checked


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Virtual time, and its clock."""
    with virtual_time() as clock:
        clock.reset()
        yield clock


@pytest.fixture
def replies() -> Iterator[list[WireReply]]:
    """Every reply given in this test, each validated against the SDKs' types."""
    with checked() as found:
        yield found
