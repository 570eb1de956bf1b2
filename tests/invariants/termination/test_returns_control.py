"""`returns_control`: whoever started a run gets control back."""

import asyncio
from typing import Any

import pytest

from agentfuzz import Completion, World, returns_control
from invariants.histories import charged, cut_off, died, judge, prefix, raised, returned, tell
from invariants.loops.field import FAULTS, shop


def test_held():
    """The run returned, or raised, whatever it raised."""
    for end in (returned("Charged."), raised("ValueError"), died("SystemExit")):
        assert judge(returns_control(), tell(charged(), end)) == "HELD"


@pytest.mark.parametrize("why", ["hung", "spinning"])
def test_broken(why):
    """AF214: the run had to be cut off, and not because it had used up its budget."""
    history = tell(charged(), cut_off(why))
    assert judge(returns_control(), history) == ["AF214 run: Ended#1"]
    assert returns_control()(history).violations[0].title == f"control not returned: {why}"


def test_not_exercised():
    """A run that ran into its budget is `bounded`'s; a prefix has no ending."""
    assert judge(returns_control(), tell(cut_off("budget"))) == "NOT_EXERCISED"
    assert judge(returns_control(), prefix(charged())) == "NOT_EXERCISED"


# on whole loops


async def waits(world: World) -> Any:
    """Waits for the charge, however long it takes."""
    try:
        await world.tools.aio.charge_card(order_id="A17", amount=42)
    except FAULTS:
        return Completion.blocked()
    return Completion.success(handle="ch_A17")


async def waits_a_minute(world: World) -> Any:
    """The same with a deadline."""
    try:
        async with asyncio.timeout(60):
            return await waits(world)
    except TimeoutError:
        return Completion.blocked(reason="outcome_unknown")


def test_victim(found):
    """A reply that never comes is waited for."""
    assert found(returns_control(), shop(hang=True), waits) == [
        "AF203 run: charge_card#1:once/timeout",
        "AF214 run: charge_card#1:once/timeout",
    ]


def test_survivor(held):
    """The same with a deadline."""
    assert held(returns_control(), shop(hang=True), waits_a_minute, depth=1) > 0
