"""Faults that last: their text, and what is no range."""

import re

import pytest

from agentfuzz import FaultPlan, PlanError
from agentfuzz.core.codec import event_from_json, event_to_json
from agentfuzz.core.events import Struck
from agentfuzz.core.faults import FOR_GOOD, Fault, Slot

TIMEOUT = Fault(("once", "timeout"))
LIMITED = Fault(("rate_limited", "closed"), until=FOR_GOOD)


@pytest.mark.parametrize(
    ("text", "slot", "fault"),
    [
        ("pay#2-4:once/timeout", Slot("tool", "pay", 2), TIMEOUT._replace(until=4)),
        ("pay#2+:once/timeout", Slot("tool", "pay", 2), TIMEOUT._replace(until=FOR_GOOD)),
        ("model#1+:rate_limited", Slot("model", "", 1), LIMITED),
        ('"a b"#1-2:lost/error', Slot("tool", "a b", 1), Fault(("lost", "error"), until=2)),
        ("*#5+:error", Slot("all", "", 5), Fault(("error",), until=FOR_GOOD)),
        ("*#5:error", Slot("all", "", 5), Fault(("error",))),
        ("local:pay#1+:raises", Slot("local", "pay", 1), Fault(("raises", "before"), until=-1)),
        ('"*"#1:twice', Slot("tool", "*", 1), Fault(("twice", "intact"))),
    ],
)
def test_the_text_reads_back(text: str, slot: Slot, fault: Fault) -> None:
    """One text in plans, saved files and reports."""
    plan = FaultPlan.parse(text)
    assert plan.by_slot == {slot: fault}
    assert str(plan) == text
    assert FaultPlan([(slot, fault)]) == plan
    both = plan.with_(Slot("tool", "look", 1), TIMEOUT)
    assert FaultPlan.parse(str(both)) == both


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pay#2-2:twice", "2-2 is no range"),
        ("pay#3-1:twice", "3-1 is no range"),
        ("pay#1-3:twice + pay#2:lost/error", "the slot pay#2 lies within pay#1-3:twice"),
        ("pay#1+:twice + pay#9:lost/error", "the slot pay#9 lies within pay#1+:twice"),
        ("pay#0+:twice", "cannot read"),
        ("pay#1-:twice", "cannot read"),
        ("pay#-2:twice", "cannot read"),
        ("pay#1-2+:twice", "cannot read"),
        ("*#1+:timeout", "'timeout' is none of up, error"),
    ],
)
def test_what_is_no_range_is_said(text: str, said: str) -> None:
    """The part and the cure."""
    with pytest.raises(PlanError, match=re.escape(said)):
        FaultPlan.parse(text)


def test_a_part_before_it_or_of_another_tool_is_beside_it() -> None:
    """What lasts from the third call on leaves the second alone."""
    text = "look#4:once/error + pay#2:twice + pay#3+:once/timeout"
    assert str(FaultPlan.parse(text)) == text


def test_a_strike_is_kept_with_its_part() -> None:
    """A history says of each strike which fault of the plan it is; an old one says nothing."""
    strike = Struck(3, 0.5, Slot("tool", "pay", 2), TIMEOUT._replace(of="pay#1-3:once/timeout"))
    data = event_to_json(strike)
    assert (data["fault"], data["of"]) == ("once/timeout", "pay#1-3:once/timeout")
    assert event_from_json(data) == strike
    del data["of"]
    assert event_from_json(data) == strike._replace(fault=TIMEOUT)
