"""The test files that inner sessions run: a shop, its agents, and templates around them."""

SCENARIO = """
from agentfuzz import Completion, World, exactly_once, fuzz, scenario, structured_termination


@scenario(exactly_once("charge"), structured_termination(), task="Charge A17.", max_crossings=30)
def charge_order(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, cents: int, idempotency_key: str | None = None) -> dict:
        return {"charge_id": "ch_1", "cents": cents}
"""

# Charges again after a lost reply, with a new key each time: AF101.
LOOP = """

def billing_agent(tools, key="attempt-{attempt}"):
    for attempt in range(3):
        mine = key.format(attempt=attempt)
        try:
            reply = tools.charge_card(order_id="A17", cents=4200, idempotency_key=mine)
        except (TimeoutError, ConnectionError):
            continue
        if isinstance(reply, dict) and "charge_id" in reply:
            return Completion.success(handle=str(reply["charge_id"]))
    return Completion.blocked(reason="outcome_unknown")
"""

BASE = SCENARIO + LOOP

SHOP = (
    BASE
    + """

@fuzz(charge_order, only=("once/timeout", "twice"))
def test_billing(world):
    return billing_agent(world.tools)
"""
)

FIXED = SHOP.replace("attempt-{attempt}", "charge-A17")

# A scenario, an agent of a given body, and an ordinary test that must run whatever happens.
AGENT = """{scenario}

@fuzz(charge_order, only=("once/timeout",))
def test_agent(world):
{body}


def test_ordinary():
    assert True
"""

ORDINARY = """
import pytest


@pytest.fixture
def one():
    return 1


@pytest.mark.parametrize("n", [1, 2])
def test_plain(one, n):
    assert one <= n


def test_fails():
    assert 1 == 2


@pytest.mark.xfail
def test_xfails():
    assert 1 == 2
"""


def body(*lines: str) -> str:
    """The lines of an agent's body, indented."""
    return "\n".join(f"    {line}" for line in lines)
