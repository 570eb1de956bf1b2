"""The boundary `mcp`: requests have addresses, faults and words."""

import pytest

from agentfuzz import FaultPlan
from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.search.space import Space


@pytest.mark.parametrize(
    ("group", "kinds"),
    [
        ("mcp list", ["error", "timeout"]),
        ("mcp list in a session", ["error", "timeout", "session_lost"]),
        ("mcp call in a session", ["session_lost"]),
    ],
)
def test_what_is_tried_where(group: str, kinds: list[str]) -> None:
    """What can become of a call is tried at the tool; a session is lost where there is one."""
    assert [str(fault) for fault in Space().at(group)] == kinds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mcp:list#1:timeout", "request 1 of tools/list over MCP: never answered"),
        (
            "mcp:call#2:session_lost",
            "request 2 of tools/call over MCP: 404, the server has lost the session",
        ),
    ],
)
def test_a_request_in_a_plan(text: str, words: str) -> None:
    """A plan names it and a report says it."""
    plan = FaultPlan.parse(text)
    assert str(plan) == text
    assert [BOUNDARIES["mcp"].phrase(slot, fault) for slot, fault in plan] == [words]
